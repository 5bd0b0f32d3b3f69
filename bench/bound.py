"""What high security costs: DPoP, signed assertions and pushed requests, beside the plain ones.

Needs `PYTHONPATH=tests`.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from compare import Worker, got
from measure import in_turn, spread
from rich.console import Console
from rich.table import Table
from support.proofs import Prover
from workloads import CALLBACK, POSTGRESQL, Party, database, posted, s256

from portula.plugin import Application
from portula_testing.jws import TokenKey

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

BATCH = 25
ROOT = "https://id.example.com"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Send = Callable[[], object]


class Bound(Worker):
    """A provider with a client that proves a key, and one that signs assertions."""

    def __init__(self, folder: Path, url: str | None) -> None:
        """Start it."""
        super().__init__(folder, url)
        self.prover = Prover(lambda: int(time.time()))
        self.key = TokenKey("ES256")
        self.asserting, _ = self.deployment.provider.clients.create(
            Application(
                client_id="",
                grant_types=("client_credentials",),
                token_endpoint_auth_method="private_key_jwt",
                metadata={"jwks": self.key.jwks},
            )
        )
        self.bearer = self.through()
        self.bound = self.through(proves=True)

    def prepared(self, name: str) -> Send:
        """Make what an operation sends, proofs and assertions too; return a function that sends it."""
        fast = self.deployment.doors["fast"]
        if name in FLOWS:
            return partial(self.through, pushes=name == PUSHED)
        environ = {
            "token": self.plain,
            "token, DPoP": lambda: {**self.plain(), **self.proof("/o/token/")},
            "token, private_key_jwt": self.asserted,
            "userinfo": lambda: got("/o/userinfo/", HTTP_AUTHORIZATION=f"Bearer {self.bearer}"),
            "userinfo, DPoP": lambda: got(
                "/o/userinfo/",
                HTTP_AUTHORIZATION=f"DPoP {self.bound}",
                **self.proof("/o/userinfo/", self.bound, "GET"),
            ),
        }[name]()
        return partial(answered, fast, environ)

    def proof(self, path: str, token: str | None = None, method: str = "POST") -> dict[str, str]:
        """Return the header of a fresh proof, as WSGI has it (RFC 9449 §4.2)."""
        return {"HTTP_DPOP": self.prover.proof(method, path, token, htu=f"{ROOT}{path}")["DPoP"]}

    def plain(self) -> WSGIEnvironment:
        """Return a request for a token of the client's own."""
        return posted("/o/token/", self.deployment.shop, grant_type="client_credentials", scope="read")

    def asserted(self) -> WSGIEnvironment:
        """Return one of a client that signs an assertion (RFC 7523 §2.2)."""
        client_id, now = self.asserting.client_id, int(time.time())
        claims = {"iss": client_id, "sub": client_id, "aud": f"{ROOT}/o", "iat": now, "exp": now + 60}
        assertion = self.key.sign({**claims, "jti": secrets.token_hex(8)})
        form = {"client_assertion_type": ASSERTION, "client_assertion": assertion, "scope": "read"}
        environ = posted("/o/token/", Party(self.asserting, ""), grant_type="client_credentials", **form)
        del environ["HTTP_AUTHORIZATION"]
        return environ

    def through(self, *, pushes: bool = False, proves: bool = False) -> str:
        """Go from the authorization request, pushed or in the address, to the access token."""
        fast, verifier = self.deployment.doors["fast"], secrets.token_urlsafe(48)
        request = {
            "response_type": "code",
            "client_id": self.app.client.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid read",
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
        }
        if pushes:
            body, _ = answered(fast, posted("/o/par/", self.app, **request))
            request = {"client_id": request["client_id"], "request_uri": body["request_uri"]}
        environ = got("/o/authorize/", HTTP_COOKIE=self.browser, QUERY_STRING=urlencode(request))
        _, location = answered(self.deployment.app.wsgi_app, environ)
        (code,) = parse_qs(urlsplit(location).query)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        environ = posted("/o/token/", self.app, **form, code_verifier=verifier)
        body, _ = answered(fast, {**environ, **(self.proof("/o/token/") if proves else {})})
        return str(body["access_token"])

    def measured_ms(self, name: str) -> float:
        """Return the CPU milliseconds of one operation of a batch."""
        sends = [self.prepared(name) for _ in range(BATCH)]
        gc.collect()
        gc.freeze()
        before = time.thread_time()
        for send in sends:
            send()
        return (time.thread_time() - before) * 1000 / BATCH


def answered(application: WSGIApplication, environ: WSGIEnvironment) -> tuple[dict[str, Any], str]:
    """Send a request; return the JSON of the answer and where it leads.

    Raises:
        RuntimeError: it is refused.
    """
    seen: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _info: object = None) -> Any:
        seen.extend((status, dict(headers)))

    body = b"".join(application(environ, start_response))
    status, headers = seen
    if status[0] not in "23":
        raise RuntimeError(f"{environ['PATH_INFO']} answered {status}: {body.decode()}")
    is_json = headers.get("Content-Type", "").startswith("application/json")
    return json.loads(body) if is_json else {}, headers.get("Location", "")


PUSHED = "authorize and code, pushed"
FLOWS = ("authorize and code", PUSHED)
BESIDE = {
    "token": "token",
    "token, DPoP": "token",
    "token, private_key_jwt": "token",
    "userinfo": "userinfo",
    "userinfo, DPoP": "userinfo",
    "authorize and code": "authorize and code",
    PUSHED: "authorize and code",
}
"""Each operation, and the plain one that it is measured beside."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds, address = parser.parse_args().rounds, os.environ.get(POSTGRESQL)
    figures: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as stack:
        workers = {}
        for storage in ("SQLite", *(["PostgreSQL"] if address else [])):
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="portula-bench-"))
            url = stack.enter_context(database(address)) if address and storage == "PostgreSQL" else None
            workers[storage] = Bound(Path(folder), url)

        def case(storage: str, name: str) -> Callable[[], None]:
            taken = figures.setdefault((storage, name), [])
            return lambda: taken.append(workers[storage].measured_ms(name))

        cases = [case(storage, name) for name in BESIDE for storage in workers]
        for one in cases:
            one()
        for taken in figures.values():
            taken.clear()
        for _ in in_turn(rounds, cases):
            pass
    table = Table(title="CPU milliseconds of the provider")
    for heading in ("storage", "operation", "ms", "±", "beside the plain one"):
        table.add_column(heading)
    for (storage, name), taken in figures.items():
        plain = figures[storage, BESIDE[name]]
        ratio = statistics.median(one / other for one, other in zip(taken, plain, strict=True))
        table.add_row(
            storage, name, f"{statistics.median(taken):.2f}", f"{spread(taken):.0%}", f"x {ratio:.2f}"
        )
    Console().print(table)


if __name__ == "__main__":
    main()
