"""What a token says, whom it is for, who chooses its form, and that it goes on working as any other (RFC 9068 §2)."""

import pytest
from security.driving import CALLBACK, ISSUER, Party, answered, basic, bearer
from support.high_security import register

from portula import ConfigError, hookimpl
from portula.plugin import AccessToken
from portula_testing import jws
from portula_testing.provider import client_for, make_provider

API, FILES = "https://api.example/", "https://files.example/"


def claims_of(house, token, typ="at+jwt"):
    """Verify a token by the published keys, and return its claims."""
    kid = jws.taken_apart(token)[0]["kid"]
    keys = house.door().open("/o/.well-known/jwks.json").json["keys"]
    header, claims = jws.verify_token(token, next(key for key in keys if key["kid"] == kid))
    assert header["typ"] == typ
    return claims


def of_itself(house, client, door=None, **asked):
    """Return the access token of a client for itself."""
    answer = (door or house.door()).token(
        client, grant_type="client_credentials", **{"scope": "read", **asked}
    )
    assert answer.status_code == 200, answer.text
    return answer.json["access_token"]


def is_jwt(token):
    return token.count(".") == 2


# --- What it says ---


def test_a_token_of_a_person_says_what_rfc_9068_asks_for(house, client):
    tokens = house.tokens(client, scope="openid read")
    claims = claims_of(house, tokens["access_token"])
    now = house.clock.time
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "sub": house.ann.sub,
        "aud": ISSUER,
        "client_id": client.client_id,
        "scope": "openid read",
        "iat": now,
        "exp": now + tokens["expires_in"],
        "auth_time": now,
        "acr": "urn:example:password",
        "amr": ["pwd"],
    }
    assert jws.taken_apart(tokens["access_token"])[0]["alg"] == "RS256"


def test_a_token_of_a_client_is_about_that(house, client, door):
    claims = claims_of(house, of_itself(house, client, door))
    assert claims["sub"] == claims["client_id"] == client.client_id
    assert set(claims) == {"iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti"}


def test_a_refresh_changes_nothing_of_the_login(house, client):
    tokens = house.tokens(client, scope="openid read")
    first = claims_of(house, tokens["access_token"])
    house.clock.forward(100)
    refreshed = house.door().refresh(client, tokens["refresh_token"]).json
    second = claims_of(house, refreshed["access_token"])
    same = {"iss", "sub", "aud", "client_id", "scope", "auth_time", "acr", "amr"}
    assert {name: first[name] for name in same} == {name: second[name] for name in same}
    assert (second["iat"], second["exp"]) == (first["iat"] + 100, first["exp"] + 100)
    assert second["jti"] != first["jti"]


def test_no_two_tokens_are_alike(house, client):
    assert len({of_itself(house, client) for _ in range(5)}) == 5


def test_the_subject_is_the_one_by_which_the_client_knows_the_person(house):
    metadata = {"subject_type": "pairwise", "id_token_signed_response_alg": "RS256"}
    pairwise = house.client(metadata=metadata)
    tokens = house.tokens(pairwise, scope="openid read")
    subject = claims_of(house, tokens["access_token"])["sub"]
    assert subject == claims_of(house, tokens["id_token"], typ="JWT")["sub"]


def test_it_is_for_the_resources_that_are_named(house, client):
    assert claims_of(house, of_itself(house, client, resource=API))["aud"] == API
    tokens = house.tokens(client, scope="read", resource=FILES)
    assert claims_of(house, tokens["access_token"])["aud"] == FILES
    answer = house.door().token(client, grant_type="client_credentials", scope="read", resource=[API, FILES])
    assert claims_of(house, answer.json["access_token"])["aud"] == [API, FILES]


def test_a_bound_token_says_what_it_is_bound_to(house, client, prover):
    headers = {**client.auth, **prover.proof()}
    answer = house.door().token(client, headers, grant_type="client_credentials", scope="read")
    assert claims_of(house, answer.json["access_token"])["cnf"] == {"jkt": prover.thumbprint}
    assert answer.json["token_type"] == "DPoP"


def test_a_token_in_the_redirect_is_one_too(house):
    party = house.client(grant_types=("implicit",))
    asked = {"response_type": "token", "code_challenge": None, "code_challenge_method": None}
    token = answered(house.browser().authorize(party, scope="read", **asked))["access_token"]
    assert claims_of(house, token)["auth_time"] == house.clock.time


@pytest.mark.parametrize(("registered", "algorithm"), [("ES256", "ES256"), ("", "RS256")])
def test_it_is_signed_as_the_id_tokens_of_the_client_are(house, registered, algorithm):
    party = house.client(algorithm=registered)
    assert jws.taken_apart(of_itself(house, party))[0]["alg"] == algorithm


def test_a_secret_of_the_client_never_signs_it(house):
    party = house.sealed_client()
    house.change(party, algorithm="HS256")
    assert jws.taken_apart(of_itself(house, party))[0]["alg"] == "RS256"


# --- It goes on working as any other ---


def test_it_is_introspected_and_revoked_and_kept_as_a_digest(house, client, door):
    token = house.tokens(client, scope="openid read")["access_token"]
    for _ in range(2):
        assert door.resource(token).status_code == 200
    assert door.open("/o/userinfo/", headers=bearer(token)).json["sub"] == house.ann.sub
    told = door.introspect(client, token).json
    claims = claims_of(house, token)
    assert {name: told[name] for name in ("iss", "sub", "client_id", "scope", "iat", "exp")} == {
        name: claims[name] for name in ("iss", "sub", "client_id", "scope", "iat", "exp")
    }
    assert token not in repr(house.provider.storage.select(AccessToken, limit=10_000))
    assert door.revoke(client, token).status_code == 200
    assert door.resource(token).status_code == 401
    assert door.is_active(client, token) is False


def test_a_token_that_was_changed_is_unknown(house, client, door):
    header, claims, signature = of_itself(house, client).split(".")
    unsigned = jws.unsigned_token(jws.taken_apart(f"{header}.{claims}.{signature}")[1], typ="at+jwt")
    for token in (f"{header}.{claims}.", f"{header}.{claims}.{signature}A", unsigned):
        assert door.resource(token).status_code == 401


def test_a_refresh_within_the_grace_period_gives_the_same_token(make_house):
    house = make_house(ACCESS_TOKEN_FORMAT="jwt", REFRESH_TOKEN_GRACE_PERIOD_SECONDS=60)
    client, door = house.client(), house.door()
    refresh_token = house.tokens(client)["refresh_token"]
    first, second = (door.refresh(client, refresh_token).json for _ in range(2))
    assert first == second
    assert is_jwt(first["access_token"])


# --- Who chooses ---


def test_tokens_are_opaque_unless_the_client_is_registered_otherwise(make_house):
    house = make_house()
    assert not is_jwt(of_itself(house, house.client()))
    assert is_jwt(of_itself(house, house.client(metadata={"jwt_access_token": True})))


def test_a_client_may_have_opaque_ones(house):
    assert not is_jwt(of_itself(house, house.client(metadata={"jwt_access_token": False})))


def test_a_client_that_registers_itself_may_choose(make_house):
    house = make_house(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")

    def register(value):
        document = {"redirect_uris": [CALLBACK], "jwt_access_token": value}
        return house.door().open("/o/register/", method="POST", json=document)

    registered = register(True)
    assert (registered.status_code, registered.json["jwt_access_token"]) == (201, True)
    party = Party(registered.json["client_id"], registered.json["client_secret"])
    assert is_jwt(house.tokens(party)["access_token"])
    refused = register("yes")
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_client_metadata")


def test_a_callable_decides_by_client_and_resources(make_house):
    seen = []

    def choose(client, resources):
        seen.append((client.client_id, resources))
        return "jwt" if API in resources else "opaque"

    house = make_house(ACCESS_TOKEN_FORMAT=choose, PROTECTED_RESOURCES={API: {}})
    party = house.client(metadata={"jwt_access_token": True})
    assert is_jwt(of_itself(house, party, resource=API))
    assert not is_jwt(of_itself(house, party))
    tokens = house.tokens(party, scope="read", resource=API)
    assert is_jwt(house.door().refresh(party, tokens["refresh_token"]).json["access_token"])
    assert seen[:2] == [(party.client_id, (API,)), (party.client_id, ())]


def test_the_algorithm_may_be_set(make_house):
    house = make_house(ACCESS_TOKEN_FORMAT="jwt", ACCESS_TOKEN_JWT_ALG="PS256")
    party = house.client(algorithm="ES256")
    assert jws.taken_apart(of_itself(house, party))[0]["alg"] == "PS256"


@pytest.mark.parametrize(
    ("set_", "registered", "algorithm"),
    [
        ("RS256", "", "PS256"),
        ("RS256", "ES256", "ES256"),
        ("ES384", "", "PS256"),
        ("EdDSA", "ES256", "EdDSA"),
    ],
)
def test_the_profile_of_a_client_may_allow_fewer(make_house, set_, registered, algorithm):
    house = make_house(ACCESS_TOKEN_FORMAT="jwt", ACCESS_TOKEN_JWT_ALG=set_)
    strict = register(house, metadata={"profile": "fapi2"}, algorithm=registered)
    token = strict.token(grant_type="client_credentials").json["access_token"]
    assert jws.taken_apart(token)[0]["alg"] == algorithm
    assert jws.taken_apart(of_itself(house, house.client()))[0]["alg"] == set_


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ACCESS_TOKEN_FORMAT": "jtw"}, "it is 'opaque', 'jwt', or a callable"),
        ({"ACCESS_TOKEN_FORMAT": 7}, "it is 'opaque', 'jwt', or a callable"),
        ({"ACCESS_TOKEN_FORMAT": "nowhere.to_be_found"}, "ACCESS_TOKEN_FORMAT"),
        ({"ACCESS_TOKEN_JWT_ALG": "none"}, "ACCESS_TOKEN_JWT_ALG: 'none' is none of RS256"),
        ({"ACCESS_TOKEN_JWT_ALG": "HS256"}, "ACCESS_TOKEN_JWT_ALG: 'HS256' is none of RS256"),
        ({"ACCESS_TOKEN_JWT_ALG": "ES256", "SIGNING_ALGORITHMS": ["RS256"]}, "'ES256' is none of RS256"),
    ],
)
def test_a_setting_that_cannot_work_stops_the_start(make_house, settings, said):
    with pytest.raises(ConfigError) as raised:
        make_house(**settings)
    assert said in str(raised.value)


def test_where_nobody_signs_jwts_stop_the_start_and_a_client_gets_opaque_ones():
    rooms = ("jwt_access_tokens", "oauth2", "consent", "generators", "scopes_settings")
    with pytest.raises(ConfigError, match="slot 'jose'"):
        make_provider(*rooms, settings={"ACCESS_TOKEN_FORMAT": "jwt"})
    provider = make_provider(*rooms)
    application, secret = client_for(provider, "client_credentials", metadata={"jwt_access_token": True})
    form = {"grant_type": "client_credentials", "scope": "read"}
    headers = basic(application.client_id, secret)
    answer = provider.app.test_client().post("/o/token/", data=form, headers=headers)
    assert not is_jwt(answer.json["access_token"])


def test_a_server_class_that_makes_no_formats_stops_the_start_where_jwts_are_set(make_house):
    foreign = {"OAUTH2_SERVER_CLASS": "oauthlib.oauth2.WebApplicationServer", "PLUGINS_BLOCKED": ["par"]}
    with pytest.raises(ConfigError, match="it makes tokens in no format 'jwt'"):
        make_house(ACCESS_TOKEN_FORMAT="jwt", **foreign)


# --- What plugins add ---


class Groups:
    """Adds claims, as told."""

    def __init__(self):
        self.claims = {}

    @hookimpl
    def portula_access_token_claims(self, token):
        assert token.exchange.client.client_id == token.claims["client_id"]
        return self.claims


class Details:
    """Puts claims of a feature onto the issue, as told."""

    def __init__(self):
        self.claims = {}

    @hookimpl
    def portula_shape_token(self, exchange):
        exchange.issue.claims.update(self.claims)


@pytest.fixture(scope="module")
def added(make_house):
    groups, details = Groups(), Details()
    house = make_house(groups, details, ACCESS_TOKEN_FORMAT="jwt")
    house.groups, house.details = groups, details
    return house


@pytest.fixture
def nothing_added(added):
    yield added
    added.groups.claims, added.details.claims = {}, {}


def test_a_plugin_adds_groups_roles_and_entitlements(nothing_added):
    house = nothing_added
    house.groups.claims = {"groups": ["tea"], "roles": ["pourer"], "entitlements": [{"value": "cup"}]}
    claims = claims_of(house, of_itself(house, house.client()))
    assert {name: claims[name] for name in house.groups.claims} == house.groups.claims


def test_what_the_issue_says_is_in_the_token(nothing_added):
    house = nothing_added
    house.details.claims = {"act": {"sub": "pourer"}, "authorization_details": [{"type": "cup"}]}
    claims = claims_of(house, of_itself(house, house.client()))
    assert {name: claims[name] for name in house.details.claims} == house.details.claims


REFUSED = {
    "sub": ({"sub": "somebody"}, {}),
    "cnf": ({"cnf": {}}, {}),
    "scope": ({"scope": "admin"}, {}),
    "nbf": ({"nbf": 0}, {}),
    "act": ({"act": {"sub": "x"}}, {}),
    "aud of the issue": ({}, {"aud": "https://elsewhere.example/"}),
    "too many": ({"groups": ["a group of people"] * 1000}, {}),
    "no JSON": ({"groups": {1, 2}}, {}),
}


@pytest.mark.parametrize(("given", "of_issue"), REFUSED.values(), ids=REFUSED)
def test_who_gives_what_is_the_protocols_gets_no_token(nothing_added, caplog, given, of_issue):
    house = nothing_added
    client = house.client()
    before = len(house.provider.storage.select(AccessToken, limit=10_000))
    house.groups.claims, house.details.claims = given, of_issue
    answer = house.door().token(client, grant_type="client_credentials", scope="read")
    assert (answer.status_code, answer.json["error"]) == (500, "server_error")
    assert len(house.provider.storage.select(AccessToken, limit=10_000)) == before
    if "cnf" in given:
        assert "portula_access_token_claims of plugin 'Groups'" in caplog.text
        assert "answers 'cnf', which no plugin may give" in caplog.text


def test_a_person_known_by_the_identifier_of_the_client_gets_no_token(house, client, caplog):
    party = house.client(client_id=house.ann.sub)
    code, verifier = house.browser().code(party, scope="read")
    answer = house.door().redeem(party, code, verifier)
    assert (answer.status_code, answer.json["error"]) == (500, "server_error")
    assert "the subject of a person is the client_id" in caplog.text
