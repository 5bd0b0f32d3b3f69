"""Scopes that nobody knows (RFC 6749 §3.3, OpenID Connect Core §3.1.2.1), and a nonce in place of PKCE."""

import pytest
from security.driving import answered

WITHOUT = {"code_challenge": None, "code_challenge_method": None}


def ask(world, party, **parameters):
    """Return what an authorization request is answered with, by a person who allows it."""
    return answered(world.browser().authorize(party, **parameters))


@pytest.fixture(scope="module")
def or_nonce(make_world):
    return make_world(PKCE_REQUIRED="or_nonce")


@pytest.mark.parametrize(
    "scope",
    [
        "openid profile groups",
        "groups  openid   profile",
        " openid groups profile nosuch ",
        "openid profile openid profile",
    ],
)
def test_with_openid_unknown_scopes_are_left_out_and_spaces_do_not_matter(world, client, scope):
    tokens = world.sign_in(client, scope=scope)
    assert sorted(tokens["scope"].split()) == ["openid", "profile"]
    again = world.door().refresh(client, tokens["refresh_token"], scope=scope)
    assert sorted(again.json["scope"].split()) == ["openid", "profile"]


def test_a_refresh_that_goes_beyond_what_was_allowed_is_told_by_how_much(world, client):
    tokens = world.sign_in(client, scope="openid")
    refused = world.door().refresh(client, tokens["refresh_token"], scope="openid email groups")
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_scope")
    assert refused.json["error_description"] == "The person did not allow the scope email."


def test_a_known_scope_that_the_client_may_not_have_is_refused_by_name(world):
    held = world.client(scope="openid email")
    answer = ask(world, held, scope="openid profile address")
    assert answer["error"] == "invalid_scope"
    assert answer["error_description"] == "This client may not ask for the scopes profile address."


@pytest.mark.parametrize("response_type", ["id_token", "id_token token", "token"])
def test_nobody_is_asked_for_offline_access_where_no_code_comes_of_it(world, response_type):
    for party in (world.client(), world.client(scope="openid read")):
        browser = world.browser()
        asked = {
            "response_type": response_type,
            "scope": "openid offline_access read",
            "nonce": "n",
            **WITHOUT,
        }
        page = browser.consent_page(party, **asked)
        assert "while you are away" not in page.text
        answer = answered(browser.submit(page, "consent-allow"))
        assert "error" not in answer
        assert answer.get("scope", "openid read") == "openid read"


def test_it_is_asked_for_where_a_code_comes_of_it(world, client):
    for response_type in ("code", "code id_token"):
        asked = {"response_type": response_type, "scope": "openid offline_access", "nonce": "n"}
        page = world.browser().consent_page(client, **asked)
        assert "while you are away" in page.text


def test_no_openid_no_leaving_out(world, client):
    answer = ask(world, client, scope="read groups nosuch")
    assert answer["error"] == "invalid_scope"
    assert answer["error_description"] == "Nobody here knows the scopes groups nosuch."


@pytest.mark.parametrize(
    ("setting", "scope", "granted"),
    [
        (True, "read groups", "read"),
        (True, "groups", None),
        (False, "openid groups", None),
        ("openid", "openid groups", "openid"),
    ],
)
def test_the_setting_decides(make_world, setting, scope, granted):
    world = make_world(IGNORE_UNKNOWN_SCOPES=setting)
    client = world.client()
    answer = ask(world, client, scope=scope)
    if granted is None:
        assert answer["error"] == "invalid_scope"
        assert "groups" in answer["error_description"]
    else:
        assert world.tokens(client, scope=scope)["scope"] == granted


def test_a_nonce_stands_in_for_pkce_in_an_openid_request_of_a_confidential_client(or_nonce):
    client = or_nonce.client()
    assert "code" in ask(or_nonce, client, scope="openid", nonce="n", **WITHOUT)
    assert "code" in ask(or_nonce, client, scope="openid", nonce=None)
    assert "code" in ask(or_nonce, client, scope="read", nonce=None)


@pytest.mark.parametrize(
    "asked",
    [{"scope": "openid", "nonce": None}, {"scope": "read", "nonce": "n"}, {"scope": None, "nonce": "n"}],
)
def test_without_a_nonce_that_comes_back_pkce_is_required(or_nonce, asked):
    answer = ask(or_nonce, or_nonce.client(), **asked, **WITHOUT)
    assert answer["error"] == "invalid_request"


def test_a_public_client_needs_pkce_and_a_clients_own_word_overrides_or_nonce(or_nonce):
    openid = {"scope": "openid", "nonce": "n", **WITHOUT}
    public = or_nonce.client(client_type="public", grant_types=("authorization_code",))
    assert ask(or_nonce, public, **openid)["error"] == "invalid_request"
    assert ask(or_nonce, or_nonce.client(require_pkce=True), **openid)["error"] == "invalid_request"
    assert "code" in ask(or_nonce, or_nonce.client(require_pkce=False), scope="read", **WITHOUT)


def test_openid_does_not_count_where_openid_connect_is_off(make_world):
    world = make_world(PKCE_REQUIRED="or_nonce", OIDC_ENABLED=False, SCOPES={"openid": "Not OIDC"})
    answer = ask(world, world.client(), scope="openid", nonce="n", **WITHOUT)
    assert answer["error"] == "invalid_request"
