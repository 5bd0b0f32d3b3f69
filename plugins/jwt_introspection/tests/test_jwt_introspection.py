"""Introspection answers as signed JWTs: RFC 9701 §4 to §8."""

import pytest
from security.driving import basic, bearer, error_of
from support.openid import World

import portula_jose
from portula import ConfigError, hookimpl
from portula.errors import InvalidClientMetadata, JoseError
from portula.plugin import Application
from portula_testing import jws
from portula_testing.writing import change_in

ISSUER = "https://id.example/o"
JWT, JSON = "application/token-introspection+jwt", "application/json"
SIGNED_ALG = "introspection_signed_response_alg"


@pytest.fixture(scope="module")
def server(world):
    """A resource server: the operator gave it the scope."""
    return world.client(scope="read introspection")


@pytest.fixture(scope="module")
def held(world):
    """A resource server that is registered for JWTs."""
    return world.client(scope="introspection", metadata={SIGNED_ALG: "RS256"})


def token_of(world, party, **form):
    return world.door().token(party, grant_type="client_credentials", **form).json["access_token"]


def asked(world, caller, token, accept=JWT, **headers):
    headers = {**({} if accept is None else {"Accept": accept}), **(caller.auth if caller else {}), **headers}
    return world.door().post("/o/introspect/", {"token": token}, headers)


def opened(world, caller, answer):
    """Return what is told of a token, by a JWT of ours for this caller."""
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JWT), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    header, _ = jws.taken_apart(answer.text)
    assert header["typ"] == "token-introspection+jwt"
    claims = world.read(answer.text, caller)
    assert claims.keys() == {"iss", "aud", "iat", "token_introspection"}
    assert (claims["iss"], claims["aud"], claims["iat"]) == (ISSUER, caller.client_id, world.clock.time)
    return claims["token_introspection"]


# --- The answer ---


def test_what_json_says_stands_in_one_claim(world, server, party):
    token = world.sign_in(party)["access_token"]
    plain = asked(world, server, token, JSON)
    told = opened(world, server, asked(world, server, token))
    assert told == plain.json
    assert told["active"] is True
    assert told["sub"] == world.ann.sub


def test_of_a_token_that_does_not_count_only_that_is_told(world, server, party):
    revoked = token_of(world, party)
    world.door().revoke(party, revoked)
    for token in (revoked, "unknown", "", "a.b.c"):
        if token:
            assert opened(world, server, asked(world, server, token)) == {"active": False}
    assert error_of(asked(world, server, "")) == "invalid_request"


def test_a_revoked_token_is_told_in_the_next_answer(world, server, party):
    token = token_of(world, party)
    assert opened(world, server, asked(world, server, token))["active"] is True
    world.door().revoke(party, token)
    assert opened(world, server, asked(world, server, token)) == {"active": False}


@pytest.mark.parametrize("accept", [None, "*/*", "application/*", JSON, f"{JSON}, {JWT};q=0.5", f"{JWT};q=0"])
def test_json_is_answered_where_no_jwt_is_asked_for(world, server, party, accept):
    answer = asked(world, server, token_of(world, party), accept)
    assert (answer.mimetype, answer.json["active"]) == (JSON, True)


@pytest.mark.parametrize("accept", [JWT, JWT.upper(), f"{JSON};q=0.9, {JWT}", f"*/*, {JWT}"])
def test_a_jwt_is_answered_where_it_is_asked_for(world, server, party, accept):
    assert opened(world, server, asked(world, server, token_of(world, party), accept))["active"] is True


def test_the_bearer_of_a_token_with_the_scope_is_told_as_its_client(world, server, party):
    headers = {"Accept": JWT, **bearer(token_of(world, server, scope="introspection"))}
    answer = world.door().post("/o/introspect/", {"token": token_of(world, party)}, headers)
    assert opened(world, server, answer)["active"] is True


def test_what_plugins_add_stands_in_the_claim_too(make_world):
    class Tenant:
        @hookimpl
        def portula_introspection_response(self, answer):
            return {"tenant": "north"}

    world = make_world(Tenant())
    server = world.client()
    assert opened(world, server, asked(world, server, token_of(world, server)))["tenant"] == "north"


# --- Who asks (§5, §8.2) ---


@pytest.mark.parametrize("form", [{}, {"client_id": "app"}], ids=["nothing", "a name"])
def test_who_does_not_authenticate_gets_400(world, form):
    answer = world.door().post("/o/introspect/", {"token": "x", **form}, {"Accept": JWT})
    assert error_of(answer) == "invalid_request"
    assert "WWW-Authenticate" not in answer.headers


def test_who_does_not_authenticate_and_asks_for_json_is_answered_as_ever(world):
    answer = world.door().post("/o/introspect/", {"token": "x"}, {"Accept": JSON})
    assert error_of(answer, 401) == "invalid_client"


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_who_authenticates_wrongly_gets_401(world, server, secret):
    headers = {"Accept": JWT, **basic(server.client_id, secret)}
    answer = world.door().post("/o/introspect/", {"token": "x"}, headers)
    expected = (401, "invalid_client") if secret else (400, "invalid_request")
    assert (answer.status_code, answer.json["error"]) == expected


def test_a_bearer_whose_token_does_not_count_gets_401(world):
    answer = world.door().post("/o/introspect/", {"token": "x"}, {"Accept": JWT, **bearer("unknown")})
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")


# --- Who sees what (§3, attack S60) ---


def test_a_mere_client_sees_its_own_tokens_alone(world, party):
    other = world.client()
    mine, theirs = token_of(world, party), token_of(world, other)
    assert opened(world, party, asked(world, party, mine))["active"] is True
    assert opened(world, party, asked(world, party, theirs)) == {"active": False}


def test_a_client_that_an_audience_is_registered_for_is_a_resource_server(make_world):
    resources = {"https://api.example/": {"client_id": "api"}, "https://b.example/": {"client_id": "b"}}
    world = make_world(PROTECTED_RESOURCES=resources)
    api, other, party = world.client(client_id="api"), world.client(client_id="b"), world.client()
    for_anybody = token_of(world, party)
    for_api = token_of(world, party, resource="https://api.example/")
    assert opened(world, api, asked(world, api, for_anybody))["active"] is True
    assert opened(world, api, asked(world, api, for_api))["aud"] == ["https://api.example/"]
    assert opened(world, other, asked(world, other, for_api)) == {"active": False}


def test_a_refresh_token_is_told_to_its_client_alone(world, server, party):
    token = world.sign_in(party)["refresh_token"]
    assert opened(world, server, asked(world, server, token)) == {"active": False}
    told = opened(world, party, asked(world, party, token))
    assert told["token_use"] == "refresh_token"


# --- No way back to JSON (§5, §6) ---


@pytest.mark.parametrize("accept", [None, "*/*", "application/*", f"{JSON}, {JWT};q=0.1", JWT])
def test_a_client_that_is_registered_for_it_gets_a_jwt(world, held, party, accept):
    assert opened(world, held, asked(world, held, token_of(world, party), accept))["active"] is True


@pytest.mark.parametrize("accept", [JSON, "text/html", f"*/*, {JWT};q=0"])
def test_a_client_that_is_registered_for_it_gets_nothing_else(world, held, party, accept):
    answer = asked(world, held, token_of(world, party), accept)
    assert error_of(answer) == "invalid_request"
    assert "active" not in answer.text


def test_all_callers_may_be_held_to_it(make_world):
    world = make_world(JWT_INTROSPECTION_REQUIRED=True)
    party = world.client()
    token = token_of(world, party)
    assert opened(world, party, asked(world, party, token, None))["active"] is True
    assert error_of(asked(world, party, token, JSON)) == "invalid_request"
    assert error_of(asked(world, None, token, JSON)) == "invalid_request"


@pytest.mark.parametrize("path", ["flask", "wsgi"])
def test_a_signer_that_fails_is_answered_by_an_error_and_never_by_json(make_world, monkeypatch, path):
    config = {"TESTING": False, "PROPAGATE_EXCEPTIONS": False}
    world = make_world(config=config)
    party = world.client()
    token = token_of(world, party)

    def fail(*_, **__):
        raise JoseError("the signer is away")

    monkeypatch.setattr(portula_jose.jose.SigningRoom, "sign", fail)
    answer = world.door(path).post("/o/introspect/", {"token": token}, {"Accept": JWT, **party.auth})
    assert error_of(answer, 500) == "server_error"
    assert "active" not in answer.text


def test_an_algorithm_that_is_gone_is_an_error(make_world):
    world = make_world(config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False})
    party = world.client()
    change_in(
        world.provider.storage, Application, {"client_id": party.client_id}, metadata={SIGNED_ALG: "ES999"}
    )
    assert error_of(asked(world, party, "x"), 500) == "server_error"


# --- Algorithms (§6, §7) ---


def test_an_answer_is_signed_by_the_algorithm_that_is_registered(make_world):
    world = make_world(SIGNING_KEYS_GENERATED=True)
    party = world.client(metadata={SIGNED_ALG: "ES256"})
    answer = asked(world, party, token_of(world, party))
    assert jws.taken_apart(answer.text)[0]["alg"] == "ES256"
    assert opened(world, party, answer)["active"] is True


def test_a_secret_signs_where_it_can_be_read(world):
    party = world.client(hash_secret=False)
    world.change(party, metadata={SIGNED_ALG: "HS256"})
    assert opened(world, party, asked(world, party, "x")) == {"active": False}


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES999", "rs256", "", 5, ["RS256"]])
def test_an_algorithm_that_does_not_sign_for_the_client_is_refused(world, algorithm):
    with pytest.raises(InvalidClientMetadata, match=SIGNED_ALG):
        world.client(metadata={SIGNED_ALG: algorithm})


def test_the_metadata_names_the_algorithms(world):
    document = world.door().open("/o/.well-known/oauth-authorization-server").json
    supported = document["introspection_signing_alg_values_supported"]
    assert {"RS256", "ES256", "HS256"} <= set(supported)
    assert "none" not in supported


# --- Switched off ---


@pytest.mark.parametrize("room", ["jwt_introspection", "jose"])
def test_without_the_room_or_a_signer_there_is_json_alone(room):
    settings = {} if room == "jwt_introspection" else {"OIDC_ENABLED": False}
    world = World(discover=True, PLUGINS_BLOCKED=[room], **settings)
    party = world.client()
    change_in(
        world.provider.storage, Application, {"client_id": party.client_id}, metadata={SIGNED_ALG: "RS256"}
    )
    assert asked(world, party, token_of(world, party)).json["active"] is True
    assert SIGNED_ALG not in world.provider.client_members
    document = world.door().open("/o/.well-known/oauth-authorization-server").json
    assert "introspection_signing_alg_values_supported" not in document


def test_a_requirement_without_a_signer_stops_the_start():
    with pytest.raises(ConfigError, match="JWT_INTROSPECTION_REQUIRED"):
        World(discover=True, PLUGINS_BLOCKED=["jose"], OIDC_ENABLED=False, JWT_INTROSPECTION_REQUIRED=True)


def test_without_the_endpoint_there_is_nothing_to_sign():
    world = World(discover=True, PLUGINS_BLOCKED=["introspection"])
    document = world.door().open("/o/.well-known/oauth-authorization-server").json
    assert not {name for name in document if name.startswith("introspection")}
    assert world.door().post("/o/introspect/", {"token": "x"}).status_code == 404
