"""The page on which a person decides about a device: who may, how often they may guess, what they are told."""

from urllib.parse import parse_qs, urlsplit

import pytest
from security.driving import error_of
from support.browser import forms_of
from support.devices import answered, asked, begun, followed, poll, television, to_page, typed

from portula import hookimpl
from portula.errors import AccessDeniedError
from portula.plugin import Authorization, ConsentItem, Demands

WRONG = "BBBB-BBBB"


def pending(world, party, codes):
    return error_of(poll(world, party, codes)) in ("authorization_pending", "slow_down")


# --- Nobody else decides (attack S62) ---


def test_one_who_signs_in_comes_back_to_the_address_as_it_was_asked_for(world):
    for address in ("/o/device/confirm/", "/o/device/confirm/?device=a%20b"):
        back = parse_qs(urlsplit(world.browser().get(address).location).query)["next"]
        assert back == [address]


def test_a_code_is_of_who_typed_it_first(world, party):
    world.users.create("bob", "a long password of his")
    hers, his, codes = world.browser(), world.browser(), begun(world, party)
    page = to_page(hers, codes["user_code"])
    refused = to_page(his, codes["user_code"], "bob", "a long password of his")
    assert refused.status_code == 400
    assert "No device waits with this code" in refused.text
    assert "A television" not in refused.text
    followed(hers, hers.submit(page, "consent-allow"))
    given = [
        kept for kept in world.provider.storage.select(Authorization) if kept.client_id == party.client_id
    ]
    assert [each.subject for each in given] == [world.ann.sub]


def test_a_page_is_of_no_use_to_who_signs_in_after(make_world):
    world = make_world()
    world.users.create("bob", "a long password of his")
    party, browser = television(world), world.browser()
    codes = begun(world, party)
    page = to_page(browser, codes["user_code"])
    browser.sign_in("bob", "a long password of his")
    assert browser.submit(page, "consent-allow").status_code == 400
    assert pending(world, party, codes)


def test_a_page_is_of_no_use_in_another_browser(world, party):
    browser, other, codes = world.browser(), world.browser(), begun(world, party)
    page = to_page(browser, codes["user_code"])
    other.sign_in()
    assert other.submit(page, "consent-allow").status_code == 400
    sealed = next(seen.location for seen in browser.seen if "/device/confirm/" in (seen.location or ""))
    assert "another browser" in other.get(sealed).text
    assert pending(world, party, codes)


def test_nothing_happens_without_the_token_of_the_form(world, browser, party):
    codes = begun(world, party)
    page = to_page(browser, codes["user_code"])
    form = forms_of(page.text)[0]
    fields = {**form.fields, "csrf_token": "forged", "allow": "yes"}
    assert browser.post("/o/device/confirm/", fields).status_code == 400
    assert browser.post("/o/device/", {"user_code": codes["user_code"]}).status_code == 400
    assert pending(world, party, codes)


def test_a_denial_after_it_was_allowed_and_the_other_way_round(world, browser, party):
    for first, second, error in (
        ("consent-allow", "consent-deny", None),
        ("consent-deny", "consent-allow", "access_denied"),
    ):
        codes = begun(world, party)
        pages = to_page(browser, codes["user_code"]), to_page(browser, codes["user_code"])
        followed(browser, browser.submit(pages[0], first))
        late = browser.submit(pages[1], second)
        assert late.status_code == 400
        assert "answered before" in late.text
        assert "No device waits" in typed(browser, codes["user_code"]).text
        assert poll(world, party, codes).json.get("error") == error


def test_a_second_click_is_answered_like_the_first(world, browser, party):
    page = to_page(browser, begun(world, party)["user_code"])
    first, second = browser.submit(page, "consent-allow"), browser.submit(page, "consent-allow")
    assert (
        (first.status_code, first.location)
        == (second.status_code, second.location)
        == (303, "/o/device/allowed/")
    )
    given = [
        kept for kept in world.provider.storage.select(Authorization) if kept.client_id == party.client_id
    ]
    assert len(given) == 1


def test_it_is_asked_about_each_time_and_never_skipped(world, browser):
    party = television(world, skip_authorization=True)
    for _ in range(2):
        codes = begun(world, party)
        page = to_page(browser, codes["user_code"])
        assert "consent-allow" in page.text
        followed(browser, browser.submit(page, "consent-allow"))


def test_the_device_polls_while_its_person_reads(world, browser, party):
    codes = begun(world, party)
    page = to_page(browser, codes["user_code"])
    world.clock.forward(5)
    assert pending(world, party, codes)
    followed(browser, browser.submit(page, "consent-allow"))
    assert poll(world, party, codes).status_code == 200


# --- Guessing ---


def guess(browser, code=WRONG):
    return typed(browser, code)


def test_a_person_guesses_a_few_times_in_all_browsers_together(make_world):
    world = make_world()
    party, browsers = television(world), [world.browser(), world.browser()]
    for browser in browsers:
        browser.sign_in()
    codes = begun(world, party)
    told = [guess(browsers[number % 2]) for number in range(5)]
    assert [page.status_code for page in told] == [400] * 5
    refused = guess(browsers[0], codes["user_code"])
    assert refused.status_code == 429
    assert "Too many codes were wrong" in refused.text
    assert 0 < int(refused.headers["Retry-After"]) <= 600
    assert "A television" not in refused.text
    world.clock.forward(601)
    assert "consent-allow" in guess(browsers[0], begun(world, party)["user_code"]).text


def test_right_codes_do_not_count(make_world):
    world = make_world(DEVICE_USER_CODE_ATTEMPTS=1)
    party, browser = television(world), world.browser()
    browser.sign_in()
    for _ in range(3):
        assert "consent-allow" in guess(browser, begun(world, party)["user_code"]).text
    assert guess(browser).status_code == 400
    assert guess(browser).status_code == 429


def test_many_people_at_one_address_guess_a_few_times_more(make_world):
    world = make_world(DEVICE_USER_CODE_ATTEMPTS=1)
    for number in range(11):
        world.users.create(f"p{number}", "a long password of theirs")
    heard = []
    for number in range(11):
        browser = world.browser()
        browser.sign_in(f"p{number}", "a long password of theirs")
        heard.append(guess(browser).status_code)
    assert heard == [400] * 10 + [429]


def test_nothing_is_looked_up_for_who_is_not_signed_in(world, party):
    right, wrong = begun(world, party)["user_code"], WRONG
    pages = [typed(world.browser(), code) for code in (right, wrong)]
    assert [page.request.path for page in pages] == ["/accounts/login/"] * 2
    assert all("A television" not in page.text for page in pages)


@pytest.mark.parametrize("code", ["", " ", "-", "\x00", "x" * 10_000, "ß" * 8, "💥"], ids=ascii)
def test_whatever_is_typed_is_answered(make_world, code):
    browser = make_world().browser()
    browser.sign_in()
    assert guess(browser, code).status_code == 400


@pytest.mark.parametrize(
    "query",
    [{"device": "x"}, {"device": ""}, {"interaction": "x"}, {}, {"device": "x", "user_code": "y"}],
    ids=str,
)
def test_whatever_the_address_has_is_answered(world, browser, query):
    browser.sign_in()
    assert browser.get("/o/device/confirm/", query_string=query).status_code == 400


# --- What a person is told, and the risk (RFC 10027) ---


def test_another_network_is_named(world, browser, party):
    codes = asked(world, party, address="203.0.113.7").json
    page = to_page(browser, codes["user_code"])
    assert "203.0.113.7, another network than yours" in page.text


def test_both_answers_look_alike(world, browser, party):
    page = to_page(browser, begun(world, party)["user_code"]).text
    assert page.count('class="button button-secondary"') == 2
    assert page.index("consent-deny") < page.index("consent-allow")
    assert "Afterwards you go to" not in page


class Guard:
    """A plugin that assesses devices."""

    def __init__(self, answer):
        self.answer, self.seen = answer, []

    @hookimpl
    def portula_assess_device(self, assessment):
        self.seen.append(assessment)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_plugin_that_denies_is_heard_by_person_and_device(make_world):
    guard = Guard(AccessDeniedError("Not from there."))
    world = make_world(guard)
    party, browser = television(world), world.browser()
    codes = asked(world, party, address="203.0.113.7", headers={"User-Agent": "Television/1"}).json
    page = to_page(browser, codes["user_code"])
    assert page.status_code == 400
    assert "consent-allow" not in page.text
    assert error_of(poll(world, party, codes)) == "access_denied"
    seen = guard.seen[0]
    assert (seen.client.client_id, seen.scope) == (party.client_id, ("openid", "read"))
    assert (seen.person.subject, seen.address, seen.is_near) == (world.ann.sub, "127.0.0.1", False)
    assert (seen.device_address, seen.device_agent) == ("203.0.113.7", "Television/1")
    assert seen.asked_at == world.provider.now()
    assert codes["user_code"] not in repr(seen)


def test_a_plugin_that_fails_refuses_and_ends_nothing(make_world):
    world = make_world(Guard(RuntimeError("broken")))
    party, browser = television(world), world.browser()
    codes = begun(world, party)
    assert to_page(browser, codes["user_code"]).status_code == 500
    assert pending(world, party, codes)


def test_a_plugin_may_let_the_person_sign_in_again(make_world):
    world = make_world(Guard(Demands(login=True)))
    party, browser = television(world), world.browser()
    browser.sign_in()
    codes = begun(world, party)
    world.clock.forward(1)
    again = typed(browser, codes["user_code"])
    assert again.request.path == "/accounts/login/"
    signed_in = browser.submit(again, "login-submit", username="ann", password="a long password of hers")
    page = followed(browser, signed_in)
    assert "consent-allow" in page.text
    followed(browser, browser.submit(page, "consent-allow"))
    (given,) = [
        kept for kept in world.provider.storage.select(Authorization) if kept.client_id == party.client_id
    ]
    assert given.auth_time == world.provider.now()
    assert poll(world, party, codes).status_code == 200


def test_a_plugin_may_tell_more(make_world):
    item = ConsentItem(title="Near Lund", details=(("Country", "Sweden"),))
    world = make_world(Guard(Demands(items=(item,))))
    page = to_page(world.browser(), begun(world, television(world))["user_code"])
    assert "Near Lund" in page.text
    assert "Asked from" in page.text


def test_max_age_of_the_request_counts(world, party):
    browser = world.browser()
    browser.sign_in()
    world.clock.forward(100)
    codes = begun(world, party, max_age="50")
    assert typed(browser, codes["user_code"]).request.path == "/accounts/login/"
    world.clock.forward(1)
    assert "consent-allow" in to_page(browser, codes["user_code"]).text


def test_refusals_are_told(make_world):
    heard = []

    class Listener:
        @hookimpl
        def portula_request_refused(self, event):
            heard.append((event.endpoint, event.error))

        @hookimpl
        def portula_token_refused(self, event):
            heard.append(("token", event.error))

    world = make_world(Listener(), DEVICE_USER_CODE_ATTEMPTS=1)
    party, browser = television(world), world.browser()
    browser.sign_in()
    asked(world, party, scope="nosuch")
    guess(browser)
    guess(browser)
    codes = begun(world, party)
    poll(world, party, codes)
    poll(world, party, codes)
    assert heard == [
        ("device_authorization", "invalid_scope"),
        ("device", "invalid_request"),
        ("device", "temporarily_unavailable"),
        ("token", "authorization_pending"),
        ("token", "slow_down"),
    ]


def test_the_page_after_a_denial_warns(world, browser, party):
    assert (
        "wanted to get into your account"
        in answered(browser, begun(world, party)["user_code"], "consent-deny").text
    )
