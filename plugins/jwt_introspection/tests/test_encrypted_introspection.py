"""Introspection answers that are encrypted for the resource server: RFC 9701 §5, §6, §7."""

import pytest
from security.driving import error_of
from security.registering import OPEN, register, told_by
from support.encrypting import URI, KeyServer, ec_key, jwks_of, key_of_secret, opened, rsa_key

from portula.errors import InvalidClientMetadata
from portula.plugin import Application
from portula_testing.writing import change_in

ISSUER = "https://id.example/o"
JWT = "application/token-introspection+jwt"
ALG, ENC = "introspection_encrypted_response_alg", "introspection_encrypted_response_enc"
PREFIX = "introspection_encryption"


def asked(world, caller, token="unknown", accept=JWT):
    headers = {**caller.auth, **({} if accept is None else {"Accept": accept})}
    return world.door().post("/o/introspect/", {"token": token}, headers)


def told(world, caller, answer, key, algorithm, enc="A128CBC-HS256"):
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, JWT), answer.text
    header, signed = opened(answer.text, key, algorithm, enc)
    assert header["cty"] == "JWT"
    claims = world.read(signed, caller)
    assert (claims["iss"], claims["aud"]) == (ISSUER, caller.client_id)
    return claims["token_introspection"]


@pytest.mark.parametrize(
    ("algorithm", "enc"), [("RSA-OAEP-256", None), ("ECDH-ES", "A256GCM"), ("ECDH-ES+A256KW", None)]
)
def test_what_is_signed_is_encrypted_with_the_key_of_who_asks(world, algorithm, enc):
    metadata = {ALG: algorithm, "jwks": jwks_of(rsa_key(), ec_key()), **({ENC: enc} if enc else {})}
    party = world.client(metadata=metadata)
    token = world.door().token(party, grant_type="client_credentials", scope="read").json["access_token"]
    answer = asked(world, party, token)
    key = rsa_key() if algorithm.startswith("RSA") else ec_key()
    facts = told(world, party, answer, key, algorithm, enc or "A128CBC-HS256")
    assert (facts["active"], facts["client_id"]) == (True, party.client_id)
    assert token not in answer.text


def test_a_secret_encrypts_where_it_can_be_read(world):
    party = world.client(hash_secret=False)
    world.change(party, metadata={ALG: "dir"})
    key = key_of_secret(party.secret, 32)
    assert told(world, party, asked(world, party), key, "dir") == {"active": False}


@pytest.mark.parametrize("accept", [None, "*/*", JWT])
def test_who_is_registered_for_it_gets_it_without_asking(world, accept):
    party = world.client(metadata={ALG: "RSA-OAEP", "jwks": jwks_of(rsa_key())})
    answer = asked(world, party, accept=accept)
    assert told(world, party, answer, rsa_key(), "RSA-OAEP") == {"active": False}
    assert error_of(asked(world, party, accept="application/json")) == "invalid_request"


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({ENC: "A128GCM"}, ENC),
        ({ALG: "RSA1_5"}, ALG),
        ({ALG: "none"}, ALG),
        ({ALG: 5}, ALG),
        ({ALG: "RSA-OAEP", ENC: "A512GCM"}, ENC),
        ({ALG: "dir"}, ALG),
        ({ALG: "RSA-OAEP", "jwks": jwks_of(ec_key())}, ALG),
        ({ALG: "RSA-OAEP"}, ALG),
    ],
    ids=str,
)
def test_what_cannot_be_encrypted_is_refused_at_registration(world, metadata, named):
    with pytest.raises(InvalidClientMetadata, match=named):
        world.client(metadata=metadata)


def test_a_key_that_is_gone_is_an_error_and_nothing_is_sent(make_world):
    world = make_world(config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False})
    party = world.client(metadata={ALG: "RSA-OAEP", "jwks": jwks_of(rsa_key())})
    change_in(world.provider.storage, Application, {"client_id": party.client_id}, metadata={ALG: "RSA-OAEP"})
    answer = asked(world, party)
    assert error_of(answer, 500) == "server_error"
    assert "active" not in answer.text


def test_keys_elsewhere_that_cannot_be_had_now_are_503(make_world):
    keys = KeyServer()
    world = make_world(keys, PLUGINS_CHOICE={"fetcher": "KeyServer"})
    party = world.client(metadata={ALG: "RSA-OAEP", "jwks_uri": URI})
    answer = asked(world, party)
    assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    keys.jwks = jwks_of(rsa_key())
    world.clock.forward(3600)
    assert told(world, party, asked(world, party), rsa_key(), "RSA-OAEP") == {"active": False}


def test_the_metadata_names_what_encrypts(world):
    document = world.door().open("/o/.well-known/oauth-authorization-server").json
    assert {"RSA-OAEP-256", "ECDH-ES"} <= set(document[f"{PREFIX}_alg_values_supported"])
    assert "RSA1_5" not in document[f"{PREFIX}_alg_values_supported"]
    assert "A128CBC-HS256" in document[f"{PREFIX}_enc_values_supported"]


def test_a_client_registers_itself_for_it_over_http(make_world):
    world = make_world(**OPEN)
    door, signed = world.door(), "introspection_signed_response_alg"
    told = told_by(register(door, **{signed: "RS256", ALG: "RSA-OAEP-256", "jwks": jwks_of(rsa_key())}))
    assert (told[signed], told[ALG], told.get(ENC)) == ("RS256", "RSA-OAEP-256", None)
    for wrong in ({ENC: "A128GCM"}, {ALG: "RSA1_5", "jwks": jwks_of(rsa_key())}, {signed: "none"}):
        assert error_of(register(door, **wrong)) == "invalid_client_metadata"
