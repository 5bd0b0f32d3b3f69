"""Many at one moment: a code is redeemed once, decided once, and guesses are counted (attack S62)."""

from functools import partial

import pytest
from support.devices import answered, begun, poll, television, to_page, typed
from support.racing import together

from portula.plugin import AccessToken, Artifact, Authorization

AT_ONCE = 20


def one_winner(world, party, browser):
    """Redeem one code many times at once: one gets tokens, and there are no others."""
    codes = begun(world, party)
    answered(browser, codes["user_code"])
    answers = together([lambda: poll(world, party, codes)] * AT_ONCE)
    heard = sorted(answer.json.get("error", "") for answer in answers)
    assert heard == ["", *["invalid_grant"] * (AT_ONCE - 1)]
    (tokens,) = [answer.json for answer in answers if answer.status_code == 200]
    assert world.door().is_active(party, tokens["access_token"])


def test_one_of_many_polls_gets_the_tokens(world, browser, party):
    one_winner(world, party, browser)


@pytest.mark.thorough
def test_one_of_many_polls_gets_the_tokens_each_time(make_world, tmp_path):
    world = make_world(folder=tmp_path)
    party, browser = television(world), world.browser()
    browser.sign_in()
    for _ in range(50):
        one_winner(world, party, browser)
    kept = world.provider.storage.select(AccessToken, limit=1000)
    assert len({token.authorization for token in kept}) == len(kept) == 50
    world.close()


def test_of_two_people_at_once_one_claims_the_code(make_world):
    world = make_world(DEVICE_USER_CODE_ATTEMPTS=50)
    party = television(world)
    people = [(f"p{number}", "a long password of theirs") for number in range(4)]
    for name, password in people:
        world.users.create(name, password)
    browsers = [world.browser() for _ in people]
    for browser, person in zip(browsers, people, strict=True):
        browser.sign_in(*person)
    for _ in range(5):
        code = begun(world, party)["user_code"]
        pages = together([partial(typed, browser, code) for browser in browsers])
        assert sorted(page.status_code for page in pages) == [200, 400, 400, 400]


def test_of_many_answers_at_once_one_counts(world, party):
    browser = world.browser()
    codes = begun(world, party)
    pages = [to_page(browser, codes["user_code"]) for _ in range(6)]
    buttons = ["consent-allow", "consent-deny"] * 3
    calls = [
        lambda page=page, button=button: browser_of(world, browser).submit(page, button)
        for page, button in zip(pages, buttons, strict=True)
    ]
    answers = together(calls)
    assert sorted(answer.status_code for answer in answers) == [303, *[400] * 5]
    allowed = any("allowed" in (answer.location or "") for answer in answers)
    given = [
        kept
        for kept in world.provider.storage.select(Authorization, limit=1000)
        if kept.client_id == party.client_id
    ]
    assert len(given) == int(allowed)
    assert poll(world, party, codes).json.get("error") == (None if allowed else "access_denied")


def browser_of(world, browser):
    """Return another window of a browser."""
    return world.browser(browser.cookies)


def test_guesses_at_one_moment_do_not_pass_together(make_world):
    world = make_world()
    television(world)
    first = world.browser()
    first.sign_in()
    calls = [lambda: typed_in_window(world, first) for _ in range(12)]
    statuses = sorted(page.status_code for page in together(calls))
    assert statuses.count(400) <= 5
    assert set(statuses) <= {400, 429}
    kept = [
        each
        for each in world.provider.storage.select(Artifact, limit=1000)
        if each.kind == "device code attempt"
    ]
    assert len(kept) == 2 * statuses.count(400)


def typed_in_window(world, browser):
    window = browser_of(world, browser)
    page = window.get("/o/device/")
    sent = window.submit(page, "device-continue", user_code="BBBB-BBBB")
    return window.get(sent.location)


def test_polls_at_one_moment_are_one_poll(world, party):
    codes = begun(world, party)
    answers = together([lambda: poll(world, party, codes)] * 6)
    heard = [answer.json["error"] for answer in answers]
    assert heard.count("authorization_pending") <= 1
    assert set(heard) <= {"authorization_pending", "slow_down"}
