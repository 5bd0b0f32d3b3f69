"""Many people refresh at once, and thieves with them, on engines that let two transactions wait for each other."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from security.house import House
from support.databases import database_on

from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine, parse_url

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("engines")]

PEOPLE, ROUNDS, FAMILIES = 24, 20, 40
SETTINGS: dict[str, Any] = {"PASSWORD_GRANT_ENABLED": True, "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0}


@pytest.fixture(scope="module", params=["POSTGRESQL", "MARIADB"])
def house(request: pytest.FixtureRequest) -> Iterator[House]:
    urls = database_on(f"PORTULA_TEST_{request.param}_URL")
    url = next(urls)
    engine = make_engine(parse_url(url))
    migrate.upgrade(engine, House().provider.records)
    engine.dispose()
    made = House(STORAGE="storage_sql", DATABASE_URL=url, **SETTINGS)
    yield made
    made.close()
    next(urls, None)


def _party(house: House) -> Any:
    return house.client(grant_types=("password", "refresh_token"))


def _refresh_token(house: House, party: Any, username: str) -> str:
    credentials = {"username": username, "password": "a long password of hers"}
    answer = house.door().token(party, grant_type="password", scope="read", **credentials)
    assert answer.status_code == 200, answer.text
    return str(answer.json["refresh_token"])


def test_people_who_refresh_at_the_same_time_are_all_answered(house: House) -> None:
    party = _party(house)
    tokens = [_refresh_token(house, party, house.user().username) for _ in range(PEOPLE)]
    gate = threading.Barrier(PEOPLE)

    def refresh(token: str) -> Counter[int]:
        door, statuses = house.door("wsgi"), Counter[int]()
        gate.wait()
        for _ in range(ROUNDS):
            answer = door.refresh(party, token)
            statuses[answer.status_code] += 1
            token = answer.json.get("refresh_token", token)
        return statuses

    with ThreadPoolExecutor(PEOPLE) as pool:
        total = sum(pool.map(refresh, tokens), Counter[int]())
    assert total == {200: PEOPLE * ROUNDS}


def test_a_replay_ends_its_family_however_it_meets_the_owner(house: House) -> None:
    party = _party(house)
    gate = threading.Barrier(4)

    def go_on(token: str) -> tuple[str, set[int]]:
        """Refresh with the newest token, as its owner does."""
        door, statuses = house.door("wsgi"), set[int]()
        gate.wait()
        for _ in range(5):
            answer = door.refresh(party, token)
            statuses.add(answer.status_code)
            token = answer.json.get("refresh_token", token)
        return token, statuses

    def replay(token: str) -> set[int]:
        gate.wait()
        return {house.door("wsgi").refresh(party, token).status_code}

    with ThreadPoolExecutor(4) as pool:
        for _ in range(FAMILIES):
            first = [_refresh_token(house, party, house.user().username) for _ in range(2)]
            second = [str(house.door().refresh(party, token).json["refresh_token"]) for token in first]
            owners = [pool.submit(go_on, token) for token in second]
            thieves = [pool.submit(replay, token) for token in first]
            assert [thief.result() for thief in thieves] == [{400}, {400}]
            for owner in owners:
                newest, statuses = owner.result()
                assert statuses <= {200, 400}
                assert house.door().refresh(party, newest).status_code == 400
