"""CPU time of whole requests beside that of another checkout: `bench/compare.py ../other --rounds 15`.

Each checkout is measured in a process of its own, on SQLite and on PostgreSQL; they take turns, operation by operation.
Both are driven by this file, over WSGI alone.
"""

from __future__ import annotations

import argparse
import base64
import gc
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from measure import in_turn, sent_json
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, text
from workloads import CALLBACK, POSTGRESQL, Deployment, Party, database, posted, s256

from portula.plugin import Application

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BATCH = 25
HERE = Path(__file__).resolve().parent.parent
BACKENDS = text(
    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)

Send = Callable[[], object]


class Worker:
    """A provider, a person who is signed in, and a client that she need not be asked about."""

    def __init__(self, folder: Path, url: str | None) -> None:
        """Start it."""
        settings = {"ACCESS_TOKEN_EXPIRE_SECONDS": 36000, **({"DATABASE_URL": url} if url else {})}
        self.deployment = Deployment("", folder, settings=settings)
        grants = ("authorization_code", "refresh_token")
        client, secret = self.deployment.provider.clients.create(
            Application(
                client_id="",
                grant_types=grants,
                redirect_uris=(CALLBACK,),
                skip_authorization=True,
                algorithm="ES256",
            )
        )
        pair = base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()
        self.app = Party(client, f"Basic {pair}")
        self.browser = self._sign_in()

    def _sign_in(self) -> str:
        """Return the cookies of the person's browser."""
        from support.browser import forms_of

        password = secrets.token_urlsafe(16)
        from portula import Plugin

        login: Any = self.deployment.provider.hooks.ask(Plugin.portula_login)
        login.users.create("ann", password)
        browser = self.deployment.app.test_client()
        page = browser.get("/accounts/login/", base_url="https://id.example.com")
        form = forms_of(page.text)[0]
        typed = {**form.fields, "username": "ann", "password": password}
        browser.post("/accounts/login/", data=typed, base_url="https://id.example.com")
        cookies = browser._cookies or {}  # noqa: SLF001 - what the browser sends, as a header
        return "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies.values())

    def tokens(self) -> dict[str, Any]:
        """Let the person go through the app, which redeems its code."""
        verifier = secrets.token_urlsafe(48)
        asked = {
            "response_type": "code",
            "client_id": self.app.client.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid read",
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
        }
        seen: list[str] = []

        def start_response(_status: str, headers: list[tuple[str, str]], _info: object = None) -> Any:
            seen.append(dict(headers).get("Location", ""))

        answer = self.deployment.app.wsgi_app(
            got("/o/authorize/", HTTP_COOKIE=self.browser, QUERY_STRING=urlencode(asked)), start_response
        )
        b"".join(answer)
        (code,) = parse_qs(urlsplit(seen[0]).query)["code"]
        form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
        return self.post("/o/token/", grant_type="authorization_code", **form)

    def post(self, path: str, **form: str) -> dict[str, Any]:
        """Let the app post."""
        return sent_json(self.deployment.doors["fast"], posted(path, self.app, **form))

    def prepared(self, name: str) -> Send:
        """Make what a request needs; return a function that sends it."""
        if name == "W1 client credentials":
            environ = posted("/o/token/", self.deployment.shop, grant_type="client_credentials", scope="read")
            return lambda: sent_json(self.deployment.doors["fast"], environ)
        if name == "W4 authorize and code":
            return self.tokens
        tokens = self.tokens()
        access = tokens["access_token"]
        if name == "W2 introspection":
            environ = posted("/o/introspect/", self.deployment.api, token=access)
            return lambda: sent_json(self.deployment.doors["fast"], environ)
        if name == "W3 refresh":
            refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
            return lambda: self.post("/o/token/", **refresh)
        environ = got("/o/userinfo/", HTTP_AUTHORIZATION=f"Bearer {access}")
        return lambda: sent_json(self.deployment.doors["fast"], environ)

    def measured(self, name: str, admin: Engine | None) -> tuple[float, float]:
        """Return the CPU milliseconds of one request, of this process and of the database server."""
        sends = [self.prepared(name) for _ in range(BATCH)]
        gc.collect()
        gc.freeze()
        there, here = server_seconds(admin), time.process_time()
        for send in sends:
            send()
        here, there = time.process_time() - here, server_seconds(admin) - there
        return here * 1000 / BATCH, there * 1000 / BATCH


OPERATIONS = (
    "W1 client credentials",
    "W2 introspection",
    "W3 refresh",
    "W4 authorize and code",
    "W6U userinfo",
)


def got(path: str, **more: str) -> WSGIEnvironment:
    """Return the WSGI environment of a GET."""
    environ = posted(path, Party(Application(client_id=""), ""))
    for name in ("HTTP_AUTHORIZATION", "CONTENT_TYPE"):
        del environ[name]
    return {**environ, "REQUEST_METHOD": "GET", **more}


def server_seconds(admin: Engine | None) -> float:
    """Return the CPU seconds of those processes of a server on this machine that serve the database."""
    if admin is None:
        return 0.0
    with admin.connect() as connection:
        backends = connection.execute(BACKENDS).scalars().all()
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in backends) / 1e9


def work(folder: str, url: str | None) -> None:
    """Measure what is asked for by lines, one answer a line."""
    from portula_storage_sql.engine import make_engine

    worker = Worker(Path(folder), url)
    admin = make_engine(url) if url else None
    for line in sys.stdin:
        print(json.dumps(worker.measured(line.strip(), admin)), flush=True)


def started(checkout: Path, folder: str, url: str | None) -> subprocess.Popen[str]:
    """Start a process that imports portula from a checkout."""
    sources = [
        str(path) for path in (*checkout.glob("*/src"), *checkout.glob("plugins/*/src"), HERE / "tests")
    ]
    return subprocess.Popen(
        [sys.executable, __file__, "--work", folder, *([url] if url else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sources)},
    )


def asked(process: subprocess.Popen[str], name: str) -> tuple[float, float]:
    """Let a process measure one batch."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process has no pipes")
    process.stdin.write(f"{name}\n")
    process.stdin.flush()
    client, server = json.loads(process.stdout.readline())
    return client, server


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="the checkout to compare with")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    address = os.environ.get(POSTGRESQL)
    figures: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    with ExitStack() as stack:
        processes = {}
        for storage in ("SQLite", *(["PostgreSQL"] if address else [])):
            for side, checkout in (("before", options.other.resolve()), ("after", HERE)):
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="portula-bench-"))
                url = stack.enter_context(database(address)) if address and storage == "PostgreSQL" else None
                processes[storage, side] = stack.enter_context(started(checkout, folder, url))

        def case(storage: str, side: str, name: str) -> Callable[[], None]:
            taken = figures.setdefault((name, storage, side), [])
            return lambda: taken.append(asked(processes[storage, side], name))

        cases = [case(*place, name) for name in OPERATIONS for place in processes]
        for one in cases:
            one()
        for taken in figures.values():
            taken.clear()
        for _ in in_turn(options.rounds, cases):
            pass
        for process in processes.values():
            process.communicate()
    Console().print(shown(figures))


def shown(figures: dict[tuple[str, str, str], list[tuple[float, float]]]) -> Table:
    """Return the table: medians, and the median of the rounds' ratios."""
    table = Table(title="CPU milliseconds a request")
    for heading in ("operation", "storage", "process", "before", "after", "before / after"):
        table.add_column(heading)
    for name, storage, side in figures:
        if side == "after":
            continue
        before, after = figures[name, storage, "before"], figures[name, storage, "after"]
        for place, process in enumerate(("provider", "server")[: 2 if storage == "PostgreSQL" else 1]):
            left, right = ([figure[place] for figure in taken] for taken in (before, after))
            ratio = statistics.median(one / other for one, other in zip(left, right, strict=True))
            shown = [f"{statistics.median(taken):.3f}" for taken in (left, right)]
            table.add_row(name, storage, process, *shown, f"{ratio:.2f}")
    return table


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
    else:
        main()
