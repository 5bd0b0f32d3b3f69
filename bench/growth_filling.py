"""Tables that are full, for `bench/growth.py`: filled by the engine itself, indexes made afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula.plugin import (
    AccessToken,
    Application,
    Authorization,
    Plan,
    Plugin,
    RefreshToken,
    plan_to_add,
)
from portula_storage_sql.engine import make_engine

if TYPE_CHECKING:
    from rich.progress import Progress
    from sqlalchemy import Connection
    from workloads import Deployment

CHUNK = 50_000
PLAN = 100
NUMBERS = {
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i < {last})"
    " SELECT i FROM n)",
    "postgresql": "(SELECT generate_series({first}::bigint, {last}) AS i)",
}
ALPHABET = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""That of base64url, in the order of its bytes."""
KEY = (
    f"substr('{ALPHABET}', cast(1 + i * 64 / {{count}} AS integer), 1)"
    f" || substr('{ALPHABET}', cast(1 + i * 4096 / {{count}} % 64 AS integer), 1)"
    f" || (1000000000 + i) || '{'x' * 31}'"
)
"""A key that grows with i, so that a table is filled fast, and lies evenly among those that are random."""
AUTHORIZATIONS = """
INSERT INTO portula_authorization
    (id, realm, client_id, subject, scope, issued_at, amr, resources, confirmation, facts, expires_at)
SELECT {key}, '', 'client-' || (i % 1000), 'person-' || (i * 7919 % {people}), 'read write', {now} - i % 36000, '[]',
    '[]', '{{}}', '{{}}', {now} + 36000 + i % 36000
FROM {numbers} AS numbers
"""
TOKENS = """
INSERT INTO portula_access_token
    (digest, realm, "authorization", client_id, subject, scope, issued_at, expires_at, audience, confirmation, payload)
SELECT {key}, '', {key}, 'client-' || (i % 1000), 'person-' || (i * 7919 % {people}), 'read write',
    {now} - i % 36000, {now} + 36000 + i % 36000, '[]', '{{}}', '{{}}'
FROM {numbers} AS numbers
"""


def fill_tokens(made: Deployment, count: int, progress: Progress) -> None:
    """Keep so many authorizations of people, each with a live access token."""
    _fill(made, {"authorization": AUTHORIZATIONS, "access_token": TOKENS}, count, progress)


def fill_clients(made: Deployment, count: int, progress: Progress) -> None:
    """Keep so many clients."""
    store: Any = made.provider.stores["storage_sql"]
    rows = store.statements(Application)
    task = progress.add_task(f"clients ({made.storage})", total=count)
    for first in range(0, count, 1000):
        with store.engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            some = [
                Application(
                    client_id=f"client-{number * 7919 % count}", name=f"Client {number}", created_at=number
                )
                for number in range(first, min(first + 1000, count))
            ]
            connection.execute(rows.add, [rows.row(record) for record in some])
            connection.exec_driver_sql("COMMIT")
        progress.advance(task, len(some))
    with store.engine.connect() as connection:
        _analyze(connection, rows.table.name)


def load_person(made: Deployment, subject: str, tokens: int, consents: int, progress: Progress) -> None:
    """Keep authorizations of a person with live tokens, and consents to as many clients."""
    provider, now = made.provider, made.provider.now()
    ask = provider.hooks.ask(Plugin.portula_consent)
    common: dict[str, Any] = {"subject": subject, "scope": "read write", "issued_at": now}
    task = progress.add_task(f"a person ({made.storage})", total=tokens + consents)
    for first in range(0, tokens, PLAN):
        records: list[object] = []
        for number in range(first, min(first + PLAN, tokens)):
            name, client_id = f"{subject}{number}", f"app-{number % max(consents, 1)}"
            common["client_id"] = client_id
            records += [
                Authorization(id=name, **common),
                AccessToken(digest=name, authorization=name, expires_at=now + 36_000, **common),
                RefreshToken(digest=name, authorization=name, **common),
            ]
        provider.storage.apply(plan_to_add(*records))
        progress.advance(task, PLAN)
    for number in range(consents):
        client = Application(
            client_id=f"app-{number}", name=f"App {number}", redirect_uris=("https://a.example/",)
        )
        plan = Plan()
        plan.add(client)
        ask.remember(client, subject, ["read", "write"], plan)
        provider.storage.apply(plan)
        progress.advance(task)


def _fill(made: Deployment, statements: dict[str, str], count: int, progress: Progress) -> None:
    store: Any = made.provider.stores["storage_sql"]
    kinds = {record.name: store.statements(record.cls).table for record in store.records}
    engine = make_engine(store.engine.url, statement_timeout=3600)
    with engine.connect() as connection:
        dialect = connection.dialect.name
        for name, statement in statements.items():
            table = kinds[name]
            task = progress.add_task(f"{name} ({made.storage})", total=count + len(table.indexes))
            for index in table.indexes:
                index.drop(connection)
            for first in range(0, count, CHUNK):
                last = min(first + CHUNK, count)
                numbers = NUMBERS[dialect].format(first=first, last=last - 1)
                people = max(count // 10, 1)
                key = KEY.format(count=count)
                sql = statement.format(key=key, numbers=numbers, now=made.provider.now(), people=people)
                connection.exec_driver_sql("BEGIN")
                connection.exec_driver_sql(sql.replace("%", "%%") if dialect == "postgresql" else sql)
                connection.exec_driver_sql("COMMIT")
                progress.advance(task, last - first)
            for index in table.indexes:
                index.create(connection)
                progress.advance(task)
            _analyze(connection, table.name)
    engine.dispose()


def _analyze(connection: Connection, table: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"VACUUM ANALYZE {table}")
