"""Several processes on one database: single use, forks, and connections that break."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from support.processes import released_together

from portula.errors import StorageDown
from portula.plugin import CORE_RECORDS, AccessToken, Grant, Plan
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_storage_sql.steps import MOST
from portula_storage_sql.store import SqlStore
from portula_testing.storage_samples import access_token, grant
from portula_testing.writing import add_to

pytestmark = pytest.mark.thorough

PROCESSES = 4
CODES = 100

OTHERS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
}
END = {"postgresql": "SELECT pg_terminate_backend({})", "mariadb": "KILL {}"}

REDEEM = """
import json, sys
from portula.errors import RecordReplayed
from portula.plugin import CORE_RECORDS, Grant, Plan
from portula_testing.storage_samples import access_token
from portula_storage_sql.engine import make_engine
from portula_storage_sql.store import SqlStore
url, runner, codes = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = SqlStore(make_engine(url), CORE_RECORDS)
print("ready", flush=True)
sys.stdin.readline()
won = []
for number in range(codes):
    try:
        plan = Plan()
        plan.take(store.find(Grant, digest=f"code-{number}"), at=100)
        plan.add(access_token(f"token-{number}-{runner}"))
        store.apply(plan)
    except RecordReplayed:
        won.append(0)
    else:
        won.append(1)
print(json.dumps(won))
"""

FORK = """
import os, sys, threading
from portula.plugin import CORE_RECORDS, Grant
from portula_testing.storage_samples import grant
from portula_testing.writing import add_to
from portula_storage_sql.engine import make_engine
from portula_storage_sql.store import SqlStore
store = SqlStore(make_engine(sys.argv[1]), CORE_RECORDS)
add_to(store, grant("parent"))
used, done = threading.Event(), threading.Event()
def hold():
    store.find(Grant, digest="parent")
    used.set()
    done.wait(60)
    add_to(store, grant("thread"))
thread = threading.Thread(target=hold)
thread.start()
used.wait(60)
children = []
for number in range(3):
    child = os.fork()
    if not child:
        for turn in range(20):
            assert store.find(Grant, digest="parent") is not None
            add_to(store, grant(f"child-{number}-{turn}"))
        os._exit(0)
    children.append(child)
for turn in range(20):
    add_to(store, grant(f"parent-{turn}"))
assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]
done.set()
thread.join()
print(len(store.select(Grant, authorization="authorization")))
store.close()
"""


@pytest.fixture
def store(empty_engine: Engine) -> Iterator[SqlStore]:
    migrate.upgrade(empty_engine, CORE_RECORDS)
    made = SqlStore(empty_engine, CORE_RECORDS)
    yield made
    made.close()


def test_of_processes_that_redeem_a_code_exactly_one_succeeds(store: SqlStore, empty_url: URL) -> None:
    for number in range(CODES):
        add_to(store, grant(f"code-{number}"))
    url = empty_url.render_as_string(hide_password=False)
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", REDEEM, url, str(runner), str(CODES)],
            stdin=-1,
            stdout=-1,
            stderr=-1,
            text=True,
        )
        for runner in range(PROCESSES)
    ]
    outputs = released_together(runs, timeout=120)
    assert [errors for _, errors in outputs] == [""] * PROCESSES
    wins = zip(*(json.loads(output) for output, _ in outputs), strict=True)
    assert [sum(column) for column in wins] == [1] * CODES
    assert len(store.select(AccessToken, limit=1000)) == CODES


def test_a_store_used_before_a_fork_works_on_both_sides(store: SqlStore, empty_url: URL) -> None:
    command = [
        sys.executable,
        "-W",
        "ignore::DeprecationWarning",
        "-c",
        FORK,
        empty_url.render_as_string(hide_password=False),
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert len(store.select(Grant, limit=1000)) == 1 + 20 + 3 * 20 + 1


@pytest.fixture
def cut(backend: str, empty_url: URL) -> Iterator[Callable[[], None]]:
    """Return a function that ends every connection to the database, as a restart does."""
    admin = make_engine(empty_url)

    def end() -> None:
        deadline = time.monotonic() + 30
        with admin.connect() as connection:
            while others := connection.execute(text(OTHERS[backend])).all():
                assert time.monotonic() < deadline, "the connections do not end"
                for (number,) in others:
                    with suppress(DBAPIError):  # it has just ended by itself
                        connection.execute(text(END[backend].format(number)))
                time.sleep(0.02)

    yield end
    admin.dispose()


def redemption(tokens: int = 1) -> Plan:
    """Use a code for tokens."""
    plan = Plan()
    plan.take(grant("code"), at=1)
    for number in range(tokens):
        plan.add(access_token(f"token-{number}"))
    return plan


@pytest.mark.service
def test_a_find_and_a_plan_survive_a_broken_connection(store: SqlStore, cut: Callable[[], None]) -> None:
    add_to(store, grant("code"))
    cut()
    assert store.find(Grant, digest="code") is not None
    cut()
    store.apply(redemption())
    cut()
    assert len(store.select(AccessToken)) == 1


@pytest.mark.service
@pytest.mark.parametrize(
    ("tokens", "word"),
    [(1, "INSERT"), *((MOST, word) for word in ("UPDATE", "INSERT", "COMMIT"))],
    ids=["one statement", "transaction, UPDATE", "transaction, INSERT", "transaction, COMMIT"],
)
def test_a_connection_that_breaks_within_a_plan_loses_all_of_it(
    store: SqlStore, cut: Callable[[], None], tokens: int, word: str
) -> None:
    add_to(store, grant("code"))
    seen: list[str] = []

    def break_once(connection: object, cursor: object, statement: str, *_: object) -> None:
        found = word in statement if tokens == 1 else statement.startswith(word)
        if found and not seen:
            seen.append(statement)
            cut()

    event.listen(store.engine, "before_cursor_execute", break_once)
    with pytest.raises(StorageDown):
        store.apply(redemption(tokens))
    assert len(seen) == 1
    assert store.select(AccessToken) == []
    assert store.find(Grant, digest="code") == grant("code")
    store.apply(redemption(tokens))
    assert len(store.select(AccessToken)) == tokens
