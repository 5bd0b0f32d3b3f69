"""Request objects that are signed and then encrypted for the provider: RFC 9101 §6.1, OpenID Connect Core §6.1."""

import pytest
from joserfc import jwk
from security.driving import answered
from support.encrypting import ec_key, encrypted, key_of_secret, rsa_key
from support.fitting import stubbed
from support.pushing import bring, pushed

from portula import Plugin, hookimpl
from portula.errors import InvalidClientMetadata, StorageDown, UntrustedToken
from portula.plugin import Fetcher, FetchResponse, Jose
from portula_testing import jws

ISSUER = "https://id.example/o"
URI = "https://client.example/request.jwt"
ALG, ENC = "request_object_encryption_alg", "request_object_encryption_enc"


@pytest.fixture(scope="module")
def key():
    return jws.TokenKey("ES256")


@pytest.fixture
def party(world, key):
    return world.client(metadata={"jwks": key.jwks})


def ours(world, kty="RSA"):
    """Return the key that clients encrypt with."""
    members = next(key for key in world.keys().values() if key["use"] == "enc" and key["kty"] == kty)
    return (jwk.RSAKey if kty == "RSA" else jwk.ECKey).import_key(members)


def claims(party, **others):
    return {
        "iss": party.client_id,
        "aud": ISSUER,
        "client_id": party.client_id,
        "response_type": "code",
        "redirect_uri": party.redirect_uri,
        "scope": "openid email",
        "state": "of the object",
        **others,
    }


def for_us(world, payload, algorithm="RSA-OAEP", enc="A128CBC-HS256", **header):
    found = ours(world, "RSA" if algorithm.startswith("RSA") else "EC")
    return encrypted(payload, found, algorithm, enc, **{"kid": found.kid, **header})


@pytest.mark.parametrize(
    ("algorithm", "enc"),
    [("RSA-OAEP", "A128CBC-HS256"), ("RSA-OAEP-256", "A256GCM"), ("ECDH-ES", "A128GCM")],
)
def test_an_object_is_decrypted_and_then_verified(world, browser, party, key, algorithm, enc):
    token = for_us(world, key.sign(claims(party)), algorithm, enc)
    assert answered(browser.authorize(party, state="outside", request=token))["state"] == "of the object"


@pytest.mark.parametrize("cty", ["JWT", "jwt", "oauth-authz-req+jwt", None])
def test_what_is_inside_need_not_be_named(world, browser, party, key, cty):
    token = for_us(world, key.sign(claims(party)), cty=cty, typ="oauth-authz-req+jwt")
    assert "code" in answered(browser.authorize(party, request=token))


def test_a_secret_that_can_be_read_opens_it(world, browser):
    party = world.client(hash_secret=False)
    world.change(party, metadata={ALG: "dir", ENC: "A256GCM"})
    signed = jws.signed_with_secret(party.secret.encode(), claims(party))
    token = encrypted(signed, key_of_secret(party.secret, 32), "dir", "A256GCM")
    assert answered(browser.authorize(party, request=token))["state"] == "of the object"
    other = world.client(hash_secret=False)
    assert answered(browser.ask(other, request=token))["error"] == "invalid_request_object"


def test_a_client_that_is_registered_for_it_may_leave_it_out(world, browser, key):
    """OpenID Connect Registration §2: it may use other algorithms, or none."""
    party = world.client(metadata={"jwks": key.jwks, ALG: "RSA-OAEP"})
    assert "code" in answered(browser.authorize(party, request=key.sign(claims(party))))
    token = for_us(world, key.sign(claims(party)), "ECDH-ES")
    assert "code" in answered(browser.authorize(party, request=token))


def test_one_that_is_encrypted_counts_as_signed(world, browser, key):
    party = world.client(metadata={"jwks": key.jwks, "require_signed_request_object": True})
    token = for_us(world, key.sign(claims(party)))
    assert "code" in answered(browser.authorize(party, request=token))


def test_it_may_be_pushed(world, browser, party, key):
    """RFC 9126 §3."""
    token = for_us(world, key.sign(claims(party)))
    nothing = dict.fromkeys(("response_type", "redirect_uri", "scope", "state"))
    plain = {**nothing, "code_challenge": None, "code_challenge_method": None}
    answer = pushed(world, party, request=token, **plain)
    assert answer.status_code == 201, answer.text
    browser.sign_in()
    brought = {"client_id": party.client_id, "request_uri": answer.json["request_uri"]}
    assert bring(browser, brought).status_code in (200, 302)
    refused = pushed(world, party, request=token[:-4] + "AAAA", **plain)
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_request_object")


class Web(stubbed(Fetcher)):
    """Other servers: one document at one address."""

    document = ""

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def get(self, url, *, accept, max_bytes=65536):
        return FetchResponse(200, "application/jwt", self.document.encode())


def test_it_may_stand_where_the_client_says(make_world, key):
    web = Web()
    settings = {"REQUEST_URI_ENABLED": True, "SIGNING_KEYS_GENERATED": True}
    world = make_world(web, **settings, PLUGINS_CHOICE={"fetcher": "Web"})
    party = world.client(metadata={"jwks": key.jwks, "request_uris": [URI]})
    web.document = for_us(world, key.sign(claims(party)))
    assert answered(world.browser().authorize(party, request_uri=URI))["state"] == "of the object"
    web.document = encrypted(key.sign(claims(party)), rsa_key(), "RSA-OAEP")
    refused = answered(world.browser().ask(party, request_uri=URI))
    assert refused["error"] == "invalid_request_object"


# --- What is refused ---


def refusals(world, party, key):
    """Yield what is no encrypted request object of this client for this provider."""
    signed = key.sign(claims(party))
    yield "for somebody else", encrypted(signed, rsa_key(), "RSA-OAEP")
    yield "for somebody else, by our name", encrypted(signed, rsa_key(), "RSA-OAEP", kid=ours(world).kid)
    yield "damaged", for_us(world, signed)[:-4] + "AAAA"
    yield "cut", for_us(world, signed)[:-2]
    yield "twice encrypted", for_us(world, for_us(world, signed))
    yield "not signed", for_us(world, "{}")
    yield "signed by another", for_us(world, jws.TokenKey("ES256").sign(claims(party)))
    yield "of another client", for_us(world, key.sign(claims(party, client_id="another")))
    yield "another kind", for_us(world, key.sign(claims(party), typ="at+jwt"))
    yield "empty parts", "...."
    yield "rubbish", "a.b.c.d.e"


def test_all_that_is_wrong_is_refused_alike(world, browser, party, key):
    """Attack S42: who sends it does not learn whether it could be decrypted."""
    told = {}
    for what, token in refusals(world, party, key):
        answer = answered(browser.ask(party, request=token))
        assert answer["error"] == "invalid_request_object", what
        if what != "of another client":
            told[what] = answer["error_description"]
    assert set(told.values()) == {"The request object cannot be trusted."}


def test_an_unsigned_one_is_none_although_it_is_encrypted(world, browser, party):
    token = for_us(world, jws.unsigned_token(claims(party)))
    assert answered(browser.ask(party, request=token))["error"] == "request_not_supported"


def test_without_keys_of_ours_none_is_read(make_world, key):
    world = make_world()
    party = world.client(metadata={"jwks": key.jwks})
    token = encrypted(key.sign(claims(party)), ec_key(), "ECDH-ES")
    assert answered(world.browser().ask(party, request=token))["error"] == "invalid_request_object"
    document = world.door().open("/o/.well-known/openid-configuration").json
    assert "RSA-OAEP" not in document[f"{ALG}_values_supported"]
    assert "dir" in document[f"{ALG}_values_supported"]


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (UntrustedToken("no"), "invalid_request_object"),
        (StorageDown("it is down"), "temporarily_unavailable"),
        (RuntimeError("no"), "server_error"),
    ],
)
def test_a_decrypter_that_fails_is_told_as_what_it_is(make_world, key, monkeypatch, failure, error):
    world = make_world(SIGNING_KEYS_GENERATED=True, config={"PROPAGATE_EXCEPTIONS": False})
    party = world.client(metadata={"jwks": key.jwks})
    token = for_us(world, key.sign(claims(party)))

    def failing(*args, **kwargs):
        raise failure

    monkeypatch.setattr(world.provider.hooks.ask(Plugin.portula_jose), "decrypt", failing)
    response = world.browser().ask(party, request=token)
    assert error in (response.location or response.text)
    assert "code=" not in (response.location or "")


def test_a_jose_of_another_kind_need_not_decrypt():
    with pytest.raises(UntrustedToken):
        stubbed(Jose)().decrypt("a.b.c.d.e")
    assert stubbed(Jose)().decryption_algorithms() == ()


# --- What clients are registered with ---

REFUSED = {
    "enc alone": {ENC: "A128GCM"},
    "RSA1_5": {ALG: "RSA1_5"},
    "unknown enc": {ALG: "RSA-OAEP", ENC: "A64GCM"},
    "hashed secret": {ALG: "dir"},
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_not_registered(world, what):
    with pytest.raises(InvalidClientMetadata, match="request_object_encryption"):
        world.client(metadata=REFUSED[what])


def test_a_client_registers_itself_with_it(make_world):
    world = make_world(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open", SIGNING_KEYS_GENERATED=True)
    members = {ALG: "ECDH-ES", ENC: "A128GCM"}
    document = {"redirect_uris": ["https://client.example/cb"]}
    made = world.door().post("/o/register/", json={**document, **members}).json
    assert {name: made[name] for name in members} == members
    for what in ("enc alone", "RSA1_5", "unknown enc"):
        refused = world.door().post("/o/register/", json={**document, **REFUSED[what]})
        assert (refused.status_code, refused.json["error"]) == (400, "invalid_client_metadata")
    assert world.door().post("/o/register/", json={**document, ALG: "dir"}).status_code == 201


def test_algorithms_are_published(make_world):
    world = make_world(SIGNING_KEYS_GENERATED=True)
    document = world.door().open("/o/.well-known/openid-configuration").json
    assert {"RSA-OAEP", "ECDH-ES", "dir"} <= set(document[f"{ALG}_values_supported"])
    assert "A128CBC-HS256" in document[f"{ENC}_values_supported"]
    off = make_world(REQUEST_OBJECTS_ENABLED=False).door().open("/o/.well-known/openid-configuration").json
    assert not [name for name in off if name.startswith("request_object_encryption")]
