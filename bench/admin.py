"""CPU time of the admin's pages at a million access tokens: `.venv/bin/python bench/admin.py --plans`.

It needs PORTULA_TEST_POSTGRESQL_URL (`make services` leaves it in `.services/env`).
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, event
from workloads import POSTGRESQL, database

from portula import Plugin, Provider
from portula.host.modes import storage_check_deferred
from portula.plugin import Application, plan_to_add
from portula_storage_sql import migrate

if TYPE_CHECKING:
    from flask.testing import FlaskClient

ROUNDS = 21
CLIENTS, PEOPLE = 200, 5000
PASSWORD = "correct horse battery staple"
DIGEST = "translate(encode(sha256(({seed})::text::bytea), 'base64'), '+/=', '-_')"
TOKENS = """
INSERT INTO portula_access_token
    (digest, realm, client_id, scope, issued_at, expires_at, audience, confirmation, subject, revoked_at, payload)
SELECT {digest}, '', 'client-' || (i %% {clients}), 'read write', {now} - i / 4, {now} - i / 4 + 36000, '[]', '{{}}',
    CASE WHEN i %% 10 = 0 THEN NULL ELSE 'person-' || (i %% {people}) END,
    CASE WHEN i %% 50 = 0 THEN {now} - i / 4 + 60 END, '{{}}'
FROM generate_series(1, {count}) AS i
"""
"""Four tokens a second for three days: a seventh live, two in a hundred revoked, a tenth of clients themselves."""

PAGES = {
    "first page": "access-token/",
    "live": "access-token/?status=live",
    "expired": "access-token/?status=expired",
    "revoked": "access-token/?status=revoked",
    "of a client": "access-token/?client_id=client-7",
    "of a client, revoked (looks at 1000)": "access-token/?client_id=client-7&status=revoked",
    "of a person": "access-token/?subject=person-8",
    "of a person and a client": "access-token/?subject=person-8&client_id=client-8",
    "search: a client": "access-token/?q=client-7",
    "search: nothing": "access-token/?q=nobody",
    "refresh tokens": "refresh-token/",
    "applications": "application/",
    "applications, search": "application/?q=client-1",
    "first page of the admin": "",
    "system": "system/",
}


def provider_at(url: str, folder: Path) -> Provider:
    """Start a provider with every room on a database."""
    app = Flask("bench", instance_path=str(folder), static_folder=None)
    settings = {
        "OIDC_ISS_ENDPOINT": "http://localhost/o",
        "PASSWORD_HASH_PROFILE": "testing",
        "DATABASE_URL": url,
    }
    app.config.update(SECRET_KEY="a key for measuring only", OAUTH2_PROVIDER=settings)
    with storage_check_deferred():
        provider = Provider(app)
    store = provider.stores["storage_sql"]
    migrate.upgrade(store.engine, store.records)  # type: ignore[attr-defined]
    return provider


def fill(provider: Provider, engine: Engine, count: int) -> float:
    """Make clients, people and tokens; return the seconds that the tokens took."""
    clients = [
        Application(client_id=f"client-{number}", name=f"Client {number}", created_at=number)
        for number in range(CLIENTS)
    ]
    provider.storage.apply(plan_to_add(*clients))
    begun = time.perf_counter()
    with engine.connect() as connection:
        columns = "sub, realm, username, display_username, password_hash, is_admin, disabled, created_at, updated_at"
        connection.exec_driver_sql(
            f"INSERT INTO portula_user ({columns}, claims) SELECT 'person-' || i, '', 'person ' || i, 'Person ' || i, "  # noqa: S608 - numbers of ours
            f"'', false, false, 0, 0, '{{}}' FROM generate_series(0, {PEOPLE - 1}) AS i"
        )
        sql = TOKENS.format(
            digest=DIGEST.format(seed="i"), clients=CLIENTS, people=PEOPLE, now=provider.now(), count=count
        )
        connection.exec_driver_sql(sql)
        took = time.perf_counter() - begun
        connection.exec_driver_sql("VACUUM ANALYZE portula_access_token")
        connection.exec_driver_sql("VACUUM ANALYZE portula_user")
    return took


def signed_in(provider: Provider) -> FlaskClient:
    """Return the browser of an administrator."""
    users = provider.hooks.ask(Plugin.portula_login).users  # type: ignore[attr-defined]
    users.create("root", PASSWORD, is_admin=True)
    browser = provider.app.test_client()
    page = browser.get("/accounts/login/").text
    token = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', page)
    fields = {
        "csrf_token": token[1] if token else "",
        "username": "root",
        "password": PASSWORD,
        "next": "/o/admin/",
    }
    browser.post("/accounts/login/", data=fields)
    return browser


def cpu_of(browser: FlaskClient, path: str, rounds: int) -> tuple[float, float, str]:
    """Return median and largest CPU milliseconds of a page, and the page."""
    times = []
    for _ in range(rounds):
        before = time.process_time()
        page = browser.get(f"/o/admin/{path}")
        times.append((time.process_time() - before) * 1000)
        if page.status_code != 200:
            raise RuntimeError(f"{path} answered {page.status_code}")
    return statistics.median(times), max(times), page.text


def deep(browser: FlaskClient, path: str, pages: int) -> str:
    """Return the address of a page so many further on."""
    for _ in range(pages):
        found = re.search(r'href="/o/admin/([^"]+)" rel="next"', browser.get(f"/o/admin/{path}").text)
        if found is None:
            break
        path = found[1].replace("&amp;", "&")
    return path


def plans(engine: Engine, browser: FlaskClient, path: str) -> Iterator[str]:
    """Yield how the server reads the tokens of a page: the plan of each statement, with what it really took."""
    seen: list[tuple[str, dict[str, object]]] = []

    def note(
        _connection: object, _cursor: object, statement: str, parameters: dict[str, object], *_: object
    ) -> None:
        if "portula_access_token" in statement:
            seen.append((statement, dict(parameters)))

    event.listen(engine, "before_cursor_execute", note)
    browser.get(f"/o/admin/{path}")
    event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        for statement, parameters in seen:
            rows = connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, COSTS OFF, BUFFERS) {statement}", parameters
            )
            yield from (f"  {row[0]}" for row in rows)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tokens", type=int, default=1_000_000)
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    arguments.add_argument("--plans", action="store_true", help="also print the plans of the server")
    given = arguments.parse_args()
    console = Console(width=120, highlight=False)
    address = os.environ.get(POSTGRESQL)
    if address is None:
        raise SystemExit(f"{POSTGRESQL} is not set; see `make services`")
    with tempfile.TemporaryDirectory() as folder, database(address) as url:
        provider = provider_at(url, Path(folder))
        engine: Engine = provider.stores["storage_sql"].engine  # type: ignore[attr-defined]
        took = fill(provider, engine, given.tokens)
        console.print(f"{given.tokens} access tokens in {took:.0f} s")
        browser = signed_in(provider)
        pages = {**PAGES, "two hundred pages on": deep(browser, PAGES["first page"], 200)}
        table = Table("Page", "ms CPU", "at most", "rows", box=None)
        for name, path in pages.items():
            cpu_of(browser, path, 3)
            middle, most, page = cpu_of(browser, path, given.rounds)
            table.add_row(name, f"{middle:.1f}", f"{most:.1f}", str(page.count('class="row-link"')))
        console.print(table)
        for name, path in pages.items() if given.plans else ():
            console.print(f"\n{name}", style="bold")
            for line in plans(engine, browser, path):
                console.print(line, markup=False)
        provider.stores["storage_sql"].close()  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
