"""`portula cleartokens` in processes of its own: two at once, killed, and beside the server's database."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from support.commands import run_command
from support.databases import database_on
from support.server import PORTULA

from portula.plugin import CORE_RECORDS, shape_of
from portula_storage_sql.engine import make_engine
from portula_storage_sql.tables import metadata_of

pytestmark = pytest.mark.thorough

EXPIRED, LIVE = 6000, 50
FAR = 2**40
ENGINES = [pytest.param(name, marks=pytest.mark.service) for name in ("POSTGRESQL", "MARIADB")]


class House:
    """A migrated database with expired and live records, and the command line over it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.engine: Engine = make_engine(url)
        self.config = folder / "config.py"
        self.common = ["--config", str(self.config), "--data-dir", str(folder / "data")]
        self.url = url
        self.configure()
        for words in (["init"], ["db", "upgrade"]):
            run_command(*self.common, *words)

    def configure(self, **settings: Any) -> None:
        self.config.write_text(f"OAUTH2_PROVIDER = { ({'DATABASE_URL': self.url, **settings})!r}\n")

    def fill(self) -> None:
        tables = metadata_of(map(shape_of, CORE_RECORDS)).tables
        common = {
            "client_id": "c",
            "scope": "s",
            "issued_at": 1,
            "payload": {},
            "realm": "",
            "audience": [],
            "confirmation": {},
        }
        rows = [
            {**common, "digest": f"{number * 7919 % (EXPIRED + LIVE)}", "expires_at": 1 + number % 9}
            for number in range(EXPIRED + LIVE)
        ]
        for row in rows[EXPIRED:]:
            row["expires_at"] = FAR
        engine = create_engine(self.url)  # the store's own would commit each row
        with engine.begin() as connection:
            connection.execute(tables["portula_access_token"].insert(), rows)
        engine.dispose()

    def begin(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [PORTULA, *self.common, "cleartokens", "--json"], stdout=-1, stderr=-1, text=True
        )

    def end(self, run: "subprocess.Popen[str]") -> dict[str, Any]:
        output, errors = run.communicate(timeout=120)
        assert (run.returncode, errors) == (0, "")
        told: dict[str, Any] = json.loads(output)
        return told

    def count(self) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(text("SELECT count(*) FROM portula_access_token")).scalar_one())


@pytest.fixture(params=["SQLITE", *ENGINES])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    urls = (
        iter([f"sqlite:///{tmp_path / 'portula.sqlite3'}"])
        if request.param == "SQLITE"
        else database_on(f"PORTULA_TEST_{request.param}_URL")
    )
    made = House(next(urls), tmp_path)
    made.fill()
    yield made
    made.engine.dispose()
    next(urls, None)


def test_two_runs_at_once_share_the_work_and_get_in_nobodys_way(house: House) -> None:
    house.configure(CLEAR_EXPIRED_TOKENS_BATCH_SIZE=1000)
    told = [house.end(run) for run in [house.begin(), house.begin()]]
    assert all(one["complete"] for one in told)
    assert sum(one["deleted"]["access_token"] for one in told) == EXPIRED
    assert house.count() == LIVE


def test_a_run_that_is_killed_leaves_what_it_deleted_deleted_and_the_next_does_the_rest(house: House) -> None:
    house.configure(CLEAR_EXPIRED_TOKENS_BATCH_SIZE=1000, CLEAR_EXPIRED_TOKENS_BATCH_INTERVAL=3600)
    run = house.begin()
    while house.count() > EXPIRED + LIVE - 1000:  # it rests for an hour after the first batch
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(timeout=0.05)
    run.kill()
    run.communicate(timeout=60)
    assert run.returncode == -9
    assert house.count() == EXPIRED + LIVE - 1000
    house.configure()
    assert house.end(house.begin())["deleted"]["access_token"] == EXPIRED - 1000
    assert house.count() == LIVE


def test_a_run_that_is_killed_within_a_batch_holds_no_lock_that_outlives_it(house: House) -> None:
    run = house.begin()
    while house.count() == EXPIRED + LIVE and run.poll() is None:
        time.sleep(0.005)  # it begins sooner where nobody keeps the processor busy
    run.kill()
    run.communicate(timeout=60)
    before = house.count()
    assert before < EXPIRED + LIVE
    # What the server had begun may still be committed after the count.
    assert house.end(house.begin())["deleted"]["access_token"] <= before - LIVE
    assert house.count() == LIVE
