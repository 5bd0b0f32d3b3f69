"""A client that explains itself: sends what a grant needs, and shows each message with what is behind it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import click
import httpx

from portula_playground.display import Display
from portula_playground.errors import MEANINGS

PATIENCE_SECONDS = 300
"""How long a person may take."""
SHOWN_CHARACTERS = 12
"""Of what is secret."""
SECRET = frozenset(
    {
        *("access_token", "refresh_token", "id_token", "code", "code_verifier", "client_secret"),
        *("authorization", "password"),
    }
)
"""Members whose values are shortened, besides those that a grant names."""


class ProviderRefusal(click.ClickException):
    """The provider refuses; what it says is shown already."""


@dataclass(kw_only=True)
class Player:
    """A client of a provider, for one run of one grant."""

    display: Display
    issuer: str
    client_id: str
    secret: str | None = None
    scope: str = ""
    resource: str = ""
    given_values: Mapping[str, str] = field(default_factory=dict)
    """What `--set` gives."""
    secret_members: frozenset[str] = SECRET
    show_secrets: bool = False
    steps_of: Callable[[str, str], str] = lambda _endpoint, _grant_type: ""
    """Returns the steps that answer a request to an endpoint, as text; empty where they are not known."""
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))
    metadata: dict[str, Any] = field(default_factory=dict)

    # --- What a grant calls ---

    def discover(self) -> None:
        """Read the metadata of the provider (RFC 8414 §3); its name in them has to be the one that was asked for."""
        parts = urlsplit(self.issuer)
        place = (
            f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{parts.path.rstrip('/')}"
        )
        answer = self._send("RFC 8414 §3: the client reads where everything is", "GET", place, shown=())
        self.metadata = _json(answer)
        if self.metadata.get("issuer") != self.issuer:
            named = self.metadata.get("issuer")
            raise click.ClickException(f"{place} is about {named!r}, not {self.issuer!r} (RFC 8414 §3.3)")

    def require(self, name: str) -> str:
        """Return a value that the person has to give.

        Raises:
            ClickException: it is not given.
        """
        if name not in self.given_values:
            raise click.ClickException(f"this grant needs a value: --set {name}=…")
        return self.given_values[name]

    def post(
        self, section: str, endpoint: str, *, until: Mapping[str, float] | None = None, **form: str
    ) -> dict[str, Any]:
        """Send a form to an endpoint of the metadata, with what authenticates the client, and return the JSON answer.

        Args:
            section: what explains it, e.g. `RFC 8628 §3.1: the device asks for a code`.
            endpoint: name in the metadata, e.g. `token_endpoint`.
            until: errors after which it is sent again, each with the seconds to wait longer, e.g.
                `{"authorization_pending": 0, "slow_down": 5}`.
            form: its parameters; empty ones are left out.

        Raises:
            Refused: the answer is an error.
        """
        url = self.metadata.get(endpoint)
        if not isinstance(url, str):
            raise click.ClickException(f"the provider has no {endpoint}")
        auth = (self.client_id, self.secret) if self.secret is not None else None
        own = {} if auth else {"client_id": self.client_id}
        sent = {name: value for name, value in {**own, **form}.items() if value}
        pause, ends_at = float(sent.pop("interval", 0) or 0), time.monotonic() + PATIENCE_SECONDS
        steps = self.steps_of(endpoint, sent.get("grant_type", ""))
        while True:
            answer = self._send(section, "POST", url, sent, auth=auth, steps=steps)
            document = _json(answer)
            error = str(document.get("error") or "")
            if until is None or error not in until or time.monotonic() > ends_at:
                break
            pause += until[error]
            time.sleep(pause)
            section = f"{section.partition(':')[0]}: again after {pause:g} s"
        if error or answer.is_error:
            raise self._refusal(error or str(answer.status_code), document.get("error_description"))
        return document

    def get(self, section: str, url: str, token: str) -> dict[str, Any]:
        """Ask an API with an access token (RFC 6750 §2.1) and return its JSON."""
        endpoint = next((name for name, value in self.metadata.items() if value == url), "")
        steps = self.steps_of(endpoint, "")
        answer = self._send(section, "GET", url, headers={"Authorization": f"Bearer {token}"}, steps=steps)
        if answer.is_error:
            raise self._refusal(_json(answer).get("error", str(answer.status_code)), None)
        return _json(answer)

    def browse(self, section: str, **parameters: str) -> dict[str, str]:
        """Send the person to the authorization endpoint; return the response, `code_verifier` and `redirect_uri`.

        PKCE and `state` are added, and the answer is held to `state` and the issuer (RFC 9700 §4.7, RFC 9207 §2.4).
        """
        verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        with self.display.answers() as answers:
            request = {
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": answers.url,
                "scope": self.scope,
                "resource": self.resource,
                "state": state,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
                **parameters,
            }
            query = urlencode({name: value for name, value in request.items() if value})
            self.display.title(section, self.steps_of("authorization_endpoint", ""))
            self.visit(f"{self.metadata['authorization_endpoint']}?{query}")
            answer = answers.wait(PATIENCE_SECONDS)
            self._show(f"← GET {answers.url}", answer)
        if answer.get("state") != state or answer.get("iss", self.issuer) != self.issuer:
            raise click.ClickException("the answer is not to this request: state or iss differ")
        if "error" in answer:
            raise self._refusal(answer["error"], answer.get("error_description"))
        return {**answer, "code_verifier": verifier, "redirect_uri": answers.url}

    def visit(self, url: str, *, qr: bool = False) -> None:
        """Send the person to a page: show its address, in a terminal with `qr` as a code to scan too."""
        self.display.visit(url, qr=qr)

    def shorten(self, *names: str) -> None:
        """Let the values of these members be shortened too, wherever they are sent or answered."""
        self.secret_members |= set(names)

    def say(self, text: str) -> None:
        """Show what the person has to know."""
        self.display.say(text)

    # --- How it is shown ---

    def _send(
        self,
        section: str,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        *,
        auth: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        steps: str = "",
        shown: tuple[str, ...] | None = None,
    ) -> httpx.Response:
        self.display.title(section, steps)
        said = {**(headers or {}), **(form or {})}
        self._show(f"→ {method} {url}", {"client": f"{auth[0]} by HTTP Basic"} | said if auth else said)
        try:
            answer = self.http.request(method, url, data=form, auth=auth, headers=headers)
        except httpx.HTTPError as error:
            raise click.ClickException(f"{url} does not answer: {error}; is the provider running?") from error
        members = _json(answer) if shown is None else {}
        challenge = answer.headers.get("WWW-Authenticate")
        told = {**members, **({"WWW-Authenticate": challenge} if challenge else {})}
        self._show(f"← {answer.status_code}", told)
        return answer

    def _show(self, line: str, members: Mapping[str, Any]) -> None:
        texts = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in members.items()
        }
        self.display.message(line, {name: self._abbreviate(name, text) for name, text in texts.items()})

    def _abbreviate(self, name: str, text: str) -> str:
        if self.show_secrets or name.lower() not in self.secret_members or len(text) <= SHOWN_CHARACTERS:
            return text
        return f"{text[:SHOWN_CHARACTERS]}… ({len(text)} characters)"

    def _refusal(self, error: str, description: object) -> ProviderRefusal:
        meaning = MEANINGS.get(error, "the provider's own; its log says why")
        return ProviderRefusal(f"{error}: {meaning}" + (f"; it says: {description}" if description else ""))


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
