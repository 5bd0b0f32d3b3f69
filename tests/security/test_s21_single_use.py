"""S21: a code is redeemed once, however many try at the same moment. Here by threads; by processes in the flows."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from support.browser import forms_of

from security.driving import answered

PARALLEL = 50


@pytest.fixture(scope="module")
def sqlite_house(make_house, tmp_path_factory):
    """A house on a SQLite file."""
    house = make_house(folder=tmp_path_factory.mktemp("single_use"))
    yield house
    house.close()


def at_once(function, count=PARALLEL):
    """Call a function in that many threads, none of which begins before all of them are there."""
    barrier = Barrier(count)

    def begin(number):
        barrier.wait(timeout=60)
        return function(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


@pytest.mark.parametrize("where", ["sqlite_house", "house"])
def test_of_fifty_redemptions_at_once_one_succeeds(request, where, kind):
    house = request.getfixturevalue(where)
    client = house.client()
    code, verifier = house.browser().code(client)
    doors = [house.door(kind) for _ in range(PARALLEL)]
    answers = at_once(lambda number: doors[number].redeem(client, code, verifier))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [400] * (PARALLEL - 1)
    assert {answer.json["error"] for answer in answers if answer.status_code == 400} == {"invalid_grant"}


def test_of_fifty_refreshes_at_once_one_succeeds(sqlite_house, kind):
    house, client = sqlite_house, sqlite_house.client()
    token = house.tokens(client)["refresh_token"]
    doors = [house.door(kind) for _ in range(PARALLEL)]
    answers = at_once(lambda number: doors[number].refresh(client, token))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * (PARALLEL - 1)


def test_a_page_of_consent_gives_one_code_however_often_it_is_sent(sqlite_house):
    house = sqlite_house
    browser, client = house.browser(), house.client()
    page = browser.consent_page(client)
    data = {**forms_of(page.text)[0].fields, "allow": "yes"}

    def send(_):
        return house.browser(browser.cookies).post("/o/authorize/", data)

    assert len({answered(response)["code"] for response in at_once(send, 10)}) == 1


def test_a_redemption_that_fails_leaves_the_code_for_the_one_that_is_right(house, door, browser, client):
    code, verifier = browser.code(client)
    assert door.redeem(client, code, "x" * 43).status_code == 400
    assert door.redeem(client, code, verifier, redirect_uri="https://client.example/other").status_code == 400
    assert door.redeem(client, code, verifier).status_code == 200


def test_a_code_lives_for_a_minute(house, door, browser, client):
    for seconds, status in [(59, 200), (60, 400)]:
        code, verifier = browser.code(client)
        house.clock.forward(seconds)
        assert door.redeem(client, code, verifier).status_code == status
