"""Nodes of a cluster: what is written so that it is compared, and what a node waits for before it reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from security.house import House
from sqlalchemy import text
from sqlalchemy.engine import URL
from support.checks import findings_of
from support.databases import galera_nodes

from portula.plugin import CORE_RECORDS, Grant, Plan, Writes, shape_of
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine
from portula_storage_sql.galera import force_write, is_certified
from portula_storage_sql.store import SqlStore
from portula_testing.storage_samples import SAMPLE, Sample, grant
from portula_testing.writing import add_to

READS = 100


def changes(plan: Plan) -> list[tuple[dict[str, object], dict[str, object]]]:
    """Return condition and values of each change that a cluster is sent for a plan."""
    shape = shape_of(SAMPLE)
    return [
        (dict(change.given), dict(change.values))
        for written in Writes.of(plan, {Sample: SAMPLE}).changes
        for change in force_write(written, shape)
    ]


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ({"taken_at": None}, {"taken_at": 5}),  # the condition lets nothing through that has this value
        ({"number": 1}, {"number": 2, "label": "x"}),
        ({"label": None}, {"label": "x", "rank": 4}),
        ({}, {"label": "x"}),  # no number is among the values
    ],
)
def test_a_change_that_surely_writes_is_written_once(given, values) -> None:
    plan = Plan()
    plan.change(Sample, "a", given=given, **values)
    assert changes(plan) == [(given, values)]


@pytest.mark.parametrize(
    ("given", "values", "first"),
    [
        ({"taken_at": None}, {"rank": 5}, {"rank": 6}),
        ({"taken_at": None}, {"taken_at": None}, {"taken_at": 1}),
        ({"number": 3}, {"number": 3, "label": "x"}, {"number": 4}),
        ({}, {"label": "x", "expires_at": None}, {"expires_at": 1}),
    ],
)
def test_a_change_that_may_write_nothing_is_written_twice(given, values, first) -> None:
    plan = Plan()
    plan.change(Sample, "a", given=given, **values)
    assert changes(plan) == [(given, first), ({}, values)]


def test_other_engines_are_asked_nothing(tmp_path) -> None:
    assert not is_certified(make_engine(f"sqlite:///{tmp_path}/x"))
    assert not is_certified(make_engine("postgresql+psycopg://u:p@127.0.0.1:1/x"))
    assert is_certified(make_engine("mariadb+pymysql://u:p@127.0.0.1:1/x"))  # until it has answered


@pytest.mark.service
def test_a_single_server_of_mariadb_is_known_as_such(create_database: Callable[[str], URL]) -> None:
    engine = make_engine(create_database("mariadb"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT @@wsrep_on")).scalar() == 0
    assert not is_certified(engine)


@pytest.fixture(scope="module")
def nodes(create_database: Callable[[str], URL]) -> list[URL]:
    urls = galera_nodes(create_database("galera"))
    migrate.upgrade(make_engine(urls[0]), House().provider.records)
    return urls


@pytest.mark.service
@pytest.mark.parametrize("waits", [True, False])
def test_reads_wait_where_they_are_to(nodes: list[URL], waits: bool) -> None:
    engine = make_engine(nodes[1], cluster_waits=waits)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT @@wsrep_sync_wait")).scalar() == int(waits)
    assert is_certified(engine)


@pytest.mark.service
def test_what_one_node_was_told_another_reads_at_once(nodes: list[URL]) -> None:
    one, other = (SqlStore(make_engine(url), CORE_RECORDS) for url in nodes[:2])
    for number in range(READS):
        add_to(one, grant(f"{number}"))
        assert other.find(Grant, digest=f"{number}") is not None
    for store in (one, other):
        store.close()


@pytest.mark.service
@pytest.mark.parametrize("waits", [True, False])
def test_check_tells_of_nodes_that_do_not_wait(nodes: list[URL], tmp_path, waits: bool) -> None:
    url = nodes[0].render_as_string(hide_password=False)
    rows, status = findings_of("storage_sql", tmp_path, DATABASE_URL=url, DATABASE_CLUSTER_WAITS=waits)
    assert ("storage_sql.stale_reads" in rows, status) == (not waits, 0)
