import hashlib
import re

import pytest
from support.signing_out import HOME

from portula import Plugin
from portula.plugin import Application, AuthorizationResponse, OAuthRequest, exchange_of

ON = {"OIDC_SESSION_MANAGEMENT_ENABLED": True}
COOKIE = "__Host-portula_browser_state"
CHECK = "/o/session/check/"


@pytest.fixture
def house(make):
    return make(**ON)


def answer_to(house, browser, scopes=("openid",), redirect_uri="https://tea.example:8443/cb", sid=None):
    """Let a browser get an answer from the authorization endpoint; return its session_state."""

    def work():
        session = house.provider.hooks.ask(Plugin.portula_sessions).current()
        asked = OAuthRequest("/o/authorize/", "GET", [("client_id", "tea")])
        asked.client, asked.redirect_uri, asked.scopes = (
            Application(client_id="tea"),
            redirect_uri,
            list(scopes),
        )
        exchange = exchange_of(asked, house.provider)
        asked.user = "ada"
        exchange.begin(sid=sid or (session.sid if session else None))
        answer = AuthorizationResponse(provider=house.provider, request=asked, response={"code": "c"})
        return house.provider.hooks.enrich(Plugin.portula_authorization_response, answer)

    house.work = work
    return browser.get("/work").json.get("session_state")


def cookie_of(browser):
    return browser.client.get_cookie(COOKIE, "id.example")


def unchanged(browser, state, origin="https://tea.example:8443", client_id="tea"):
    """Judge a session_state as the script of the frame does."""
    cookie = cookie_of(browser)
    digest, salt = state.split(".")
    text = f"{client_id} {origin} {cookie.value if cookie else ''} {salt}"
    return hashlib.sha256(text.encode()).hexdigest() == digest


def test_it_stands_in_the_metadata_when_it_is_on(make, house):
    assert house.provider.metadata_document["check_session_iframe"] == "session/check/"
    off = make()
    assert "check_session_iframe" not in off.provider.metadata_document
    assert off.browser().get(CHECK).status_code == 404


def test_an_app_is_told_a_state_that_stays_the_same_until_the_person_signs_out(house):
    ada = house.browser("ada")
    first, second = answer_to(house, ada), answer_to(house, ada)
    assert first != second
    assert " " not in first
    assert unchanged(ada, first)
    assert unchanged(ada, second)
    assert not unchanged(ada, first, origin="https://evil.example")
    assert not unchanged(ada, first, client_id="other")
    ada.get("/in/ada")
    assert unchanged(ada, first)
    ada.press(ada.ask())
    assert not unchanged(ada, first)


def test_it_changes_when_somebody_else_signs_in(house):
    browser = house.browser("ada")
    state = answer_to(house, browser)
    browser.get("/in/bob")
    assert not unchanged(browser, state)
    assert unchanged(browser, answer_to(house, browser))


def test_another_browser_that_signs_out_changes_nothing(house):
    ada, other = house.browser("ada"), house.browser("ada")
    state = answer_to(house, ada)
    answer_to(house, other)
    other.press(other.ask())
    assert unchanged(ada, state)


def test_the_cookie_can_be_read_by_the_frame_and_opens_nothing(house):
    ada = house.browser("ada")
    answer_to(house, ada)
    cookie = cookie_of(ada)
    assert (cookie.http_only, cookie.secure, cookie.same_site) == (False, True, "None")
    assert ada.sid not in cookie.value
    thief = house.browser()
    thief.client.set_cookie(COOKIE, cookie.value, domain="id.example", secure=True)
    assert thief.who == "nobody"


def test_a_cookie_that_was_planted_is_replaced(house):
    ada = house.browser("ada")
    ada.client.set_cookie(COOKIE, "planted", domain="id.example", secure=True)
    assert unchanged(ada, answer_to(house, ada))
    assert cookie_of(ada).value != "planted"


@pytest.mark.parametrize(
    "asked", [{"scopes": ["read"]}, {"redirect_uri": "com.example.tea:/cb"}], ids=["no-openid", "no-origin"]
)
def test_who_could_not_watch_is_told_no_state(house, asked):
    ada = house.browser("ada")
    assert answer_to(house, ada, **asked) is None
    assert cookie_of(ada) is None


def test_switched_off_there_is_neither_state_nor_cookie(make):
    house = make()
    ada = house.browser("ada")
    assert answer_to(house, ada) is None
    assert cookie_of(ada) is None


def test_the_frame_may_stand_in_every_app_and_has_no_script_but_ours(house):
    page = house.browser().get(CHECK)
    policy = page.headers["Content-Security-Policy"]
    assert page.status_code == 200
    assert "X-Frame-Options" not in page.headers
    assert "frame-ancestors" not in policy
    assert "default-src 'none'; script-src 'self'" in policy
    assert f'data-cookie="{COOKIE}"' in page.text
    (script,) = re.findall(r'<script src="([^"]*)"', page.text)
    with house.app.test_client().get(script, base_url=HOME) as answer:
        assert answer.status_code == 200
        assert "postMessage" in answer.text


def test_every_other_page_stays_out_of_frames(house):
    assert house.browser("ada").ask().headers["X-Frame-Options"] == "DENY"
