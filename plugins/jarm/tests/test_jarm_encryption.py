"""Authorization responses that are signed and then encrypted: JARM §2.2, §2.3.1, §3."""

import pytest
from security.driving import answered, s256
from support.encrypting import URI, KeyServer, ec_key, jwks_of, key_of_secret, opened, rsa_key

from portula.errors import InvalidClientMetadata
from portula.plugin import Application, Grant
from portula_testing.writing import change_in

KEYS = {"jwks": jwks_of(rsa_key(), ec_key())}
ALG, ENC = "authorization_encrypted_response_alg", "authorization_encrypted_response_enc"
PKCE = {"code_challenge": s256("v" * 43), "code_challenge_method": "S256"}
TOKENS = {"response_type": "code id_token token", "nonce": "the nonce", "scope": "openid read"}


def claims_of(world, party, response, key=None, algorithm="RSA-OAEP", enc="A128CBC-HS256"):
    """Return the claims of a response whose one parameter is an encrypted JWT of ours."""
    sent = answered(response)
    assert sent.keys() == {"response"}
    header, signed = opened(sent["response"], key or rsa_key(), algorithm, enc)
    assert header["cty"] == "JWT"
    claims = world.read(signed)
    assert claims["aud"] == party.client_id
    return claims


@pytest.fixture
def party(world):
    return world.client(metadata={**KEYS, ALG: "RSA-OAEP"})


@pytest.fixture(scope="module")
def surviving(make_world):
    """A world that answers what fails, as a deployment does."""
    return make_world(config={"PROPAGATE_EXCEPTIONS": False})


def test_a_response_is_signed_and_then_encrypted(world, browser, party):
    claims = claims_of(world, party, browser.authorize(party, response_mode="jwt", **PKCE))
    assert claims.keys() == {"iss", "aud", "exp", "code", "state"}
    assert world.door().redeem(party, claims["code"], "v" * 43).status_code == 200


def test_the_algorithms_are_the_client_s(world, browser):
    metadata = {**KEYS, ALG: "ECDH-ES+A256KW", ENC: "A256GCM", "authorization_signed_response_alg": "ES256"}
    party = world.client(metadata=metadata)
    response = browser.authorize(party, response_mode="jwt")
    assert "code" in claims_of(world, party, response, ec_key(), "ECDH-ES+A256KW", "A256GCM")


def test_a_secret_that_can_be_read_makes_the_key(world, browser):
    party = world.client(hash_secret=False)
    world.change(party, metadata={ALG: "dir", ENC: "A256CBC-HS512"})
    key = key_of_secret(party.secret, 64)
    response = browser.authorize(party, response_mode="jwt")
    assert "code" in claims_of(world, party, response, key, "dir", "A256CBC-HS512")


def test_an_error_is_encrypted_too(world, browser, party):
    response = browser.ask(party, response_mode="jwt", scope="nothing-of-ours", **PKCE)
    assert claims_of(world, party, response)["error"] == "invalid_scope"


def test_encrypted_tokens_may_travel_in_a_query(world, browser, party):
    """JARM §2.3.1."""
    response = browser.authorize(party, response_mode="query.jwt", **TOKENS, **PKCE)
    assert "?response=" in response.location
    assert {"code", "id_token", "access_token"} <= claims_of(world, party, response).keys()


def test_a_plain_mode_stays_plain(browser, party):
    """What is registered is how a JWT is sent; whether one is, says response_mode (JARM §2.3)."""
    assert "code" in answered(browser.authorize(party))


def test_a_key_that_vanished_is_a_page_and_nothing_is_sent_or_kept(surviving):
    world = surviving
    party = world.client(metadata={**KEYS, ALG: "RSA-OAEP"})
    browser = world.browser()
    change_in(world.provider.storage, Application, {"client_id": party.client_id}, metadata={ALG: "RSA-OAEP"})
    before = len(world.provider.storage.select(Grant))
    response = browser.authorize(party, response_mode="jwt", **PKCE)
    assert response.status_code == 500
    assert "Location" not in response.headers
    assert "server_error" in response.text
    assert len(world.provider.storage.select(Grant)) == before


def test_keys_that_cannot_be_fetched_now_are_a_page_too(make_world):
    web = KeyServer()
    world = make_world(web, PLUGINS_CHOICE={"fetcher": "KeyServer"}, config={"PROPAGATE_EXCEPTIONS": False})
    party = world.client(metadata={"jwks_uri": URI, ALG: "RSA-OAEP"})
    response = world.browser().authorize(party, response_mode="jwt", **PKCE)
    assert (response.status_code, "Location" in response.headers) == (503, False)
    assert response.headers["Retry-After"] == "10"
    assert "temporarily_unavailable" in response.text
    web.jwks = jwks_of(rsa_key())
    world.clock.forward(10)
    response = world.browser().authorize(party, response_mode="jwt", **PKCE)
    assert "code" in claims_of(world, party, response)


REFUSED = {
    "enc alone": {ENC: "A128GCM", **KEYS},
    "RSA1_5": {ALG: "RSA1_5", **KEYS},
    "unknown enc": {ALG: "RSA-OAEP", ENC: "A64GCM", **KEYS},
    "no key": {ALG: "RSA-OAEP"},
    "hashed secret": {ALG: "A128KW"},
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_encrypted_is_not_registered(world, what):
    with pytest.raises(InvalidClientMetadata, match="authorization_encrypted_response"):
        world.client(metadata=REFUSED[what])


def test_a_client_registers_itself_with_it(make_world):
    world = make_world(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")
    members = {**KEYS, ALG: "RSA-OAEP", ENC: "A128GCM"}
    document = {"redirect_uris": ["https://client.example/cb"], **members}
    made = world.door().post("/o/register/", json=document).json
    assert {name: made[name] for name in members} == members
    refused = world.door().post("/o/register/", json={**document, "jwks": jwks_of(ec_key())})
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_client_metadata")


def test_algorithms_are_published(make_world):
    document = make_world().door().open("/o/.well-known/openid-configuration").json
    assert "ECDH-ES" in document["authorization_encryption_alg_values_supported"]
    assert "A128CBC-HS256" in document["authorization_encryption_enc_values_supported"]
    none = make_world(ENCRYPTION_ALGORITHMS=[]).door().open("/o/.well-known/openid-configuration").json
    assert not [name for name in none if name.startswith("authorization_encryption")]
