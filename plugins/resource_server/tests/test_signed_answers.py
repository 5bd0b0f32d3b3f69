"""A resource server that takes nothing for an answer but a JWT of its issuer, made for it and now (RFC 9701 §5)."""

import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.asking import URL, ResourceServer
from support.elsewhere import API, KEYS, Web
from support.openid import make_world, pem

from portula import ConfigError
from portula_testing import jws

__all__ = ["make_world", "pem"]

ISSUER = "https://id.example/o"
TYP = "token-introspection+jwt"
JWT = f"application/{TYP}"
KEY = jws.TokenKey("ES256", kid="of the tests")


@pytest.fixture(scope="module")
def world(make_world):
    return make_world()


@pytest.fixture(scope="module")
def api(world):
    """The client that the resource server is."""
    metadata = {"introspection_signed_response_alg": "RS256"}
    return world.client(scope="introspection", metadata=metadata)


@pytest.fixture
def server(monkeypatch, world, api):
    web = Web(world.door())
    server = ResourceServer(monkeypatch, world, web, **asking(api))
    server.web = web
    return server


def asking(api, **settings):
    given = {
        "RESOURCE_SERVER_INTROSPECTION_SIGNED": True,
        "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS": (api.client_id, api.secret),
        "RESOURCE_SERVER_ISSUER": ISSUER,
        "RESOURCE_SERVER_AUDIENCES": [API],
        "RESOURCE_SERVER_TOKEN_CACHING_SECONDS": 0,
        **settings,
    }
    return {name: value for name, value in given.items() if value is not None}


def token_of(world):
    return world.sign_in(world.client(), scope="openid read")["access_token"]


def test_an_answer_of_the_issuer_counts(world, server):
    assert server.get(token_of(world)).json == {"sub": world.ann.sub}
    assert server.requests[-1].headers["accept"] == JWT
    assert server.get("unknown").status_code == 401


def test_who_asks_by_an_assertion_is_answered_so_too(monkeypatch, world):
    own = ec.generate_private_key(ec.SECP256R1())
    pem = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    party = world.client(
        token_endpoint_auth_method="private_key_jwt",
        scope="introspection",
        metadata={
            "jwks": jws.TokenKey("ES256", private=own).jwks,
            "introspection_signed_response_alg": "RS256",
        },
    )
    settings = {
        "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS": None,
        "RESOURCE_SERVER_INTROSPECTION_JWT_CLIENT_ID": party.client_id,
        "RESOURCE_SERVER_INTROSPECTION_JWT_PRIVATE_KEY": pem,
    }
    server = ResourceServer(monkeypatch, world, Web(world.door()), **asking(party, **settings))
    assert server.get(token_of(world)).json == {"sub": world.ann.sub}


def test_a_token_that_is_revoked_counts_no_more(world, server):
    party = world.client()
    token = world.sign_in(party, scope="openid read")["access_token"]
    assert server.get(token).status_code == 200
    world.door().revoke(party, token)
    assert server.get(token).status_code == 401


def test_an_answer_from_before_is_none(world, server):
    party, captured = world.client(), []

    def keep(request):
        captured.append(server.ask(request))
        return captured[-1]

    token = world.sign_in(party, scope="openid read")["access_token"]
    server.answer = keep
    assert server.get(token).status_code == 200
    world.door().revoke(party, token)
    server.answer = lambda request: captured[0]
    world.clock.forward(11)
    assert server.get(token).status_code == 503


def test_an_answer_is_no_access_token(world, server):
    token, captured = token_of(world), []
    server.answer = lambda request: captured.append(server.ask(request)) or captured[-1]
    server.get(token)
    server.answer = None
    assert server.get(captured[0].text).status_code == 401


@pytest.mark.parametrize("form", ["plain", "plain as JWT", "error"])
def test_plain_json_is_no_answer(world, server, form):
    told = {"active": True, "scope": "read", "sub": "1"} if form != "error" else {"error": "x"}
    kind = JWT if form == "plain as JWT" else "application/json"
    server.answer = lambda request: httpx.Response(
        200, headers={"Content-Type": kind}, content=json.dumps(told)
    )
    assert server.get("x").status_code == 503


def forged(world, api, *, key=KEY, typ=TYP, told=..., **changes):
    claims = {
        "iss": ISSUER,
        "aud": api.client_id,
        "iat": world.clock.time,
        "token_introspection": {"active": True, "scope": "read", "sub": "1"} if told is ... else told,
        **changes,
    }
    signed = key.sign({name: value for name, value in claims.items() if value is not None}, typ=typ)
    return httpx.Response(200, headers={"Content-Type": JWT}, content=signed)


def answered_by(world, api, server, **changes):
    server.web.documents[KEYS] = json.dumps({"keys": [KEY.jwk]}).encode()
    server.answer = lambda request: forged(world, api, **changes)
    return server.get("x").status_code


@pytest.mark.parametrize("changes", [{}, {"typ": JWT}, {"typ": TYP.upper()}, {"exp": 1}, {"sub": "2"}])
def test_what_is_signed_right_counts(world, api, server, changes):
    assert answered_by(world, api, server, **changes) == 200


def test_the_audience_may_be_a_list(world, api, server):
    assert answered_by(world, api, server, aud=["other", api.client_id]) == 200


@pytest.mark.parametrize("ago", [10, -10])
def test_clocks_may_differ_a_little(world, api, server, ago):
    assert answered_by(world, api, server, iat=world.clock.time - ago) == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"key": jws.TokenKey("ES256", kid="of the tests")},
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"typ": None},
        {"iss": "https://other.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": ["other"]},
        {"aud": []},
        {"aud": {"a": 1}},
        {"aud": None},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"told": None},
        {"told": []},
        {"told": "active"},
        {"told": {}},
        {"told": {"active": "true"}},
        {"told": {"active": True, "scope": 5}},
        {"told": None, "active": True, "scope": "read"},
    ],
    ids=str,
)
def test_what_is_not_is_503(world, api, server, changes):
    assert answered_by(world, api, server, **changes) == 503


@pytest.mark.parametrize("ago", [11, 3600, -11, -3600])
def test_what_was_not_made_now_is_503(world, api, server, ago):
    assert answered_by(world, api, server, iat=world.clock.time - ago) == 503


@pytest.mark.parametrize("body", ["", "x", "a.b.c", "a.b.c.d.e", "\xff", "{}"])
def test_what_is_no_jwt_is_503(server, body):
    server.answer = lambda request: httpx.Response(
        200, headers={"Content-Type": JWT}, content=body.encode("latin-1")
    )
    assert server.get("x").status_code == 503


def test_without_the_keys_nothing_counts(world, server):
    server.web.is_down = True
    assert server.get(token_of(world)).status_code == 503


@pytest.mark.parametrize(
    "change",
    [
        {"RESOURCE_SERVER_ISSUER": None},
        {"RESOURCE_SERVER_INTROSPECTION_CREDENTIALS": None, "RESOURCE_SERVER_AUTH_TOKEN": "x"},
        {"RESOURCE_SERVER_AUTH_TOKEN": "x"},
        {"RESOURCE_SERVER_INTROSPECTION_URL": None},
    ],
)
def test_a_configuration_that_cannot_verify_stops_the_start(monkeypatch, world, api, change):
    settings = {"RESOURCE_SERVER_INTROSPECTION_URL": URL, **asking(api), **change}
    with pytest.raises(ConfigError, match="RESOURCE_SERVER_INTROSPECTION_SIGNED"):
        ResourceServer(monkeypatch, world, Web(world.door()), **settings)
