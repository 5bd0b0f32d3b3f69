"""Several workers of one client refresh at once, and answers get lost (RFC 9700 §4.14.2)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest


def refresh_at_once(world, client, token, count=4):
    together = Barrier(count, timeout=20)

    def refresh(_):
        together.wait()
        http = world.app.test_client()
        body = {"grant_type": "refresh_token", "refresh_token": token}
        return http.post("/o/token/", data=body, headers=client.headers, base_url=world.base)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(refresh, range(count)))


@pytest.fixture
def alone(make):
    return make(stand_alone=True)


def test_by_itself_a_provider_lets_several_workers_refresh_at_once(alone):
    client = alone.client()
    answers = refresh_at_once(alone, client, alone.tokens(client)["refresh_token"])
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 1
    assert alone.refresh(client, answers[0].json["refresh_token"]).status_code == 200


def test_by_itself_a_lost_answer_is_given_again_for_ten_seconds(alone, refused):
    client = alone.client()
    first = alone.tokens(client)
    second = alone.refresh(client, first["refresh_token"]).json
    alone.later(9)
    assert alone.refresh(client, first["refresh_token"]).json["refresh_token"] == second["refresh_token"]
    alone.later(1)
    assert refused(alone.refresh(client, first["refresh_token"])) == "invalid_grant"
    assert not alone.alive(second)


@pytest.mark.parametrize("how", [{}, {"stand_alone": True, "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0}])
def test_elsewhere_and_where_the_setting_says_so_there_is_none(make, refused, how):
    world = make(**how)
    client = world.client()
    first = world.tokens(client)
    assert world.refresh(client, first["refresh_token"]).status_code == 200
    assert refused(world.refresh(client, first["refresh_token"])) == "invalid_grant"
