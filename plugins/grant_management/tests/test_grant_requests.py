"""Authorization requests that name a grant: which are refused, how, and what the person is told (§5.2 to §5.4)."""

import pytest
from security.driving import PASSWORD, answered, error_of
from support import backchannel, devices
from support.details import PAYMENT
from support.managed_grants import MANAGED, Managed, details
from support.pushing import VERIFIER, bring, pushed, reference

from portula.plugin import Authorization
from portula_testing import jws

UNKNOWN = "TSdqirmAxDa0_-DB_1bASQ"


def refusal(shop, browser=None, **parameters):
    """Return the error that the client hears of."""
    return answered((browser or shop.browser).consent_page(shop.party, **parameters))["error"]


@pytest.fixture
def bob(world):
    """The browser of somebody else, who has signed in."""
    user = world.user()
    browser = world.browser()
    browser.sign_in(user.username, PASSWORD)
    return browser


# --- Refused ---


@pytest.mark.parametrize(
    "parameters",
    [
        {"grant_id": UNKNOWN},
        {"grant_id": UNKNOWN, "grant_management_action": "create"},
        {"grant_management_action": "merge"},
        {"grant_management_action": "replace"},
        {"grant_management_action": "merge", "grant_id": ""},
        {"grant_management_action": "update", "grant_id": UNKNOWN},
        {"grant_management_action": "query", "grant_id": UNKNOWN},
        {"grant_management_action": "revoke", "grant_id": UNKNOWN},
        {"grant_management_action": "Create"},
        {"grant_management_action": "create merge", "grant_id": UNKNOWN},
    ],
)
def test_parameters_that_do_not_fit_are_an_invalid_request(shop, parameters):
    shop.browser.sign_in()
    assert refusal(shop, **parameters) == "invalid_request"


@pytest.mark.parametrize("name", ["grant_id", "grant_management_action"])
def test_a_repeated_parameter_is_an_invalid_request(shop, name):
    shop.browser.sign_in()
    assert (
        refusal(shop, **{"grant_management_action": "create", name: ["merge", "merge"]}) == "invalid_request"
    )


@pytest.mark.parametrize("response_type", ["token", "id_token", "code token", "code id_token token"])
def test_a_response_type_without_a_token_response_or_with_a_token_beside_it_is_refused(shop, response_type):
    shop.browser.sign_in()
    asked = {"response_type": response_type, "scope": "openid", "nonce": "a nonce"}
    assert refusal(shop, **asked, grant_management_action="create") == "invalid_request"


def test_a_code_with_an_id_token_has_a_grant(shop):
    code = shop.code(response_type="code id_token", scope="openid", nonce="a nonce")
    assert "grant_id" in shop.redeem(code).json


def test_a_public_client_has_no_grants(world):
    party = world.public_client()
    browser = world.browser()
    browser.sign_in()
    page = browser.consent_page(party, grant_management_action="create")
    assert answered(page)["error"] == "invalid_request"
    assert browser.consent_page(party).status_code == 200


@pytest.mark.parametrize("action", ["merge", "replace"])
def test_unknown_ended_and_foreign_grants_are_told_alike(world, shop, action):
    other = Managed(world)
    ended = shop.tokens()["grant_id"]
    assert shop.call(ended, "DELETE").status_code == 204
    foreign = other.tokens()["grant_id"]
    temporary = shop.code()  # of a grant that is not there yet
    ids = [UNKNOWN, ended, foreign, temporary[0], foreign.upper(), "x" * 3000, "\u00e9", "../x"]
    answers = []
    for grant_id in ids:
        asked = {"grant_management_action": action, "grant_id": grant_id, "code_challenge": "c" * 43}
        page = shop.browser.consent_page(shop.party, **asked)
        sent = answered(page)
        answers.append({name: sent[name] for name in ("error", "error_description")})
    assert [each["error"] for each in answers] == ["invalid_grant_id"] * len(ids)
    assert all(each == answers[0] for each in answers)
    assert other.active(other.tokens()["access_token"]) == [True]


@pytest.mark.parametrize("action", ["merge", "replace"])
def test_another_persons_grant_is_told_like_an_unknown_one(shop, bob, action):
    tokens = shop.tokens()
    asked = {"grant_management_action": action, "grant_id": tokens["grant_id"], "scope": "write"}
    assert refusal(shop, bob, **asked) == "invalid_grant_id"
    assert shop.active(tokens["access_token"], tokens["refresh_token"]) == [True, True]
    assert [each["scope"] for each in shop.query(tokens["grant_id"])["scopes"]] == ["read"]


def test_one_authorization_is_not_named_by_the_identifier_it_is_kept_under(world, shop):
    shop.tokens()
    known = [
        each.id
        for each in world.provider.storage.select(Authorization)
        if each.client_id == shop.party.client_id
    ]
    for identifier in known:
        asked = {"grant_management_action": "merge", "grant_id": identifier}
        assert refusal(shop, **asked) == "invalid_grant_id"


# --- Settings ---


def test_an_action_may_be_required(make_world):
    shop = Managed(make_world(**MANAGED, GRANT_MANAGEMENT_ACTION_REQUIRED=True))
    shop.browser.sign_in()
    assert refusal(shop) == "invalid_request"
    assert shop.is_known(shop.tokens()["grant_id"])


def test_actions_that_are_left_out_are_refused_and_not_advertised(make_world):
    shop = Managed(make_world(**MANAGED, GRANT_MANAGEMENT_ACTIONS=["create", "query"]))
    grant_id = shop.tokens()["grant_id"]
    for action in ("merge", "replace"):
        assert refusal(shop, grant_management_action=action, grant_id=grant_id) == "invalid_request"
    assert shop.is_known(grant_id)
    refused = shop.call(grant_id, "DELETE")
    assert refused.status_code == 405
    assert "GET" in refused.headers["Allow"]
    assert shop.is_known(grant_id)
    metadata = shop.door.open("/o/.well-known/oauth-authorization-server").json
    assert metadata["grant_management_actions_supported"] == ["create", "query"]


def test_metadata_names_the_endpoint_and_what_it_does(shop):
    metadata = shop.door.open("/o/.well-known/oauth-authorization-server").json
    assert metadata["grant_management_endpoint"] == "https://id.example/o/grants"
    assert metadata["grant_management_actions_supported"] == ["create", "merge", "query", "replace", "revoke"]
    assert metadata["grant_management_action_required"] is False


def test_off_the_parameters_are_ignored_and_nothing_is_there(make_world):
    settings = {name: value for name, value in MANAGED.items() if name != "GRANT_MANAGEMENT_ENABLED"}
    shop = Managed(make_world(**settings))
    tokens = shop.redeem(shop.code("merge", UNKNOWN))
    assert tokens.status_code == 200
    assert "grant_id" not in tokens.json
    assert shop.call(UNKNOWN, token=tokens.json["access_token"]).status_code == 404
    metadata = shop.door.open("/o/.well-known/oauth-authorization-server").json
    assert not [name for name in metadata if name.startswith("grant_management")]
    form = {"grant_type": "client_credentials", "scope": "grant_management_query"}
    assert error_of(shop.door.token(shop.party, **form)) == "invalid_scope"


# --- What the person is told ---


def test_the_page_says_what_is_widened(shop):
    grant_id = shop.tokens(scope="read", authorization_details=details(PAYMENT))["grant_id"]
    asked = {"grant_management_action": "merge", "grant_id": grant_id, "scope": "write"}
    page = shop.browser.consent_page(shop.party, **asked).text
    assert "in addition to what you allowed on" in page
    for text in ("Keeps", "Read", "Make a payment", "123.50 EUR"):
        assert text in page, text


def test_the_page_says_what_is_lost(shop):
    grant_id = shop.tokens(scope="read")["grant_id"]
    asked = {"grant_management_action": "replace", "grant_id": grant_id, "scope": "write"}
    page = shop.browser.consent_page(shop.party, **asked).text
    assert "in place of what you allowed on" in page
    assert "Loses" in page
    assert "Read" in page


@pytest.mark.parametrize("action", ["merge", "replace"])
def test_nothing_is_changed_unseen_although_all_of_it_was_allowed_before(shop, action):
    grant_id = shop.tokens(scope="read write")["grant_id"]
    assert shop.browser.consent_page(shop.party, scope="read").status_code == 302  # it is remembered
    asked = {"grant_management_action": action, "grant_id": grant_id, "scope": "read"}
    assert shop.browser.consent_page(shop.party, **asked).status_code == 200
    silent = shop.browser.consent_page(shop.party, **{**asked, "scope": "openid read"}, prompt="none")
    assert answered(silent)["error"] == "consent_required"


def test_who_says_no_changes_nothing(shop):
    tokens = shop.tokens(scope="read")
    asked = {"grant_management_action": "replace", "grant_id": tokens["grant_id"], "scope": "write"}
    denied = shop.browser.authorize(shop.party, "consent-deny", **asked)
    assert answered(denied)["error"] == "access_denied"
    assert shop.active(tokens["access_token"]) == [True]


def test_a_trusted_client_shows_no_page_here_either(world):
    shop = Managed(world, skip_authorization=True)
    grant_id = shop.tokens(scope="read")["grant_id"]
    assert set(shop.tokens("merge", grant_id, scope="write")["scope"].split()) == {"read", "write"}


# --- Other authorization requests ---


def test_a_pushed_request_is_judged_as_it_is_pushed_and_names_a_grant(world, shop):
    refused = pushed(world, shop.party, grant_management_action="merge", grant_id=UNKNOWN)
    assert error_of(refused) == "invalid_grant_id"
    assert error_of(pushed(world, shop.party, grant_id=UNKNOWN)) == "invalid_request"
    grant_id = shop.tokens(scope="read")["grant_id"]
    asked = {"grant_management_action": "merge", "grant_id": grant_id, "scope": "write"}
    page = bring(shop.browser, reference(world, shop.party, **asked))
    sent = answered(shop.browser.submit(page, "consent-allow"))
    assert set(shop.redeem((sent["code"], VERIFIER)).json["scope"].split()) == {"read", "write"}


def test_a_request_object_names_a_grant_and_what_stands_beside_it_does_not(world):
    key = jws.TokenKey("ES256")
    shop = Managed(world, metadata={"jwks": key.jwks})
    grant_id = shop.tokens(scope="read")["grant_id"]
    said = {
        "iss": shop.party.client_id,
        "aud": "https://id.example/o",
        "client_id": shop.party.client_id,
        "response_type": "code",
        "redirect_uri": shop.party.redirect_uri,
        "scope": "write",
    }
    inside = key.sign({**said, "grant_management_action": "merge", "grant_id": grant_id})
    beside = {"grant_management_action": "replace", "grant_id": UNKNOWN}
    sent = answered(shop.browser.authorize(shop.party, request=inside, **beside))
    tokens = shop.redeem((sent["code"], None)).json
    assert set(tokens["scope"].split()) == {"read", "write"}
    wrong = key.sign({**said, "grant_management_action": "merge", "grant_id": UNKNOWN})
    assert refusal(shop, request=wrong) == "invalid_grant_id"
    number = key.sign({**said, "grant_management_action": "merge", "grant_id": 7})
    assert refusal(shop, request=number) in {"invalid_request_object", "invalid_request", "invalid_grant_id"}


def test_a_device_has_a_grant_and_widens_it(world):
    shop = Managed(
        world, name="A television", grant_types=(*devices.GRANTS, "client_credentials"), redirect_uris=()
    )
    shop.browser.sign_in()
    assert error_of(devices.asked(world, shop.party, grant_id=UNKNOWN)) == "invalid_request"
    merge = {"grant_management_action": "merge"}
    assert error_of(devices.asked(world, shop.party, **merge, grant_id=UNKNOWN)) == "invalid_grant_id"

    def allowed(**asked):
        codes = devices.begun(world, shop.party, **asked)
        assert "grant_id" not in codes
        devices.answered(shop.browser, codes["user_code"])
        return devices.poll(world, shop.party, codes).json

    first = allowed(scope="read", grant_management_action="create")
    second = allowed(scope="write", **merge, grant_id=first["grant_id"])
    assert set(second["scope"].split()) == {"read", "write"}
    assert shop.active(first["access_token"], second["access_token"]) == [False, True]
    assert shop.is_known(first["grant_id"])


def test_somebody_else_cannot_widen_a_grant_at_a_device(world, bob):
    shop = Managed(
        world, name="A television", grant_types=(*devices.GRANTS, "client_credentials"), redirect_uris=()
    )
    shop.browser.sign_in()
    codes = devices.begun(world, shop.party, scope="read", grant_management_action="create")
    devices.answered(shop.browser, codes["user_code"])
    tokens = devices.poll(world, shop.party, codes).json
    asked = {"grant_management_action": "merge", "grant_id": tokens["grant_id"], "scope": "write"}
    codes = devices.begun(world, shop.party, **asked)
    page = devices.to_page(bob, codes["user_code"])
    assert page.status_code == 400
    assert "consent-allow" not in page.text
    assert shop.active(tokens["access_token"]) == [True]


def test_a_till_has_a_grant_and_replaces_it(world):
    grant_types = (backchannel.GRANT, "refresh_token", "client_credentials")
    shop = Managed(world, name="A till", grant_types=grant_types, redirect_uris=())
    shop.browser.sign_in()
    replace = {"grant_management_action": "replace"}
    assert error_of(backchannel.asked(world, shop.party, **replace, grant_id=UNKNOWN)) == "invalid_grant_id"

    def allowed(**asked):
        members = backchannel.begun(world, shop.party, **asked)
        backchannel.decided(shop.browser)
        return backchannel.poll(world, shop.party, members).json

    first = allowed(scope="openid read", grant_management_action="create")
    second = allowed(scope="openid write", **replace, grant_id=first["grant_id"])
    assert set(second["scope"].split()) == {"openid", "write"}
    assert shop.active(first["access_token"], second["access_token"]) == [False, True]
    assert second["grant_id"] == first["grant_id"]
