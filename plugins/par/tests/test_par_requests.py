"""Pushed authorization requests from the push to the code: RFC 9126 §2, §4."""

import re

import pytest
from security.driving import answered
from support.pushing import VERIFIER, bring, pushed, reference, refused_on_page, to_login, to_page

from portula import hookimpl
from portula.errors import AccessDeniedError
from portula.plugin import Artifact

CALLBACK = "https://client.example/cb"


def test_a_push_is_answered_by_a_reference(world, party):
    answer = pushed(world, party)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-cache, no-store"
    assert answer.json["expires_in"] == 60
    assert re.fullmatch(r"urn:ietf:params:oauth:request_uri:[\w-]{43}", answer.json["request_uri"])
    assert pushed(world, party).json["request_uri"] != answer.json["request_uri"]


def test_what_was_pushed_leads_to_a_code(world, browser, party):
    sent = answered(browser.submit(to_page(browser, reference(world, party)), "consent-allow"))
    assert (sent["state"], sent["iss"]) == ("the state", "https://id.example/o")
    tokens = world.door().redeem(party, sent["code"], VERIFIER).json
    assert tokens["scope"] == "openid read"


def test_what_stands_beside_the_reference_is_ignored(world, browser, party):
    browser.sign_in()
    beside = {"state": "outside", "scope": "write", "redirect_uri": "https://evil.example/", "prompt": "none"}
    page = bring(browser, reference(world, party), **beside)
    sent = answered(browser.submit(page, "consent-allow"))
    assert sent["state"] == "the state"
    assert world.door().redeem(party, sent["code"], VERIFIER).json["scope"] == "openid read"


def test_a_request_by_post_may_bring_it_too(world, browser, party):
    browser.sign_in()
    asked = browser.post("/o/authorize/", reference(world, party))
    page = browser.get(asked.location)
    assert "code" in answered(browser.submit(page, "consent-allow"))


def test_a_public_client_pushes_by_its_client_id(world, browser):
    party = world.public_client()
    sent = answered(browser.submit(to_page(browser, reference(world, party)), "consent-allow"))
    assert world.door().redeem(party, sent["code"], VERIFIER).status_code == 200


def test_prompt_none_is_judged_when_the_browser_comes(world, browser, party):
    brought = reference(world, party, prompt="none")
    assert answered(bring(browser, brought))["error"] == "login_required"


# --- It serves once, when the answer is written ---


def test_loading_the_page_twice_uses_nothing_up(world, browser, party):
    brought = reference(world, party)
    to_login(browser, brought)
    page = to_page(browser, brought)
    assert "code" in answered(browser.submit(page, "consent-allow"))
    assert refused_on_page(bring(browser, brought))


def test_a_preview_in_another_browser_uses_nothing_up(world, browser, party):
    brought = reference(world, party)
    assert bring(world.browser(), brought).status_code == 302
    assert "code" in answered(browser.submit(to_page(browser, brought), "consent-allow"))


@pytest.mark.parametrize("first", ["consent-allow", "consent-deny"])
@pytest.mark.parametrize("second", ["consent-allow", "consent-deny"])
def test_two_tabs_get_one_answer(world, browser, party, first, second):
    browser.sign_in()
    brought = reference(world, party)
    pages = bring(browser, brought), bring(browser, brought)
    sent = answered(browser.submit(pages[0], first))
    assert ("code" in sent) == (first == "consent-allow")
    assert refused_on_page(browser.submit(pages[1], second))
    assert refused_on_page(bring(browser, brought))


def test_a_second_click_gets_the_same_code(world, browser, party):
    page = to_page(browser, reference(world, party))
    first = answered(browser.submit(page, "consent-allow"))
    assert answered(browser.submit(page, "consent-allow")) == first


def test_two_people_in_two_browsers_get_one_answer(world, browser, party):
    brought, other = reference(world, party), world.browser()
    pages = to_page(browser, brought), to_page(other, brought)
    assert "code" in answered(browser.submit(pages[0], "consent-allow"))
    assert refused_on_page(other.submit(pages[1], "consent-allow"))


def test_an_error_uses_it_up_too(world, browser, party):
    brought = reference(world, party, prompt="none")
    assert answered(bring(browser, brought))["error"] == "login_required"
    browser.sign_in()
    assert refused_on_page(bring(browser, brought))


def test_an_error_after_the_answer_is_told_on_a_page(world, browser, party):
    browser.sign_in()
    brought = reference(world, party)
    pages = bring(browser, brought), bring(browser, brought)
    assert "code" in answered(browser.submit(pages[0], "consent-allow"))
    world.clock.forward(1801)
    assert refused_on_page(browser.submit(pages[1], "consent-allow"))


# --- Its time ---


def test_it_is_over_after_its_time(world, browser, party):
    brought = reference(world, party)
    world.clock.forward(59)
    assert bring(browser, brought).status_code == 302
    world.clock.forward(1)
    assert refused_on_page(bring(browser, brought))


def test_a_login_that_takes_longer_goes_on(world, browser, party):
    login = to_login(browser, reference(world, party))
    world.clock.forward(1000)
    signed_in = browser.submit(login, "login-submit", username="ann", password="a long password of hers")
    page = browser.get(signed_in.location)
    world.clock.forward(1000)
    assert "code" in answered(browser.submit(page, "consent-allow"))


def test_who_takes_too_long_is_told_so_at_the_client(world, browser, party):
    page = to_page(browser, reference(world, party))
    world.clock.forward(1801)
    assert answered(browser.submit(page, "consent-allow"))["error"] == "access_denied"


def test_what_is_over_is_purged(make_world):
    world = make_world(PAR_REQUEST_URI_LIFETIME_SECONDS=5)
    reference(world, world.client())
    world.clock.forward(5 + 3 * 1800 + 1)
    world.provider.storage.purge(Artifact, now=world.provider.now(), limit=10)
    assert [kept.kind for kept in world.provider.storage.select(Artifact) if "pushed" in kept.kind] == []


# --- Whose it is ---


def test_another_client_cannot_use_it_nor_use_it_up(world, browser, party):
    brought, other = reference(world, party), world.client()
    browser.sign_in()
    assert refused_on_page(bring(browser, {**brought, "client_id": other.client_id}))
    assert "code" in answered(browser.submit(bring(browser, brought), "consent-allow"))


@pytest.mark.parametrize(
    "brought",
    [
        {"request_uri": "urn:ietf:params:oauth:request_uri:unknown"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:"},
        {"portula.pushed_request": "a digest"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x", "redirect_uri": "https://evil.example/"},
        {"request_uri": "urn:ietf:params:oauth:request_uri:x", "redirect_uri": CALLBACK},
    ],
    ids=str,
)
def test_what_nobody_pushed_is_told_on_a_page(browser, party, brought):
    assert refused_on_page(bring(browser, {"client_id": party.client_id, **brought}))


def test_a_digest_from_the_storage_is_no_reference(world, browser, party):
    brought = reference(world, party)
    name = brought["request_uri"].rpartition(":")[2]
    records = world.provider.storage.select(Artifact)
    for digest in (kept.digest for kept in records if kept.client_id == party.client_id):
        assert name not in digest
        stolen = {"client_id": party.client_id, "portula.pushed_request": digest}
        assert refused_on_page(bring(browser, stolen))
        urn = {**brought, "request_uri": f"urn:ietf:params:oauth:request_uri:{digest}"}
        assert refused_on_page(bring(browser, urn))


def test_nothing_that_is_written_while_a_person_signs_in_could_be_brought(world, browser, party):
    brought = reference(world, party)
    to_login(browser, brought)
    name = brought["request_uri"].rpartition(":")[2]
    assert name not in repr(world.provider.storage.select(Artifact))


# --- It is judged again ---


def test_a_client_that_was_disabled_gets_nothing(world, browser, party):
    page = to_page(browser, reference(world, party))
    world.change(party, disabled=True)
    assert refused_on_page(browser.submit(page, "consent-allow"), "invalid_request")


def test_a_redirect_uri_that_was_removed_gets_nothing(world, browser, party):
    brought = reference(world, party)
    page = to_page(browser, brought)
    world.change(party, redirect_uris=("https://client.example/other",))
    assert refused_on_page(browser.submit(page, "consent-allow"), "invalid_request")
    assert refused_on_page(bring(browser, brought), "invalid_request")


def test_a_scope_that_was_taken_away_is_refused(world, browser, party):
    page = to_page(browser, reference(world, party))
    world.change(party, scope="openid")
    assert answered(browser.submit(page, "consent-allow"))["error"] == "invalid_scope"


def test_a_veto_that_came_since_counts(make_world):
    class Closed:
        closed = False

        @hookimpl
        def portula_validate_authorization_request(self, exchange):
            if self.closed:
                raise AccessDeniedError

    rule = Closed()
    world = make_world(rule)
    party, browser = world.client(), world.browser()
    page = to_page(browser, reference(world, party))
    rule.closed = True
    assert answered(browser.submit(page, "consent-allow"))["error"] == "access_denied"
