"""A plan is one statement where the database has a way to say it so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import URL

from portula.errors import Conflict, DuplicateRecord, RecordReplayed
from portula.plugin import AccessToken, Authorization, Grant, Plan, RefreshToken
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_storage_sql.store import SqlStore
from portula_testing.storage_samples import RECORDS, Sample, access_token, grant
from portula_testing.writing import add_to, change_in

pytestmark = pytest.mark.service

Planning = Callable[[Plan], object]

OTHERS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()",
}
END = {"postgresql": "SELECT pg_terminate_backend({})", "mariadb": "KILL {}"}
"""How connections are found and ended, as by a restart of the server."""


def redeem(plan: Plan) -> None:
    plan.take(grant("code"), at=1)
    plan.change(Authorization, "authorization", given={"revoked_at": None}, expires_at=9)
    plan.add(access_token("token"))
    plan.add(refresh_token())


def refresh(plan: Plan) -> None:
    plan.change(Authorization, "authorization", given={"revoked_at": None}, expires_at=9)
    plan.change_all(AccessToken, {"digest": "old", "revoked_at": None}, revoked_at=1)
    plan.add(access_token("token"))


def authorize(plan: Plan) -> None:
    plan.add(Authorization(id="new", client_id="client", subject="user", scope="read", issued_at=1))
    plan.add(grant("new"))
    plan.add(Sample(digest="known"), unless_known=True)


def revoke(plan: Plan) -> None:
    plan.change_all(Authorization, {"id": "authorization", "revoked_at": None}, revoked_at=1)
    plan.change_all(RefreshToken, {"authorization": "authorization"}, expires_at=1)


def one_part(plan: Plan) -> None:
    plan.change_all(Sample, {"family": "f"}, number=2)


def refresh_token() -> RefreshToken:
    return RefreshToken(
        authorization="authorization",
        digest="r",
        client_id="client",
        subject="user",
        scope="read",
        issued_at=1,
    )


AT_ONCE: dict[str, Planning] = {
    "redeem": redeem,
    "refresh": refresh,
    "authorize": authorize,
    "revoke": revoke,
    "one part": one_part,
}


def meet_what_is_left(plan: Plan) -> None:
    plan.change(Sample, "known", family="g")
    plan.change_all(Sample, {"family": "g"}, number=2)


def take_a_key_that_is_given_up(plan: Plan) -> None:
    plan.remove(Sample, digest="known")
    plan.add(Sample(digest="known"))


def search_behind_a_condition(plan: Plan) -> None:
    plan.take(grant("code"), at=1)
    plan.change_all(AccessToken, {"authorization": "authorization"}, revoked_at=1)


def be_long(plan: Plan) -> None:
    plan.extend(Sample(digest=f"{number}") for number in range(20))


IN_A_TRANSACTION: dict[str, Planning] = {
    function.__name__: function
    for function in (
        meet_what_is_left,
        take_a_key_that_is_given_up,
        search_behind_a_condition,
        be_long,
    )
}


@pytest.fixture
def store(empty_engine: Engine) -> Iterator[SqlStore]:
    migrate.upgrade(empty_engine, RECORDS)
    made = SqlStore(empty_engine, RECORDS)
    add_to(
        made, Authorization(id="authorization", client_id="client", subject="user", scope="read", issued_at=1)
    )
    add_to(made, grant("code"))
    add_to(made, access_token("old"))
    add_to(made, Sample(digest="known", family="f"))
    yield made
    made.close()


def plan_of(planning: Planning) -> Plan:
    plan = Plan()
    planning(plan)
    return plan


@contextmanager
def sent(store: SqlStore) -> Iterator[list[str]]:
    """Note what is sent to the database."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(store.engine, "before_cursor_execute", note)


@pytest.mark.parametrize("plan", AT_ONCE.values(), ids=AT_ONCE)
def test_a_plan_is_one_round_trip(store: SqlStore, plan: Planning) -> None:
    with sent(store) as seen:
        store.apply(plan_of(plan))
    assert len(seen) == 1


@pytest.mark.parametrize("plan", IN_A_TRANSACTION.values(), ids=IN_A_TRANSACTION)
def test_what_one_statement_cannot_do_is_done_in_a_transaction(store: SqlStore, plan: Planning) -> None:
    with sent(store) as seen:
        store.apply(plan_of(plan))
    assert seen[0].startswith(("BEGIN", "START"))
    assert seen[-1] == "COMMIT"


def test_who_comes_too_late_reads_the_record_after_the_failure(store: SqlStore) -> None:
    store.apply(plan_of(redeem))
    with sent(store) as seen, pytest.raises(RecordReplayed) as replayed:
        store.apply(plan_of(redeem))
    assert replayed.value.record == grant("code", taken_at=1)
    assert [statement.split()[0] for statement in seen[1:]] == ["SELECT", "SELECT"]


def test_a_key_that_is_taken_ends_the_plan_by_the_names_of_its_records(store: SqlStore) -> None:
    add_to(store, access_token("token"))
    with pytest.raises(DuplicateRecord, match="Authorization, Grant, AccessToken, RefreshToken"):
        store.apply(plan_of(redeem))
    assert store.find(Grant, digest="code") == grant("code")


def test_a_plan_survives_a_connection_that_was_closed_before_it(
    backend: str, store: SqlStore, empty_url: URL
) -> None:
    admin = make_engine(empty_url)
    with admin.connect() as connection:
        for (number,) in connection.execute(text(OTHERS[backend])).all():
            connection.execute(text(END[backend].format(number)))
        deadline = time.monotonic() + 30
        while connection.execute(text(OTHERS[backend])).all():
            assert time.monotonic() < deadline
            time.sleep(0.01)
    admin.dispose()
    store.apply(plan_of(redeem))
    assert store.find(RefreshToken, authorization="authorization") == refresh_token()


def test_of_two_conditions_both_hold_or_nothing_is_written(store: SqlStore) -> None:
    change_in(store, Authorization, {"id": "authorization"}, revoked_at=1)
    before: list[Any] = [store.select(cls) for cls in (Authorization, Grant, AccessToken, RefreshToken)]
    with pytest.raises(Conflict):
        store.apply(plan_of(redeem))
    assert [store.select(cls) for cls in (Authorization, Grant, AccessToken, RefreshToken)] == before


@pytest.mark.parametrize(("fact", "value"), [("is_mariadb", False), ("server_version_info", (10, 0, 38))])
def test_a_server_without_blocks_is_sent_a_transaction(
    create_database: Callable[[str], URL], monkeypatch: pytest.MonkeyPatch, fact: str, value: object
) -> None:
    store = SqlStore(make_engine(create_database("mariadb")), RECORDS)
    migrate.upgrade(store.engine, RECORDS)
    monkeypatch.setattr(store.engine.dialect, fact, value)
    with sent(store) as seen:
        store.apply(plan_of(authorize))
    assert [seen[0], seen[-1]] == ["START TRANSACTION", "COMMIT"]
    assert store.find(Grant, digest="new") == grant("new")
    store.close()
