"""Documents about resources that are signed (RFC 9728 §2.2)."""

import json

import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from security.driving import HOST, ISSUER, answered, bearer, error_of
from security.house import ROOMS, House
from support.elsewhere import Elsewhere

import portula_jose
import portula_protected_resource
from portula import Plugin
from portula.errors import ConfigError
from portula_protected_resource.signed_metadata import EXPIRE_SECONDS, RENEWED_SECONDS, TYPE

KNOWN = "/.well-known/oauth-protected-resource"
NOTES, SONGS = f"{HOST}/notes", f"{HOST}/songs"
SIGNED = {
    "OIDC_ENABLED": True,
    "OAUTH2_PROTECTED_RESOURCE_SIGNED_METADATA": True,
    "OAUTH2_PROTECTED_RESOURCES": {NOTES: {"name": "Notes"}, SONGS: {"scopes": ["read"]}},
}


@pytest.fixture(scope="module")
def house():
    return House(**SIGNED)


def document_of(house, path="/notes", kind="flask"):
    answer = house.door(kind).open(f"{KNOWN}{path}")
    assert answer.status_code == 200, answer.text
    return answer.json


def read(house, token):
    """Verify a token with the keys that the issuer publishes, as a client does."""
    unread = JWT(jwt=token).token.objects["protected"]
    header = json.loads(unread)
    keys = house.door().open("/o/.well-known/jwks.json").json["keys"]
    (key,) = [key for key in keys if key["kid"] == header["kid"]]
    verified = JWT(check_claims={"iss": ISSUER})
    verified.leeway = 10**10  # the clock of the house stands
    verified.deserialize(token, JWK(**key))
    return header, json.loads(verified.claims)


@pytest.mark.parametrize("kind", ["flask", "ahead of flask"])
@pytest.mark.parametrize("path", ["/notes", "/songs"])
def test_the_issuer_signs_what_the_document_says(house, path, kind):
    document = document_of(house, path, kind)
    header, claims = read(house, document.pop("signed_metadata"))
    assert header["typ"] == TYPE
    times = {"iat": house.clock.time, "exp": house.clock.time + EXPIRE_SECONDS}
    assert claims == {**document, "iss": ISSUER, **times}
    assert claims["resource"] == f"{HOST}{path}"


@pytest.mark.parametrize(("profile", "algorithm"), [(None, "RS256"), ("fapi2", "PS256")])
def test_with_an_algorithm_that_is_in_use(profile, algorithm):
    house = House(**SIGNED, PROFILE=profile)
    header, _ = read(house, document_of(house)["signed_metadata"])
    assert header["alg"] == algorithm


def test_unless_it_is_wished_for_nothing_is_signed():
    house = House(**{**SIGNED, "OAUTH2_PROTECTED_RESOURCE_SIGNED_METADATA": False})
    assert "signed_metadata" not in document_of(house)


def test_who_asks_often_lets_nobody_sign_often(house, monkeypatch):
    made, sign = [], Plugin.portula_jose
    jose = house.provider.hooks.ask(sign)
    real = jose.sign
    monkeypatch.setattr(jose, "sign", lambda *given, **named: made.append(given) or real(*given, **named))
    house.clock.forward(RENEWED_SECONDS)
    for _ in range(20):
        for path in ("/notes", "/songs"):
            document_of(house, path)
    assert len(made) == 2
    house.clock.forward(RENEWED_SECONDS - 1)
    document_of(house)
    assert len(made) == 2
    house.clock.forward(1)
    assert read(house, document_of(house)["signed_metadata"])[1]["iat"] == house.clock.time
    assert len(made) == 3


def test_what_changes_is_signed_anew(house, monkeypatch):
    first = document_of(house)["signed_metadata"]
    published = house.provider.metadata_publisher
    monkeypatch.setattr(published, "document", lambda: {"scopes_supported": ["other"]})
    document = document_of(house)
    assert document["signed_metadata"] != first
    assert read(house, document["signed_metadata"])[1]["scopes_supported"] == ["other"]


def test_it_is_no_token_of_another_kind(house):
    """S44."""
    token, party, door = document_of(house)["signed_metadata"], house.client(), house.door()
    assert door.resource(token).status_code == 401
    assert door.open("/o/userinfo/", headers=bearer(token)).status_code == 401
    assert door.introspect(party, token).json == {"active": False}
    asked = house.browser().ask(party, scope="openid", id_token_hint=token)
    assert answered(asked)["error"] == "invalid_request"
    form = {
        "grant_type": "client_credentials",
        "client_id": party.client_id,
        "client_assertion": token,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    assert error_of(door.token(**form), 401) == "invalid_client"


def test_a_key_that_fails_is_no_unsigned_document(house, monkeypatch):
    house.clock.forward(RENEWED_SECONDS)
    jose = house.provider.hooks.ask(Plugin.portula_jose)

    def fail(*given, **named):
        raise RuntimeError("the key is gone")

    monkeypatch.setattr(jose, "sign", fail)
    answer = house.door().open(f"{KNOWN}/notes")
    assert answer.status_code == 500
    assert "resource" not in answer.json


def test_what_it_needs_shows_at_start():
    with pytest.raises(ConfigError, match="tokens are issued elsewhere"):
        Elsewhere(portula_protected_resource, OAUTH2_PROTECTED_RESOURCE_SIGNED_METADATA=True)
    assert portula_jose in ROOMS
    with pytest.raises(ConfigError, match="jose"):
        House(discover=True, PLUGINS_BLOCKED=["jose"], **{**SIGNED, "OIDC_ENABLED": False})
