"""A client gets tokens while its person is elsewhere, from the request to the refresh: CIBA Core §7 to §11."""

import re

import pytest
from security.driving import error_of
from support.backchannel import asked, begun, decided, opened, pages, poll, till
from support.browser import forms_of

from portula import Plugin
from portula.plugin import Artifact, Authorization
from portula_ciba import decide, waiting_requests


def given_to(world, party):
    """Return the authorizations of a client."""
    found = world.provider.storage.select(Authorization, limit=1000)
    return [kept for kept in found if kept.client_id == party.client_id]


def test_a_request_is_answered_by_its_identifier(world, party):
    answer = asked(world, party)
    assert answer.headers["Cache-Control"] == "no-store"
    members = answer.json
    assert re.fullmatch(r"[A-Za-z0-9._-]{43}", members.pop("auth_req_id"))
    assert members == {"expires_in": 120, "interval": 5}


def test_a_person_is_asked_on_their_own_page_and_the_client_gets_all_tokens(make_world):
    world = make_world()
    party, browser = till(world), world.browser()
    members = begun(world, party, binding_message="W4SCT")
    assert poll(world, party, members).json["error"] == "authorization_pending"
    browser.sign_in()
    (url,) = pages(browser)
    listed = browser.get("/o/ciba/").text
    assert "A till" in listed
    assert "W4SCT" in listed
    page = browser.get(url)
    for told in ("A till", "W4SCT", "It asked on", "If you did not start this yourself"):
        assert told in page.text
    sent = browser.submit(page, "consent-allow")
    assert "The app may go on" in browser.get(sent.location).text
    assert pages(browser) == []
    tokens = poll(world, party, members).json
    assert tokens["scope"] == "openid read"
    claims = world.read(tokens["id_token"], party)
    assert "nonce" not in claims
    (given,) = given_to(world, party)
    assert claims["sub"] == given.subject == world.ann.sub
    assert claims["auth_time"] == given.auth_time
    assert world.door().is_active(party, tokens["access_token"])
    assert world.door().refresh(party, tokens["refresh_token"]).status_code == 200
    assert poll(world, party, members).json["error"] == "invalid_grant"


def test_what_a_person_denies_the_client_does_not_get(make_world):
    world = make_world()
    party, browser = till(world), world.browser()
    browser.sign_in()
    members = begun(world, party)
    assert "The app gets nothing" in decided(browser, "consent-deny").text
    for _ in range(2):
        assert poll(world, party, members).json["error"] == "access_denied"
    assert given_to(world, party) == []


def test_the_page_asks_each_time_and_whatever_the_client_is_registered_with(make_world):
    world = make_world()
    party, browser = till(world, skip_authorization=True), world.browser()
    browser.sign_in()
    for _ in range(2):
        members = begun(world, party)
        assert "asks for access" in opened(browser).text
        decided(browser)
        assert "access_token" in poll(world, party, members).json


def test_nobody_else_is_shown_a_request_nor_can_answer_it(make_world):
    world = make_world()
    party, ann, bob = till(world), world.browser(), world.browser()
    world.users.create("bob", "a long password of his")
    ann.sign_in()
    bob.sign_in("bob", "a long password of his")
    members = begun(world, party)
    (url,) = pages(ann)
    assert pages(bob) == []
    other = bob.get(url)
    assert other.status_code == 400
    assert "Nothing waits for you" in other.text
    assert "bob" in other.text
    assert "A till" not in other.text
    assert world.browser().get(url).location.startswith("/accounts/login/")
    page = ann.get(url)
    bobs_cookies = world.browser(bob.cookies)
    assert bobs_cookies.submit(page, "consent-allow").status_code == 400
    assert poll(world, party, members).json["error"] in ("authorization_pending", "slow_down")


def test_a_decision_cannot_be_changed(make_world):
    world = make_world()
    party, browser = till(world), world.browser()
    browser.sign_in()
    members = begun(world, party)
    (url,) = pages(browser)
    first, second = browser.get(url), browser.get(url)
    browser.submit(first, "consent-deny")
    late = browser.submit(second, "consent-allow")
    assert late.status_code == 400
    again = browser.get(url)
    assert again.status_code == 400
    assert "Nothing waits for you" in again.text
    assert poll(world, party, members).json["error"] == "access_denied"


def test_a_request_ends_with_its_time(make_world):
    world = make_world()
    party, browser = till(world), world.browser()
    browser.sign_in()
    members = begun(world, party, requested_expiry="60")
    assert members["expires_in"] == 60
    (url,) = pages(browser)
    page = browser.get(url)
    world.clock.forward(61)
    for late in (browser.submit(page, "consent-allow"), browser.get(url)):
        assert late.status_code == 400
        assert "Nothing waits for you" in late.text
    assert pages(browser) == []
    assert poll(world, party, members).json["error"] == "expired_token"


@pytest.mark.parametrize(("wanted", "given"), [("1", 10), ("599", 599), ("100000", 600), (None, 120)])
def test_a_client_says_for_how_long_it_waits(make_world, wanted, given):
    world = make_world()
    assert begun(world, till(world), requested_expiry=wanted)["expires_in"] == given


def test_who_polls_too_often_has_longer_to_wait(make_world):
    world = make_world()
    party = till(world)
    members = begun(world, party, requested_expiry="600")
    assert poll(world, party, members).json["error"] == "authorization_pending"
    assert poll(world, party, members).json["error"] == "slow_down"
    world.clock.forward(6)
    assert poll(world, party, members).json["error"] == "slow_down"
    world.clock.forward(16)
    assert poll(world, party, members).json["error"] == "authorization_pending"
    for _ in range(12):
        last = poll(world, party, members)
    assert error_of(last, 503) == "temporarily_unavailable"
    assert 0 < int(last.headers["Retry-After"]) <= 60


class Listener(Plugin):
    def __init__(self):
        self.given = []

    def portula_consent_given(self, event):
        self.given.append((event.client_id, event.subject, event.scopes))


def test_an_app_of_the_person_lists_and_decides(make_world):
    listener = Listener()
    world = make_world(listener)
    party = till(world)
    login, decisions = world.provider.hooks.ask(Plugin.portula_login), []

    @world.app.get("/own/decide")
    def own():
        person = login.current()
        (waiting,) = waiting_requests(world.provider, person.subject)
        assert waiting.client.client_id == party.client_id
        assert (waiting.scope, waiting.binding_message) == (("openid", "read"), "W4SCT")
        assert waiting.expires_at - waiting.begun_at == 120
        decisions.append(decide(world.provider, person, waiting.request_id, allowed=True))
        return "done"

    members = begun(world, party, binding_message="W4SCT")
    browser = world.browser()
    browser.sign_in()
    assert browser.get("/own/decide").text == "done"
    assert decisions[0].items
    tokens = poll(world, party, members).json
    assert world.read(tokens["id_token"], party)["sub"] == world.ann.sub
    assert listener.given == [(party.client_id, world.ann.sub, ("openid", "read"))]
    page = browser.get("/o/authorized_tokens/")
    (form,) = [form for form in forms_of(page.text) if party.client_id in form.fields.values()]
    browser.post(form.action, form.fields)
    assert error_of(world.door().refresh(party, tokens["refresh_token"])) == "invalid_grant"


def test_nothing_that_could_be_presented_is_kept(make_world):
    world = make_world()
    party = till(world)
    members = begun(world, party, login_hint="ann")
    kept = repr(world.provider.storage.select(Artifact, limit=1000))
    assert members["auth_req_id"] not in kept


def test_what_the_person_allowed_is_a_connected_app_and_ends_there(make_world):
    world = make_world()
    party, browser = till(world), world.browser()
    browser.sign_in()
    members = begun(world, party)
    decided(browser)
    page = browser.get("/o/authorized_tokens/")
    assert "A till" in page.text
    (remove,) = [name for form in forms_of(page.text) for name in form.buttons if "log" not in (name or "")]
    assert browser.submit(page, remove).status_code in (302, 303)
    assert poll(world, party, members).json["error"] == "invalid_grant"


def test_metadata_tells_what_there_is(world):
    document = world.door().open("/o/.well-known/openid-configuration").json
    assert document["backchannel_authentication_endpoint"] == "https://id.example/o/bc-authorize/"
    assert document["backchannel_token_delivery_modes_supported"] == ["ping", "poll"]
    assert document["backchannel_user_code_parameter_supported"] is False
    assert "ES256" in document["backchannel_authentication_request_signing_alg_values_supported"]
    assert "none" not in document["backchannel_authentication_request_signing_alg_values_supported"]
    assert "urn:openid:params:grant-type:ciba" in document["grant_types_supported"]


@pytest.mark.parametrize("settings", [{"CIBA_ENABLED": False}, {"OIDC_ENABLED": False}], ids=str)
def test_switched_off_there_is_nothing_of_it(make_world, settings):
    world = make_world(**settings)
    document = world.door().open("/.well-known/oauth-authorization-server/o").json
    assert "ciba" not in repr(document)
    assert "backchannel_authentication" not in repr(document)
    assert world.door().post("/o/bc-authorize/", {}).status_code == 404
    assert world.browser().get("/o/ciba/").status_code == 404
    party = world.client()
    answer = world.door().token(party, grant_type="urn:openid:params:grant-type:ciba", auth_req_id="x")
    assert error_of(answer) in ("unsupported_grant_type", "unauthorized_client")
