"""ID tokens and userinfo that are encrypted for clients: OpenID Connect Core §10.2, §5.3.2, Registration §2."""

import json

import pytest
from joserfc import jwk
from security.driving import answered
from support.encrypting import (
    URI,
    KeyServer,
    ec_key,
    encrypted,
    jwks_of,
    key_of_secret,
    opened,
    public,
    rsa_key,
)

from portula import OAuth2Validator, Plugin
from portula.errors import InvalidClientMetadata, JoseError
from portula.plugin import AccessToken, Application
from portula_testing import jws
from portula_testing.writing import change_in

KEYS = {"jwks": jwks_of(rsa_key(), ec_key())}
ALG, ENC = "id_token_encrypted_response_alg", "id_token_encrypted_response_enc"
USER_ALG, USER_ENC = "userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc"
KINDS = {
    "RSA-OAEP-256": (rsa_key, "A128CBC-HS256"),
    "ECDH-ES": (ec_key, "A256GCM"),
}


def vanish(world, party, **metadata):
    """Change a client's metadata behind the back of the rules, as if its key were gone since."""
    change_in(world.provider.storage, Application, {"client_id": party.client_id}, metadata=metadata)


def with_code(world, party, **parameters):
    return world.browser().code(party, **{"scope": "openid", **parameters})


@pytest.fixture(scope="module")
def surviving(make_world):
    """A world that answers what fails, as a deployment does."""
    return make_world(SIGNING_KEYS_GENERATED=True, config={"PROPAGATE_EXCEPTIONS": False})


# --- ID tokens ---


@pytest.mark.parametrize("algorithm", KINDS)
def test_an_id_token_is_signed_and_then_encrypted(world, algorithm):
    key, enc = KINDS[algorithm]
    party = world.client(algorithm="ES256", metadata={**KEYS, ALG: algorithm, ENC: enc})
    tokens = world.sign_in(party)
    for token in (tokens["id_token"], world.door().refresh(party, tokens["refresh_token"]).json["id_token"]):
        header, signed = opened(token, key(), algorithm, enc)
        assert (header["cty"], header["kid"]) == ("JWT", key().kid)
        assert jws.taken_apart(signed)[0]["alg"] == "ES256"
        claims = world.read(signed)
        assert (claims["sub"], claims["aud"]) == (world.ann.sub, party.client_id)


@pytest.mark.parametrize(("algorithm", "size"), [("dir", 32), ("A256KW", 32), ("A128KW", 16)])
def test_a_secret_that_can_be_read_makes_the_key(world, algorithm, size):
    """OpenID Connect Core §10.2."""
    party = world.client(hash_secret=False)
    world.change(party, metadata={ALG: algorithm})
    _, signed = opened(world.sign_in(party)["id_token"], key_of_secret(party.secret, size), algorithm)
    assert world.read(signed)["sub"] == world.ann.sub


def test_in_the_front_channel_it_is_encrypted_too(world, browser):
    party = world.client(metadata={**KEYS, ALG: "RSA-OAEP"})
    answer = answered(browser.authorize(party, response_type="code id_token", scope="openid", nonce="n"))
    claims = world.read(opened(answer["id_token"], rsa_key(), "RSA-OAEP")[1])
    assert claims["nonce"] == "n"
    assert claims["c_hash"]


def test_a_validator_class_that_signs_by_itself_has_it_encrypted(make_world):
    class Own(OAuth2Validator):
        def finalize_id_token(self, id_token, token, token_handler, request):
            return "signed.by.itself"

    world = make_world(OAUTH2_VALIDATOR_CLASS=Own)
    party = world.client(metadata={**KEYS, ALG: "ECDH-ES"})
    assert opened(world.sign_in(party)["id_token"], ec_key(), "ECDH-ES")[1] == "signed.by.itself"


# --- Userinfo ---


def told(world, party):
    answer = world.userinfo(world.sign_in(party)["access_token"])
    assert (answer.status_code, answer.mimetype) == (200, "application/jwt")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.text


def test_userinfo_is_signed_and_then_encrypted(world):
    signing = {"userinfo_signed_response_alg": "RS256"}
    party = world.client(metadata={**KEYS, **signing, USER_ALG: "ECDH-ES+A256KW", USER_ENC: "A128GCM"})
    header, signed = opened(told(world, party), ec_key(), "ECDH-ES+A256KW", "A128GCM")
    assert (header["cty"], header["kid"]) == ("JWT", "P-256")
    claims = world.read(signed)
    assert (claims["email"], claims["aud"]) == ("ann@example.com", party.client_id)


def test_userinfo_is_encrypted_alone_where_nothing_says_that_it_is_signed(world):
    """OpenID Connect Core §5.3.2: the response MAY be encrypted without also being signed."""
    party = world.client(metadata={**KEYS, USER_ALG: "RSA-OAEP"})
    header, content = opened(told(world, party), rsa_key(), "RSA-OAEP")
    assert "cty" not in header
    claims = json.loads(content)
    assert (claims["sub"], claims["email"]) == (world.ann.sub, "ann@example.com")
    assert (claims["iss"], claims["aud"]) == ("https://id.example/o", party.client_id)


def test_one_is_encrypted_without_the_other(world):
    party = world.client(metadata={**KEYS, USER_ALG: "RSA-OAEP"})
    tokens = world.sign_in(party)
    assert world.read(tokens["id_token"])["sub"] == world.ann.sub
    other = world.client(metadata={**KEYS, ALG: "RSA-OAEP"})
    assert world.userinfo(world.sign_in(other)["access_token"]).mimetype == "application/json"


# --- What cannot be encrypted is not sent ---


def test_a_key_that_vanished_is_a_server_error_and_the_code_is_not_used_up(surviving):
    world = surviving
    party = world.client(metadata={**KEYS, ALG: "RSA-OAEP"})
    code, verifier = with_code(world, party)
    vanish(world, party, **{ALG: "RSA-OAEP", "jwks": jwks_of(ec_key())})
    before = len(world.provider.storage.select(AccessToken))
    refused = world.door().redeem(party, code, verifier)
    assert (refused.status_code, refused.json["error"]) == (500, "server_error")
    assert "id_token" not in refused.text
    assert len(world.provider.storage.select(AccessToken)) == before
    vanish(world, party, **{**KEYS, ALG: "RSA-OAEP"})
    tokens = world.door().redeem(party, code, verifier).json
    assert opened(tokens["id_token"], rsa_key(), "RSA-OAEP")


def test_a_secret_that_can_no_longer_be_read_is_a_server_error(surviving):
    world = surviving
    party = world.client(hash_secret=False)
    world.change(party, metadata={ALG: "dir"})
    code, verifier = with_code(world, party)
    stored = world.provider.hooks.ask(Plugin.portula_secret_hasher).hash_generated(party.secret)
    change_in(world.provider.storage, Application, {"client_id": party.client_id}, secret_hashes=(stored,))
    refused = world.door().redeem(party, code, verifier)
    assert (refused.status_code, refused.json["error"]) == (500, "server_error")


def test_in_the_front_channel_the_app_is_told_of_the_error(surviving):
    world = surviving
    party = world.client(metadata={**KEYS, ALG: "RSA-OAEP"})
    browser = world.browser()
    vanish(world, party, **{ALG: "RSA-OAEP"})
    answer = answered(browser.authorize(party, response_type="code id_token", scope="openid", nonce="n"))
    assert answer["error"] == "server_error"
    assert answer.keys().isdisjoint({"id_token", "code"})


def test_userinfo_is_never_plain_where_it_should_be_encrypted(surviving):
    world = surviving
    for signing in ({}, {"userinfo_signed_response_alg": "RS256"}):
        party = world.client(metadata={**KEYS, **signing, USER_ALG: "RSA-OAEP"})
        token = world.sign_in(party)["access_token"]
        vanish(world, party, **signing, **{USER_ALG: "RSA-OAEP"})
        refused = world.userinfo(token)
        assert (refused.status_code, refused.json["error"]) == (500, "server_error")
        assert "ann@example.com" not in refused.text


def test_keys_that_cannot_be_fetched_now_are_asked_for_again(make_world):
    web = KeyServer()
    world = make_world(web, PLUGINS_CHOICE={"fetcher": "KeyServer"})
    party = world.client(metadata={"jwks_uri": URI, ALG: "RSA-OAEP", USER_ALG: "RSA-OAEP"})
    assert web.times == 0, "nobody is asked when it is registered"
    code, verifier = with_code(world, party)
    refused = world.door().redeem(party, code, verifier)
    assert (refused.status_code, refused.json["error"]) == (503, "temporarily_unavailable")
    assert int(refused.headers["Retry-After"]) == 10
    web.jwks = jwks_of(rsa_key())
    world.clock.forward(10)
    tokens = world.door().redeem(party, code, verifier).json
    assert opened(tokens["id_token"], rsa_key(), "RSA-OAEP")
    assert web.times == 2


def test_userinfo_waits_for_keys_too(make_world):
    web = KeyServer()
    world = make_world(web, PLUGINS_CHOICE={"fetcher": "KeyServer"})
    party = world.client(metadata={"jwks_uri": URI, USER_ALG: "RSA-OAEP"})
    token = world.sign_in(party)["access_token"]
    refused = world.userinfo(token)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
    assert "ann@example.com" not in refused.text
    web.jwks = jwks_of(rsa_key())
    world.clock.forward(10)
    assert opened(world.userinfo(token).text, rsa_key(), "RSA-OAEP")


@pytest.mark.parametrize("failure", [JoseError("no"), RuntimeError("no")])
def test_an_encrypter_that_fails_leaves_nothing_behind(surviving, monkeypatch, failure):
    world = surviving
    party = world.client(metadata={**KEYS, ALG: "RSA-OAEP", USER_ALG: "RSA-OAEP"})
    code, verifier = with_code(world, party)
    jose = world.provider.hooks.ask(Plugin.portula_jose)

    def failing(*args, **kwargs):
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(jose, "encrypt", failing)
        refused = world.door().redeem(party, code, verifier)
        assert (refused.status_code, refused.json["error"]) == (500, "server_error")
    tokens = world.door().redeem(party, code, verifier).json
    monkeypatch.setattr(jose, "encrypt", failing)
    assert world.userinfo(tokens["access_token"]).status_code == 500


# --- What clients are registered with ---


@pytest.fixture(scope="module")
def registering(make_world):
    world = make_world(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open", SIGNING_KEYS_GENERATED=True)

    def register(**members):
        document = {"redirect_uris": ["https://client.example/cb"], **members}
        return world.door().post("/o/register/", json=document)

    return register


REFUSED = {
    "enc alone": {ENC: "A128GCM"},
    "enc of userinfo alone": {USER_ENC: "A128GCM", **KEYS},
    "RSA1_5": {ALG: "RSA1_5", **KEYS},
    "signature algorithm": {ALG: "RS256", **KEYS},
    "list": {ALG: ["RSA-OAEP"], **KEYS},
    "unknown enc": {ALG: "RSA-OAEP", ENC: "A64GCM", **KEYS},
    "no key": {ALG: "RSA-OAEP"},
    "key of another type": {USER_ALG: "RSA-OAEP", "jwks": jwks_of(ec_key())},
    "key that signs": {USER_ALG: "RSA-OAEP", "jwks": {"keys": [public(rsa_key(), use="sig")]}},
    "no secret": {ALG: "dir", "token_endpoint_auth_method": "none"},
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_encrypted_is_not_registered(registering, what):
    refused = registering(**REFUSED[what])
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("what", ["enc alone", "RSA1_5", "no key", "key of another type"])
def test_nor_in_any_other_way(world, what):
    with pytest.raises(InvalidClientMetadata, match="encrypted_response"):
        world.client(metadata=REFUSED[what])
    with pytest.raises(InvalidClientMetadata, match="encrypted_response"):
        world.change(world.client(), metadata=REFUSED[what])


def test_a_client_with_a_hashed_secret_has_nothing_encrypted_by_it(world):
    """Attack S46."""
    with pytest.raises(InvalidClientMetadata, match="kept encrypted"):
        world.client(metadata={ALG: "A128KW"})


def test_a_client_registers_itself_with_it(registering):
    members = {**KEYS, ALG: "RSA-OAEP", ENC: "A256GCM", USER_ALG: "ECDH-ES"}
    made = registering(**members).json
    assert {name: made[name] for name in members} == members
    assert registering(jwks_uri=URI, **{ALG: "RSA-OAEP"}).status_code == 201


@pytest.mark.parametrize("algorithm", ["dir", "A128KW", "A256KW"])
def test_a_client_that_registers_itself_gets_a_secret_that_can_be_read(make_world, algorithm):
    world = make_world(DCR_ENABLED=True, DCR_REGISTRATION_MODE="open")
    document = {"redirect_uris": ["https://client.example/cb"], ALG: algorithm}
    made = world.door().post("/o/register/", json=document).json
    client = world.provider.storage.find(Application, client_id=made["client_id"])
    jose = world.provider.hooks.ask(Plugin.portula_jose)
    token = jose.encrypt("a.b.c", client, algorithm=algorithm, enc="A128CBC-HS256")
    size = 16 if algorithm == "A128KW" else 32
    assert opened(token, key_of_secret(made["client_secret"], size), algorithm)[1] == "a.b.c"


# --- Hints ---


def hinting(world, browser, party, hint):
    given = {"scope": "openid", "nonce": "n", "prompt": "none", "id_token_hint": hint}
    return answered(browser.authorize(party, **given))


def ours(world):
    """Return the RSA key that clients encrypt with."""
    return jwk.RSAKey.import_key(
        next(key for key in world.keys().values() if key["use"] == "enc" and key["kty"] == "RSA")
    )


def test_a_hint_is_decrypted_by_the_client_and_may_be_encrypted_anew(world, browser):
    """OpenID Connect Core §3.1.2.1."""
    party = world.client(skip_authorization=True, metadata={**KEYS, ALG: "RSA-OAEP"})
    token = world.sign_in(party)["id_token"]
    browser.sign_in()
    refused = hinting(world, browser, party, token)
    assert refused["error"] == "invalid_request"
    assert "encrypted for somebody else" in refused["error_description"]
    signed = opened(token, rsa_key(), "RSA-OAEP")[1]
    assert "code" in hinting(world, browser, party, signed)
    again = encrypted(signed, ours(world), "RSA-OAEP", kid=ours(world).kid)
    assert "code" in hinting(world, browser, party, again)
    nonsense = encrypted("{}", ours(world), "RSA-OAEP")
    assert hinting(world, browser, party, nonsense)["error"] == "invalid_request"


def test_a_hint_that_a_secret_opens_may_be_sent_back_as_it_is(world, browser):
    party = world.client(hash_secret=False, skip_authorization=True)
    world.change(party, metadata={ALG: "dir"})
    token = world.sign_in(party)["id_token"]
    browser.sign_in()
    assert "code" in hinting(world, browser, party, token)
    other = world.client(skip_authorization=True)
    assert hinting(world, browser, other, token)["error"] == "invalid_request"


def test_a_hint_at_who_signs_out_may_be_encrypted_too(make_world):
    """RP-Initiated Logout §2: client_id says by whose secret it was."""
    world = make_world(OIDC_RP_INITIATED_LOGOUT_ENABLED=True, SIGNING_KEYS_GENERATED=True)
    party = world.client(hash_secret=False)
    world.change(party, metadata={ALG: "A256KW"})
    token = world.sign_in(party)["id_token"]
    signed = opened(token, key_of_secret(party.secret, 32), "A256KW")[1]
    other = world.client(hash_secret=False)

    def ask(hint, **named):
        return world.browser().get("/o/logout/", query_string={"id_token_hint": hint, **named}).status_code

    assert ask(encrypted(signed, ours(world), "RSA-OAEP")) == 200
    assert ask(token, client_id=party.client_id) == 200
    assert ask(token) == 400
    assert ask(token, client_id=other.client_id) == 400
    assert ask(token, client_id="unknown") == 400
    assert ask(encrypted(signed, rsa_key(), "RSA-OAEP")) == 400
    assert ask("....") == 400


# --- What the room tells of itself ---


def metadata(world):
    return world.door().open("/o/.well-known/openid-configuration").json


def test_algorithms_are_published(make_world):
    document = metadata(make_world())
    for use in ("id_token", "userinfo"):
        assert "RSA-OAEP-256" in document[f"{use}_encryption_alg_values_supported"]
        assert "RSA1_5" not in document[f"{use}_encryption_alg_values_supported"]
        assert "A128CBC-HS256" in document[f"{use}_encryption_enc_values_supported"]
    document = metadata(make_world(ENCRYPTION_ALGORITHMS=[]))
    assert not [name for name in document if name.startswith(("id_token_encryption", "userinfo_encryption"))]
    off = make_world(OIDC_ENABLED=False).door().open("/.well-known/oauth-authorization-server/o").json
    assert not [name for name in off if name.startswith(("id_token_encryption", "userinfo_encryption"))]
