"""ID tokens: OpenID Connect Core §2, §3.1.3, §3.2.2, §3.3.2, §12.2."""

import base64
import hashlib
from types import MappingProxyType

import pytest
from security.driving import answered
from support.browser import forms_of

from portula import OAuth2Validator, hookimpl
from portula_testing import jws

FRONT = ["id_token", "id_token token", "code token", "code id_token", "code id_token token"]
ISSUER = "https://id.example/o"
HASHES = {"RS256": "sha256", "PS256": "sha256", "ES256": "sha256", "ES384": "sha384", "EdDSA": "sha512"}


def half(value, algorithm="RS256"):
    digest = hashlib.new(HASHES[algorithm], value.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def test_an_id_token_says_who_signed_in_when_and_for_whom(world, client):
    tokens = world.sign_in(client, nonce="the nonce")
    header, _ = jws.taken_apart(tokens["id_token"])
    claims = world.read(tokens["id_token"])
    now = world.clock.time
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    assert claims == {
        "iss": ISSUER,
        "sub": world.ann.sub,
        "aud": client.client_id,
        "azp": client.client_id,
        "iat": now,
        "exp": now + 36000,
        "auth_time": now,
        "nonce": "the nonce",
        "acr": "1",
        "amr": ["pwd"],
        "sid": claims["sid"],
        "at_hash": half(tokens["access_token"]),
    }


def test_without_the_scope_openid_there_is_none(world, client):
    assert "id_token" not in world.tokens(client, scope="read")
    machine = world.door().token(client, grant_type="client_credentials", scope="openid")
    assert "id_token" not in machine.json


def test_it_lives_as_long_as_is_set(make_world):
    world = make_world(ID_TOKEN_EXPIRE_SECONDS=300)
    claims = world.read(world.sign_in(world.client())["id_token"])
    assert claims["exp"] - claims["iat"] == 300


@pytest.mark.parametrize("algorithm", HASHES)
def test_it_is_signed_by_the_algorithm_of_the_client_and_hashed_by_its_hash(world, algorithm):
    tokens = world.sign_in(world.client(algorithm=algorithm))
    assert jws.taken_apart(tokens["id_token"])[0]["alg"] == algorithm
    assert world.read(tokens["id_token"])["at_hash"] == half(tokens["access_token"], algorithm)


def test_it_can_be_signed_with_a_secret_that_can_be_read(world):
    client = world.client(algorithm="HS256", hash_secret=False)
    tokens = world.sign_in(client)
    assert jws.taken_apart(tokens["id_token"])[0]["alg"] == "HS256"
    assert world.read(tokens["id_token"], client)["aud"] == client.client_id


def test_a_refreshed_one_is_new_and_of_the_same_signing_in(world, client):
    first = world.sign_in(client, nonce="the nonce")
    world.clock.forward(100)
    again = world.door().refresh(client, first["refresh_token"]).json
    old, new = world.read(first["id_token"]), world.read(again["id_token"])
    assert new["iat"] == old["iat"] + 100
    assert "nonce" not in new
    for name in ("iss", "sub", "aud", "azp", "auth_time", "acr", "amr", "sid"):
        assert new[name] == old[name]


def test_a_refresh_without_openid_brings_none(world, client):
    first = world.sign_in(client, scope="openid read")
    again = world.door().refresh(client, first["refresh_token"], scope="read").json
    assert "id_token" not in again


@pytest.mark.parametrize("response_type", FRONT)
@pytest.mark.parametrize("mode", [None, "fragment", "form_post"])
def test_the_front_channel_brings_what_the_response_type_names(world, browser, client, response_type, mode):
    response = browser.authorize(
        client, response_type=response_type, scope="openid", nonce="n", response_mode=mode, **no_pkce()
    )
    if mode == "form_post":
        answer = forms_of(response.text)[0].fields
    else:
        assert "?" not in response.location
        answer = answered(response)
    words = response_type.split()
    named = {"code": "code", "id_token": "id_token", "token": "access_token"}
    assert {name for name in named.values() if name in answer} == {named[word] for word in words}
    assert (answer["state"], answer["iss"]) == ("the state", ISSUER)
    if "token" in words:
        assert answer["token_type"] == "Bearer"
        assert answer["expires_in"] == "36000"
        assert world.userinfo(answer["access_token"]).json["sub"] == world.ann.sub
    if "id_token" in words:
        claims = world.read(answer["id_token"])
        assert claims["nonce"] == "n"
        assert claims.get("at_hash") == (half(answer["access_token"]) if "token" in words else None)
        assert claims.get("c_hash") == (half(answer["code"]) if "code" in words else None)
        assert claims["s_hash"] == half("the state")
    if "code" in words:
        redeemed = world.door().redeem(client, answer["code"], None).json
        assert world.read(redeemed["id_token"])["sub"] == world.ann.sub


def no_pkce():
    return {"code_challenge": None, "code_challenge_method": None}


def test_a_replayed_code_ends_the_token_that_came_with_it(world, browser, client):
    answer = answered(
        browser.authorize(client, response_type="code token", scope="openid", nonce="n", **no_pkce())
    )
    door = world.door()
    assert door.redeem(client, answer["code"], None).status_code == 200
    assert door.redeem(client, answer["code"], None).json["error"] == "invalid_grant"
    assert world.userinfo(answer["access_token"]).status_code == 401


def test_only_of_the_response_type_id_token_does_it_tell_the_claims_of_scopes(world, browser, client):
    def ask(response_type):
        return answered(
            browser.authorize(
                client, response_type=response_type, scope="openid email", nonce="n", **no_pkce()
            )
        )

    assert world.read(ask("id_token")["id_token"])["email"] == "ann@example.com"
    assert "email" not in world.read(ask("id_token token")["id_token"])


def test_as_in_django_oauth_toolkit_it_may_tell_them_always(make_world):
    world = make_world(ID_TOKEN_WITH_SCOPE_CLAIMS=True)
    claims = world.read(world.sign_in(world.client())["id_token"])
    assert (claims["email"], claims["given_name"]) == ("ann@example.com", "Ann")
    assert "shoe_size" not in claims


def test_single_claims_can_be_asked_for(world, client):
    asked = '{"id_token": {"given_name": null, "shoe_size": null}}'
    claims = world.read(world.sign_in(client, scope="openid", claims=asked)["id_token"])
    assert claims["given_name"] == "Ann"
    assert "email" not in claims
    assert "shoe_size" not in claims


class Tenant:
    @hookimpl
    def portula_id_token_claims(self, token):
        return {"tenant": token.user.username, "sub": "somebody else", "exp": 1, "aud": "everybody"}


def test_plugins_add_claims_and_overwrite_none(make_world):
    world = make_world(Tenant())
    client = world.client()
    claims = world.read(world.sign_in(client)["id_token"])
    assert claims["tenant"] == "ann"
    assert (claims["sub"], claims["aud"]) == (world.ann.sub, client.client_id)
    assert claims["exp"] > world.clock.time


class LikeInDjango(OAuth2Validator):
    oidc_claim_scope = MappingProxyType({"given_name": "profile", "shoe_size": "shopping"})

    def get_additional_claims(self, request):
        return {"badge": lambda request: f"badge of {request.user}", "iss": "https://evil.example"}


def test_a_validator_class_adds_claims_as_in_django_oauth_toolkit(make_world):
    world = make_world(OAUTH2_VALIDATOR_CLASS=LikeInDjango, SCOPES={"shopping": "Shop"})
    tokens = world.sign_in(world.client(), scope="openid shopping")
    claims = world.read(tokens["id_token"])
    assert claims["badge"] == f"badge of {world.ann.sub}"
    assert claims["iss"] == ISSUER
    told = world.userinfo(tokens["access_token"]).json
    assert told == {"sub": world.ann.sub, "badge": f"badge of {world.ann.sub}", "shoe_size": 39}


class WithoutRequest(OAuth2Validator):
    oidc_claim_scope = None

    def get_additional_claims(self):
        return {"shoe_size": lambda request: len(request.user), "email": lambda request: "ann@tea.example"}


def test_claims_may_take_no_request_and_need_no_scope_as_in_django_oauth_toolkit(make_world):
    world = make_world(OAUTH2_VALIDATOR_CLASS=WithoutRequest)
    tokens = world.sign_in(world.client(), scope="openid profile")
    told = world.userinfo(tokens["access_token"]).json
    assert told == {"sub": world.ann.sub, "shoe_size": len(world.ann.sub), "email": "ann@tea.example"}
    supported = world.app.test_client().get("/o/.well-known/openid-configuration").json["claims_supported"]
    assert supported.count("email") == 1
    assert "shoe_size" in supported
    assert "given_name" not in supported


def test_an_unfixed_issuer_is_the_one_of_the_request(make_world):
    world = make_world(OIDC_ISS_ENDPOINT="")
    tokens = world.sign_in(world.client())
    assert world.read(tokens["id_token"])["iss"] == "http://127.0.0.1:5000/o"
