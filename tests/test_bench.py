"""`make bench` measures, says what it leaves out, and leaves no server behind; the figures are nobody's promise."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from support.children import alive, wait_until

RUN = Path(__file__).parent.parent / "bench" / "run.py"

pytestmark = pytest.mark.thorough


def begun(*options):
    named = {name: value for name, value in os.environ.items() if not name.startswith("PORTULA_TEST_")}
    return subprocess.Popen(
        [sys.executable, str(RUN), *options],
        env=named,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def done(*options, seconds=120):
    with begun(*options) as process:
        printed, _ = process.communicate(timeout=seconds)
    return process.returncode, printed


def descendants(pid):
    found = [pid]
    for each in found:
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended
            for children in Path(f"/proc/{each}/task").glob("*/children"):
                found += map(int, children.read_text().split())
    return found[1:]


@pytest.mark.parametrize(
    "name", ["access_tokens", "admin", "bound", "compare", "edge", "growth", "micro", "structure", "waits"]
)
def test_each_program_starts(name):
    command = [sys.executable, str(RUN.with_name(f"{name}.py")), "--help"]
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "COLUMNS": "80"}
    printed = subprocess.run(command, env=paths, capture_output=True, text=True, timeout=60, check=True)
    assert printed.stdout


def test_growth_is_measured_beside_nothing(tmp_path):
    record = tmp_path / "figures.json"
    scenarios = ("rows", "clients", "plugins")
    counts = ("--rows", "200", "--clients", "50", "--rounds", "1", "--storage", "SQLite")
    command = [sys.executable, str(RUN.with_name("growth.py")), *scenarios, *counts, "--json", str(record)]
    subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    figures = json.loads(record.read_text())["figures"]
    assert {row["scenario"] for row in figures} == set(scenarios)
    assert {row["operation"] for row in figures} >= {"client credentials", "userinfo", "authorize and code"}
    assert all(row["ms"] > 0 and row["ratio"] > 0 for row in figures)


def test_two_workloads_are_measured_on_portula_and_on_the_floor(tmp_path):
    sides = ["floor-sqlite", "portula-sqlite", "portula-sqlite-flask"]
    record, table = tmp_path / "figures.json", tmp_path / "table.md"
    given = ("--json", str(record), "--markdown", str(table))
    status, printed = done("--quick", "--only", "W1,W5", "--sides", ",".join(sides), *given)
    assert status == 0, printed
    figures = json.loads(record.read_text())
    assert [(row["workload"], row["side"]) for row in figures["operations"]] == [
        (workload, side) for workload in ("W1", "W5") for side in sides
    ]
    for row in figures["operations"]:
        assert row["server"] > 0
        assert row["times_floor"] > 0
        assert (row["database"], row["rounds"], row["failure"]) == (None, 2, "")
    for start in figures["starts"]:
        assert start["cpu"] > 0
        assert start["mib"] > 10
    assert all(f"| {side} |" in table.read_text() for side in sides)


def test_an_engine_whose_address_is_not_set_is_left_out_and_said_so():
    status, printed = done("--quick", "--only", "W1", "--sides", "floor-postgresql,portula-redis")
    assert status == 2
    assert "PORTULA_TEST_POSTGRESQL_URL is not set" in printed
    assert "PORTULA_TEST_REDIS_URL is not set" in printed


def test_a_name_that_is_not_known_is_answered_by_those_that_are():
    status, printed = done("--only", "W99")
    assert status == 2
    assert "W99: not one of W1, W2" in printed


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM])
def test_no_server_is_left_when_it_is_told_to_stop(word):
    with begun("--only", "W1", "--sides", "portula-sqlite") as process:
        deadline, servers = time.monotonic() + 60, []
        while len(servers) < 2 and time.monotonic() < deadline:  # the parent of `portula serve`, and a worker
            servers = descendants(process.pid)
            time.sleep(0.05)
        assert len(servers) >= 2
        process.send_signal(word)
        printed, _ = process.communicate(timeout=60)
    assert process.returncode == 1, printed
    wait_until(lambda: not any(map(alive, servers)))
