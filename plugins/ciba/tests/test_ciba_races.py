"""Many at one moment: a request is redeemed once, decided once, and there are no more than may be (attack S62)."""

import pytest
from support.backchannel import asked, begun, decided, opened, poll, till
from support.racing import together

from portula.plugin import AccessToken, Authorization

AT_ONCE = 20


def one_winner(world, party, browser):
    """Redeem one request many times at once: one gets tokens, and there are no others."""
    members = begun(world, party)
    decided(browser)
    answers = together([lambda: poll(world, party, members)] * AT_ONCE)
    heard = sorted(answer.json.get("error", "") for answer in answers)
    assert heard == ["", *["invalid_grant"] * (AT_ONCE - 1)]
    (tokens,) = [answer.json for answer in answers if answer.status_code == 200]
    assert world.door().is_active(party, tokens["access_token"])


def test_one_of_many_polls_gets_the_tokens(make_world):
    world = make_world()
    party, browser = till(world), world.browser()
    browser.sign_in()
    one_winner(world, party, browser)


@pytest.mark.thorough
def test_one_of_many_polls_gets_the_tokens_each_time(make_world, tmp_path):
    world = make_world(folder=tmp_path)
    party, browser = till(world), world.browser()
    browser.sign_in()
    for _ in range(50):
        one_winner(world, party, browser)
    kept = world.provider.storage.select(AccessToken, limit=1000)
    assert len({token.authorization for token in kept}) == len(kept) == 50
    world.close()


def test_of_many_answers_at_once_one_counts(make_world):
    world = make_world()
    party, browser = till(world), world.browser()
    browser.sign_in()
    members = begun(world, party)
    pages = [opened(browser) for _ in range(6)]
    buttons = ["consent-allow", "consent-deny"] * 3
    calls = [
        lambda page=page, button=button: world.browser(browser.cookies).submit(page, button)
        for page, button in zip(pages, buttons, strict=True)
    ]
    answers = together(calls)
    assert sorted(answer.status_code for answer in answers) == [303, *[400] * 5]
    allowed = any("allowed" in (answer.location or "") for answer in answers)
    given = [
        kept for kept in world.provider.storage.select(Authorization) if kept.client_id == party.client_id
    ]
    assert len(given) == int(allowed)
    assert poll(world, party, members).json.get("error") == (None if allowed else "access_denied")


def test_requests_at_one_moment_keep_the_bound_of_a_person(make_world):
    world = make_world(CIBA_MAX_REQUESTS_PER_USER=3)
    parties = [till(world) for _ in range(8)]
    answers = together([lambda party=party: asked(world, party) for party in parties])
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(200) <= 3
    assert set(statuses) <= {200, 429, 503}


def test_guesses_at_one_moment_do_not_pass_together(make_world):
    world = make_world(CIBA_UNKNOWN_USERS_PER_CLIENT=4)
    party = till(world)
    answers = together([lambda: asked(world, party, login_hint="guess")] * 12)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses.count(400) <= 4
    assert set(statuses) <= {400, 429}


def test_polls_at_one_moment_are_one_poll(make_world):
    world = make_world()
    party = till(world)
    members = begun(world, party)
    answers = together([lambda: poll(world, party, members)] * 6)
    heard = [answer.json["error"] for answer in answers]
    assert heard.count("authorization_pending") <= 1
    assert set(heard) <= {"authorization_pending", "slow_down"}
