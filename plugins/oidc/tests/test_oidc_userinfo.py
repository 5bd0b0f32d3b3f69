"""Userinfo: OpenID Connect Core §5.3, RFC 6750."""

import json
from types import MappingProxyType

import pytest
from support.exchanges import GRANT, TYPE, Policy

from portula import ConfigError, OAuth2Validator, hookimpl
from portula.errors import InvalidTokenError
from portula.plugin import Step
from portula_testing import jws


@pytest.fixture
def tokens(world, client):
    return world.sign_in(client)


def test_claims_by_name_end_with_the_scope_that_the_client_loses(world):
    client = world.client(scope="openid profile email")
    claims = '{"userinfo": {"name": null, "email": null}, "id_token": {"name": null}}'
    first = world.sign_in(client, scope="openid", claims=claims)
    assert world.userinfo(first["access_token"]).json["name"] == "Ann Example"
    assert world.read(first["id_token"])["name"] == "Ann Example"
    world.change(client, scope="openid email")
    second = world.door().refresh(client, first["refresh_token"]).json
    assert world.userinfo(second["access_token"]).json.keys() == {"sub", "email"}
    assert "name" not in world.read(second["id_token"])


def test_it_tells_the_claims_of_the_granted_scopes(world, tokens):
    response = world.userinfo(tokens["access_token"])
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.json == {
        "sub": world.ann.sub,
        "name": "Ann Example",
        "given_name": "Ann",
        "preferred_username": "ann",
        "updated_at": world.ann.updated_at,
        "email": "ann@example.com",
        "email_verified": True,
        "address": {"locality": "Lund"},
        "phone_number": "+46 1",
    }


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("openid", set()),
        ("openid email", {"email", "email_verified"}),
        ("openid address", {"address"}),
        ("openid phone", {"phone_number"}),
        ("openid profile", {"name", "given_name", "preferred_username", "updated_at"}),
    ],
)
def test_each_scope_stands_for_its_claims(world, client, scope, names):
    told = world.userinfo(world.sign_in(client, scope=scope)["access_token"]).json
    assert told.keys() - {"sub"} == names


def test_single_claims_can_be_asked_for(world, client):
    asked = json.dumps({"userinfo": {"given_name": {"essential": True}, "shoe_size": None}})
    told = world.userinfo(world.sign_in(client, scope="openid", claims=asked)["access_token"]).json
    assert told == {"sub": world.ann.sub, "given_name": "Ann"}


def test_they_are_told_after_a_refresh_too(world, client):
    asked = json.dumps({"userinfo": {"given_name": None}})
    first = world.sign_in(client, scope="openid", claims=asked)
    again = world.door().refresh(client, first["refresh_token"]).json
    assert world.userinfo(again["access_token"]).json["given_name"] == "Ann"


def test_a_person_is_asked_about_single_claims_too(world, browser, client):
    page = browser.consent_page(client, scope="openid", claims='{"userinfo": {"email": null}}')
    assert "See your e-mail address" in page.text
    assert "See your phone number" not in page.text


class WithSalary(OAuth2Validator):
    oidc_claim_scope = MappingProxyType({"email": "email", "salary": "payroll"})

    def get_additional_claims(self, request):
        return {"salary": 100_000}


ASKED = json.dumps({"userinfo": {"salary": None, "email": None}})


@pytest.fixture(scope="module")
def payroll(make_world):
    return make_world(
        OAUTH2_VALIDATOR_CLASS=WithSalary,
        SCOPES={"read": "Read", "payroll": "See your salary"},
        TOKEN_EXCHANGE_POLICY=Policy(),
    )


def test_a_claim_by_name_needs_that_the_client_may_ask_for_its_scope(payroll):
    """Else `claims` would go round the scopes that a client is registered with (Core §5.5)."""
    for scope, told in (("openid", set()), ("openid email", {"email"}), ("openid payroll", {"salary"})):
        client = payroll.client(scope=scope)
        tokens = payroll.sign_in(client, scope="openid", claims=ASKED)
        assert payroll.userinfo(tokens["access_token"]).json.keys() - {"sub"} == told


def test_the_person_is_asked_about_claims_of_the_deployments_own(payroll):
    page = payroll.browser().consent_page(payroll.client(), scope="openid", claims=ASKED)
    assert "See your salary" in page.text
    assert "See your e-mail address" in page.text
    page = payroll.browser().consent_page(payroll.client(scope="openid"), scope="openid", claims=ASKED)
    assert "See your" not in page.text


def test_a_client_that_exchanges_a_token_gets_no_claims_that_another_was_allowed(payroll):
    shop, api = payroll.client(), payroll.client(grant_types=(GRANT,), redirect_uris=())
    tokens = payroll.sign_in(shop, scope="openid", claims=ASKED)
    given = {"subject_token": tokens["access_token"], "subject_token_type": f"{TYPE}access_token"}
    exchanged = payroll.door().token(api, api.auth, grant_type=GRANT, **given).json
    assert payroll.userinfo(exchanged["access_token"]).json.keys() == {"sub"}


def test_by_post_the_token_may_stand_in_the_body(world, tokens):
    by_header = world.userinfo(tokens["access_token"], method="POST")
    in_body = world.userinfo(None, method="POST", data={"access_token": tokens["access_token"]})
    assert by_header.json == in_body.json == world.userinfo(tokens["access_token"]).json


def test_a_token_in_two_places_is_an_invalid_request(world, tokens):
    token = tokens["access_token"]
    response = world.userinfo(token, method="POST", data={"access_token": token})
    assert (response.status_code, response.json["error"]) == (400, "invalid_request")


def test_a_token_in_the_query_counts_for_nothing(world, tokens):
    response = world.userinfo(None, query_string={"access_token": tokens["access_token"]})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="portula", scope="openid"')


def test_without_a_token_it_asks_for_one(world):
    response = world.userinfo(None)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    assert "error" not in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("kind", ["unknown", "revoked", "expired", "refresh", "ID"])
def test_what_is_no_live_access_token_is_refused(world, client, kind):
    tokens = world.sign_in(client)
    value = tokens["access_token"]
    if kind == "revoked":
        world.door().revoke(client, value)
    elif kind == "expired":
        world.clock.forward(36001)
    value = {"unknown": "x" * 40, "refresh": tokens["refresh_token"], "ID": tokens["id_token"]}.get(
        kind, value
    )
    response = world.userinfo(value)
    assert (response.status_code, response.json["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_a_token_without_openid_does_not_suffice(world, client):
    response = world.userinfo(world.tokens(client, scope="read")["access_token"])
    assert (response.status_code, response.json["error"]) == (403, "insufficient_scope")
    assert 'scope="openid"' in response.headers["WWW-Authenticate"]


def test_a_token_of_a_client_itself_does_not_suffice(world, client):
    machine = world.door().token(client, grant_type="client_credentials", scope="openid read").json
    assert world.userinfo(machine["access_token"]).status_code == 403


def test_who_is_disabled_is_told_of_no_longer(make_world):
    world = make_world()
    token = world.sign_in(world.client())["access_token"]
    world.users.disable(world.users.find(world.ann.sub))
    assert world.userinfo(token).status_code == 401


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_it_is_signed_for_clients_that_are_registered_so(world, algorithm):
    client = world.client(metadata={"userinfo_signed_response_alg": algorithm})
    response = world.userinfo(world.sign_in(client)["access_token"])
    assert response.mimetype == "application/jwt"
    text = response.get_data(as_text=True)
    assert jws.taken_apart(text)[0]["alg"] == algorithm
    claims = world.read(text)
    assert (claims["iss"], claims["aud"]) == ("https://id.example/o", client.client_id)
    assert (claims["sub"], claims["given_name"]) == (world.ann.sub, "Ann")
    assert "nonce" not in claims


@pytest.mark.parametrize("kind", ["flask", "wsgi"])
def test_pages_of_any_origin_may_ask_without_cookies(world, tokens, kind):
    door = world.door(kind)
    headers = {
        "Origin": "https://spa.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    preflight = door.open("/o/userinfo/", method="OPTIONS", headers=headers)
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    given = {"Origin": "https://spa.example", "Authorization": f"Bearer {tokens['access_token']}"}
    response = door.open("/o/userinfo/", headers=given)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in response.headers
    assert door.open("/o/userinfo/").headers["Access-Control-Allow-Origin"] == "*"


class Loyalty:
    @hookimpl
    def portula_userinfo_claims(self, info):
        return {"loyalty": "gold", "sub": "somebody else", "email": "evil@example.com"}


def test_plugins_add_claims_and_overwrite_none(make_world):
    world = make_world(Loyalty())
    told = world.userinfo(world.sign_in(world.client())["access_token"]).json
    assert told["loyalty"] == "gold"
    assert (told["sub"], told["email"]) == (world.ann.sub, "ann@example.com")


class Inserting:
    def __init__(self, run, **place):
        self.step = Step(endpoint="userinfo", name="tea", run=run, **place)

    @hookimpl
    def portula_steps(self, provider):
        return [self.step]


def test_a_step_of_a_plugin_refuses_as_a_resource_does(make_world):
    def refuse(exchange):
        """Refuse tokens that are not for here, as a sender-constrained one without its proof (RFC 9449 §7.1)."""
        if exchange.client.name == "Tea":
            raise InvalidTokenError(description="No tea.")

    world = make_world(Inserting(refuse, after="live", reads=frozenset({"client"})))
    assert world.userinfo(world.sign_in(world.client())["access_token"]).status_code == 200
    answer = world.userinfo(world.sign_in(world.client(name="Tea"))["access_token"])
    assert (answer.status_code, answer.json["error_description"]) == (401, "No tea.")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_step_of_a_plugin_changes_claims_before_they_are_signed(make_world):
    def shorten(exchange):
        """Leave the address out."""
        exchange.response.pop("address")

    world = make_world(Inserting(shorten, before="sign", reads=frozenset({"response"})))
    client = world.client(metadata={"userinfo_signed_response_alg": "RS256"})
    claims = world.read(world.userinfo(world.sign_in(client)["access_token"]).text)
    assert claims["name"] == "Ann Example"
    assert "address" not in claims


def test_a_step_beside_an_unknown_one_stops_the_start(make_world):
    with pytest.raises(ConfigError, match=r"'tea' of plugin 'Inserting' stands beside 'claim'.*'claims'"):
        make_world(Inserting(lambda exchange: None, after="claim"))


class Signing(OAuth2Validator):
    """Signs userinfo by itself, as oauthlib's interface allows."""

    def get_userinfo_claims(self, request):
        claims = super().get_userinfo_claims(request)
        return f"signed.for.{claims['sub']}"


def test_a_validator_class_may_sign_userinfo_itself(make_world):
    world = make_world(OAUTH2_VALIDATOR_CLASS=Signing)
    answer = world.userinfo(world.sign_in(world.client())["access_token"])
    assert (answer.mimetype, answer.text) == ("application/jwt", f"signed.for.{world.ann.sub}")
