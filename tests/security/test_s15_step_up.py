"""S15: a view that needs a newer or a better sign-in gets it, and no way around leads past it (RFC 9470)."""

import pytest
from support.elsewhere import API, Elsewhere
from support.proofs import Prover

from portula_resource_server import require_oauth
from security.driving import PASSWORD, answered, bearer, error_of, pkce
from security.house import House

CLASSES = {"1": (), "password": ("pwd",), "key": ("pwd", "hwk")}


def guard(app):
    for name, demand in {
        "recent": {"max_age": 300},
        "password": {"acr_values": ["password"]},
        "key": {"acr_values": ["key", "better"], "max_age": 300},
    }.items():
        app.add_url_rule(f"/{name}", name, require_oauth("read", **demand)(lambda: "the resource"))


@pytest.fixture(scope="module")
def house():
    made = House(OIDC_ENABLED=True, ACR_VALUES=CLASSES, ACR_VALUES_ESSENTIAL=True)
    guard(made.app)
    return made


@pytest.fixture(params=["opaque", "JWT"])
def party(house, request):
    return house.client(metadata={"jwt_access_token": request.param == "JWT"}, scope="openid read")


def challenge_of(answer, scheme="Bearer"):
    """Return the parameters of a challenge, as a client reads them."""
    assert answer.status_code == 401
    sent = answer.headers["WWW-Authenticate"]
    (part,) = [part for part in sent.replace(", DPoP ", "\nDPoP ").splitlines() if part.startswith(scheme)]
    fields = (field.split("=", 1) for field in part.removeprefix(f"{scheme} ").split(", "))
    return {name: value.strip('"') for name, value in fields}


def ask(browser, party, **parameters):
    return browser.ask(party, code_challenge=pkce()[1], code_challenge_method="S256", **parameters)


def tokens_of(house, browser, party, **parameters):
    code, verifier = browser.code(party, **parameters)
    return house.door().redeem(party, code, verifier).json


@pytest.mark.parametrize("scope", ["openid read", "read"])
def test_a_client_reads_the_challenge_and_comes_back_with_what_is_needed(house, party, scope):
    """The whole loop of RFC 9470 §2; the person is asked once more, and once only."""
    browser, door = house.browser(), house.door()
    token = tokens_of(house, browser, party, scope=scope)["access_token"]
    assert door.open("/recent", headers=bearer(token)).status_code == 200
    house.clock.forward(301)
    refused = door.open("/recent", headers=bearer(token))
    said = challenge_of(refused)
    assert (said["error"], said["max_age"]) == ("insufficient_user_authentication", "300")
    assert error_of(refused, 401) == said["error"]
    assert "acr_values" not in said

    again = ask(browser, party, scope=scope, max_age=said["max_age"])
    assert again.location.startswith("/accounts/login/")
    better = tokens_of(house, browser, party, scope=scope, max_age=said["max_age"])["access_token"]
    assert door.open("/recent", headers=bearer(better)).status_code == 200
    page = ask(browser, party, scope=scope, max_age=said["max_age"])
    assert "consent-allow" in page.text  # and no sign-in


def test_a_refresh_makes_no_sign_in_newer(house, party):
    browser, door = house.browser(), house.door()
    tokens = tokens_of(house, browser, party)
    house.clock.forward(301)
    refreshed = door.refresh(party, tokens["refresh_token"]).json["access_token"]
    assert challenge_of(door.open("/recent", headers=bearer(refreshed)))["max_age"] == "300"


def test_a_token_that_no_sign_in_is_behind_is_never_enough(house, party):
    own = house.door().token(party, grant_type="client_credentials", scope="read").json["access_token"]
    assert challenge_of(house.door().open("/password", headers=bearer(own)))["acr_values"] == "password"
    assert house.door().open("/resource", headers=bearer(own)).status_code == 200


@pytest.mark.parametrize("scope", ["openid read", "read"])
def test_a_class_that_is_reached_is_told_with_the_token(house, party, scope):
    browser = house.browser()
    token = tokens_of(house, browser, party, scope=scope, acr_values="key password")
    assert house.door().open("/password", headers=bearer(token["access_token"])).status_code == 200
    told = house.door().introspect(party, token["access_token"]).json
    assert (told["acr"], told["auth_time"]) == ("password", house.clock.time)


@pytest.mark.parametrize("scope", ["openid read", "read"])
def test_a_class_that_nothing_here_reaches_is_refused_after_one_sign_in(house, party, scope):
    browser = house.browser()
    browser.sign_in()
    house.clock.forward(1)
    asked = ask(browser, party, scope=scope, acr_values="key")
    assert asked.location.startswith("/accounts/login/")
    page = browser.get(asked.location)
    back = browser.submit(page, "login-submit", username="ann", password=PASSWORD)
    assert answered(browser.get(back.location))["error"] == "unmet_authentication_requirements"


def test_where_it_is_no_demand_it_is_a_wish():
    """OpenID Connect Core §3.1.2.1; the token says what was reached, and the view still refuses."""
    house = House(OIDC_ENABLED=True, ACR_VALUES=CLASSES)
    guard(house.app)
    party = house.client()
    token = tokens_of(house, house.browser(), party, acr_values="key")["access_token"]
    said = challenge_of(house.door().open("/key", headers=bearer(token)))
    assert (said["acr_values"], said["max_age"]) == ("key better", "300")


@pytest.mark.parametrize("value", ["-1", "300.0", "1e3", "", "x" * 12])
def test_a_max_age_that_is_none_is_an_invalid_request(house, party, value):
    assert answered(house.browser().ask(party, max_age=value))["error"] == "invalid_request"


def test_a_bound_token_is_challenged_by_its_scheme(house):
    party, prover = house.client(), Prover(lambda: house.clock.time)
    code, verifier = house.browser().code(party)
    tokens = house.door().redeem(party, code, verifier, headers={**party.auth, **prover.proof()}).json
    house.clock.forward(301)
    refused = house.door().open("/recent", headers=prover.at("/recent", tokens["access_token"]))
    assert challenge_of(refused, "DPoP")["error"] == "insufficient_user_authentication"
    assert "error" not in challenge_of(refused, "Bearer")


def test_a_server_elsewhere_reads_it_from_the_jwt():
    elsewhere = Elsewhere()
    guard(elsewhere.app)
    house, party = elsewhere.house, elsewhere.house.client()
    token = tokens_of(house, house.browser(), party, resource=API)["access_token"]
    http = elsewhere.app.test_client()
    assert http.get("/recent", headers=bearer(token), base_url=API).status_code == 200
    house.clock.forward(301)
    refused = http.get("/recent", headers=bearer(token), base_url=API)
    assert challenge_of(refused)["error"] == "insufficient_user_authentication"
    assert challenge_of(http.get("/key", headers=bearer(token), base_url=API))["acr_values"] == "key better"


@pytest.mark.parametrize(
    ("demand", "error"),
    [
        ({"acr_values": "gold"}, TypeError),
        ({"acr_values": ["two words"]}, ValueError),
        ({"acr_values": ['"']}, ValueError),
        ({"acr_values": [""]}, ValueError),
        ({"max_age": -1}, ValueError),
    ],
)
def test_a_demand_that_no_challenge_can_say_is_refused_at_import(demand, error):
    with pytest.raises(error, match=r"acr_values|max_age"):
        require_oauth("read", **demand)
