"""Brings the parties together: the server in a process of its own, its clients, its user, and browsers."""

import json
import os
import re
import secrets
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from support.commands import run_command
from support.server import free_port, start, stop, wait_until_up

from conformance.suite import tokens
from conformance.suite.flows import Flow, Variant
from conformance.suite.pages import Browser, Person
from conformance.suite.parties import OP, Client, Suite

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "examples" / "certification.py"
MANUAL = ROOT / "docs" / "certification.md"
PLUGINS = Path(__file__).parents[1] / "plugins"
CHEAP = {"PASSWORD_HASH_PROFILE": "testing", "CLIENT_SECRET_HASH_PROFILE": "testing"}
"""Hundreds sign in; what a hash costs is no part of any plan."""
USUAL = dict.fromkeys(CHEAP, "rfc9106_low_memory")


class Lab:
    """The server under test, and all that a test needs to visit it."""

    def __init__(
        self, op: OP, suite: Suite, person: Person, statics: list[Client], command: "PortulaCommand"
    ) -> None:
        """Take the parties; `command` runs `portula …` beside the server."""
        self.op, self.suite, self.person, self.statics, self.command = op, suite, person, statics, command
        self.key, self.other_key = tokens.new_key(), tokens.new_key("another")
        self._browser: Browser | None = None
        self._registered: dict[str, Client] = {}

    @property
    def browser(self) -> Browser:
        """The browser that tests share which do not care who was there before."""
        if self._browser is None:
            self._browser = Browser(self.suite.origin, self.op.trust)
        return self._browser

    def close(self) -> None:
        """Close the browser."""
        if self._browser is not None:
            self._browser.http.close()

    def registration(self, variant: Variant, **changes: Any) -> dict[str, Any]:
        """Return what the suite asks the registration endpoint for; None leaves a member out."""
        grants = ["authorization_code"] if "code" in variant.words else []
        if variant.words & {"id_token", "token"}:
            grants.append("implicit")
        document = {
            "client_name": "portula conformance",
            "grant_types": grants,
            "jwks": tokens.public_set(self.key),
            "token_endpoint_auth_method": variant.auth,
            "response_types": [variant.response_type],
            "redirect_uris": [self.suite.callback],
            "contacts": ["certification@oidf.org"],
            **changes,
        }
        return {name: value for name, value in document.items() if value is not None}

    def register(self, variant: Variant, **changes: Any) -> Client:
        """Register a client dynamically, and check the answer (Dynamic Client Registration §3.2)."""
        document = self.registration(variant, **changes)
        answer = self.op.register(document)
        assert answer.status_code == 201, answer.text
        assert answer.headers["content-type"] == "application/json"
        registered = answer.json()
        for name in set(document) - {"scope"}:
            assert registered[name] == document[name], name
        assert registered["registration_client_uri"].startswith("https://")
        assert registered["registration_access_token"]
        if variant.auth.startswith("client_secret"):
            assert "client_secret_expires_at" in registered
        return Client(
            client_id=registered["client_id"],
            secret=registered.get("client_secret"),
            auth=variant.auth,
            key=self.key,
            redirect_uris=tuple(registered["redirect_uris"]),
            registered=registered,
        )

    def create_client(self, *words: str) -> Client:
        """Make a client on the command line, beside the running server."""
        made = json.loads(self.command("createapplication", *words, "--json"))
        return Client(
            made["client_id"], made.get("client_secret"), redirect_uris=tuple(made["redirect_uris"])
        )

    def client(self, variant: Variant, number: int = 0, **metadata: Any) -> Client:
        """Return a client for a variant: a static one, or one registered like this."""
        if not variant.dynamic:
            assert not metadata
            known = self.statics[number]
            return Client(known.client_id, known.secret, variant.auth, self.key, known.redirect_uris)
        name = json.dumps([number, self.registration(variant, **metadata)], sort_keys=True)
        if name not in self._registered:
            self._registered[name] = self.register(variant, **metadata)
        return self._registered[name]

    def flow(
        self,
        variant: Variant,
        client: Client | None = None,
        browser: Browser | None = None,
        **metadata: Any,
    ) -> Flow:
        """Return a flow, in the shared browser unless another is given."""
        client = client or self.client(variant, **metadata)
        return Flow(self.op, client, browser or self.browser, self.person, variant)


@dataclass(frozen=True)
class PortulaCommand:
    """`portula …` with the settings of an example and a data folder of its own."""

    place: Path
    issuer: str
    settings: Mapping[str, Any]
    config: Path = CONFIG
    plan: str = ""
    """CERTIFICATION_PLAN, where the settings differ from plan to plan."""

    @property
    def common(self) -> list[str]:
        """The options that say which provider is meant."""
        return ["--config", str(self.config), "--data-dir", str(self.place / "data"), "--issuer", self.issuer]

    @property
    def environment(self) -> dict[str, str]:
        """Where its files are, and what the test sets besides."""
        given = {"PLUGINS_DIR": str(PLUGINS), **CHEAP, **self.settings}
        return {
            **os.environ,
            "CERTIFICATION_DIR": str(self.place),
            **({"CERTIFICATION_PLAN": self.plan} if self.plan else {}),
            "CONFORMANCE_CLOCK": str(self.place / "clock"),
            **{f"FLASK_OAUTH2_PROVIDER__{name}": json.dumps(value) for name, value in given.items()},
        }

    def __call__(self, *words: str, text: str | None = None) -> str:
        """Run a command and return what it prints."""
        return run_command(*self.common, *words, text=text, env=self.environment)

    def create_user(self, words: Sequence[str]) -> Person:
        """Make the user of the manual."""
        password = secrets.token_urlsafe(12)
        made = json.loads(self(*words, "--password-stdin", "--json", text=password))
        return Person(made["username"], password)

    def populate(self, suite: Suite, *, static: bool) -> tuple[Person, list[Client]]:
        """Make the user and the static clients of the manual."""
        clients = []
        self("init")
        for words in documented(suite):
            if words[0] == "createuser":
                person = self.create_user(words)
            elif static:
                made = json.loads(self(*words, "--json"))
                uris = tuple(made["redirect_uris"])
                clients.append(Client(made["client_id"], made["client_secret"], redirect_uris=uris))
        return person, clients


def free_issuer() -> str:
    """Return the issuer of a server on a port that nobody listens on."""
    return f"https://localhost:{free_port()}/o"


@contextmanager
def serving(command: PortulaCommand, certificate: tuple[Path, Path], op: OP, *options: str) -> Iterator[None]:
    """Start the server of a command as the manual says, and end it afterwards."""
    replace(command, settings={**command.settings, **USUAL})(
        "check"
    )  # fails where cheap hashes are not the only error
    port = str(urlsplit(command.issuer).port)
    tls = ["--tls-cert", str(certificate[0]), "--tls-key", str(certificate[1])]
    words = ["serve", *command.common, "--port", port, "--allow-errors", *tls, *options]
    process = start(words, env=command.environment, cwd=command.place)
    try:
        wait_until_up(process, command.issuer, verify=op.trust)
        yield
    finally:
        op.http.close()
        stop(process)


def documented(suite: Suite) -> list[list[str]]:
    """Return the commands of the manual that make the user and the clients, for this suite's address."""
    text = MANUAL.read_text()
    found = []
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.replace("https://localhost.emobix.co.uk:8443", suite.origin))
            if words[:1] == ["portula"] and {"createuser", "createapplication"} & set(words):
                at = next(n for n, word in enumerate(words) if word.startswith("create"))
                found.append([_here(word) for word in words[at:]])
    return found


def _here(word: str) -> str:
    return str(ROOT / word) if word.startswith("examples/") else word
