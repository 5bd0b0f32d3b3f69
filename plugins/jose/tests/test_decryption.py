"""Tokens that are encrypted for the provider, made by joserfc, and the keys that decrypt them (RFC 7516)."""

import json

import pytest
from joserfc import jwe, jwk
from support.encrypting import ec_key, encrypted, key_of_secret, public, rsa_key
from support.signing import artifacts, kids, published, states

from portula import Plugin
from portula.errors import StorageDown, UntrustedToken
from portula.plugin import Application, Artifact, is_encrypted
from portula_jose.signing_keys import REREAD_SECONDS
from portula_testing.jws import encode
from portula_testing.provider import make_provider
from portula_testing.writing import change_in

PAYLOAD = "header.claims.signature"
SECRET = "a secret that two parties share, long enough for the longest of all keys"
METHODS = {
    "A128CBC-HS256": 32,
    "A192CBC-HS384": 48,
    "A256CBC-HS512": 64,
    "A128GCM": 16,
    "A192GCM": 24,
    "A256GCM": 32,
}
RSA = ("RSA-OAEP", "RSA-OAEP-256")
ECDH = ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW")
SYMMETRIC = ("dir", "A128KW", "A192KW", "A256KW")
LEAD = 2 * 3600 + REREAD_SECONDS
DAY = 24 * 3600


def ours(jose, kty="RSA"):
    """Return the key that others encrypt with, as they read it: of several the one published last."""
    members = [key for key in published(jose, "enc") if key["kty"] == kty][-1]
    return (jwk.RSAKey if kty == "RSA" else jwk.ECKey).import_key(members)


def for_us(jose, algorithm="RSA-OAEP", enc="A128CBC-HS256", key=None, payload=PAYLOAD, **header):
    key = key or ours(jose, "RSA" if algorithm.startswith("RSA") else "EC")
    return encrypted(payload, key, algorithm, enc, **{"kid": key.kid, **header})


def refused(jose, token, client=None):
    """Say that a token is refused, in the words that all are refused with."""
    with pytest.raises(UntrustedToken) as error:
        jose.decrypt(token, client)
    return str(error.value) == "cannot be decrypted"


@pytest.fixture(scope="module")
def standing():
    """One provider for whatever changes nothing about keys."""
    return make_provider("jose", "generators")


@pytest.fixture(scope="module")
def jose(standing):
    return standing.hooks.ask(Plugin.portula_jose)


@pytest.fixture(scope="module")
def client(standing):
    return standing.clients.create(Application(client_id=""), secret=SECRET, hash_secret=False)[0]


# --- Every algorithm ---


@pytest.mark.parametrize("enc", METHODS)
@pytest.mark.parametrize("algorithm", [*RSA, *ECDH])
def test_what_is_encrypted_with_a_published_key_is_read(jose, algorithm, enc):
    assert jose.decrypt(for_us(jose, algorithm, enc)) == PAYLOAD
    assert jose.decrypt(for_us(jose, algorithm, enc, kid=None)) == PAYLOAD, "a key need not be named"


@pytest.mark.parametrize("enc", METHODS)
@pytest.mark.parametrize("algorithm", SYMMETRIC)
def test_what_is_encrypted_with_a_clients_secret_is_read(jose, client, algorithm, enc):
    key = key_of_secret(SECRET, METHODS[enc] if algorithm == "dir" else int(algorithm[1:4]) // 8)
    token = encrypted(PAYLOAD, key, algorithm, enc)
    assert jose.decrypt(token, client) == PAYLOAD
    assert refused(jose, token), "without the client there is no secret"
    assert refused(jose, token, Application(client_id="another"))


def test_what_we_encrypt_with_a_secret_we_read_ourselves(jose, client):
    token = jose.encrypt(PAYLOAD, client, algorithm="A256KW", enc="A256GCM")
    assert is_encrypted(token)
    assert jose.decrypt(token, client) == PAYLOAD


def test_it_is_said_what_can_be_read(make, jose, pem):
    assert list(jose.decryption_algorithms()) == [*RSA, *ECDH, *SYMMETRIC]
    configured = make(OIDC_RSA_PRIVATE_KEY=pem).hooks.ask(Plugin.portula_jose)
    assert list(configured.decryption_algorithms()) == list(SYMMETRIC), (
        "no key is made beside a configured one"
    )
    assert published(configured, "enc") == []
    narrow = make(ENCRYPTION_ALGORITHMS=["dir", "RSA-OAEP-256"]).hooks.ask(Plugin.portula_jose)
    assert list(narrow.decryption_algorithms()) == ["dir", "RSA-OAEP-256"]
    assert [key.get("alg") for key in published(narrow, "enc")] == ["RSA-OAEP-256"]
    assert refused(narrow, for_us(narrow, "RSA-OAEP"))


# --- What is refused ---


def parts_of(token):
    return token.split(".")


def with_header(token, **members):
    """Return a token with another header, which then is not what was encrypted under."""
    head, *rest = parts_of(token)
    header = json.loads(jwk.OctKey.import_key({"kty": "oct", "k": head}).raw_value)
    header = {name: value for name, value in {**header, **members}.items() if value is not None}
    return ".".join([encode(json.dumps(header).encode()), *rest])


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RSA1_5"},
        {"alg": "none"},
        {"alg": "dir"},
        {"alg": "PBES2-HS256+A128KW", "p2c": 2**31, "p2s": "AAAA"},
        {"alg": "A128GCMKW"},
        {"alg": ["RSA-OAEP"]},
        {"alg": None},
        {"enc": "A128"},
        {"enc": {}},
        {"enc": None},
        {"zip": "DEF"},
        {"zip": None, "crit": ["exp"], "exp": 1},
        {"b64": False},
        {"kid": 7},
        {"kid": "unknown"},
        {"kid": ["a"]},
        {"typ": "changed"},
    ],
)
def test_every_other_header_is_refused_alike(jose, client, header):
    """Attack S42; the reason is not told, so nobody guesses by it."""
    assert refused(jose, with_header(for_us(jose), **header), client)


def test_everything_that_is_damaged_is_refused_alike(jose):
    for algorithm in ("RSA-OAEP", "ECDH-ES+A128KW", "ECDH-ES"):
        token = for_us(jose, algorithm)
        for number, part in enumerate(parts_of(token)):
            for other in ("", part[:-4], part + "AAAA", "A" * len(part), part + "=", "ö", "!" + part[1:]):
                if other != part:
                    damaged = parts_of(token)
                    damaged[number] = other
                    assert refused(jose, ".".join(damaged)), (algorithm, number, other)
        assert refused(jose, token + ".")
        assert refused(jose, token.rsplit(".", 1)[0])


def test_what_is_compressed_is_refused_although_it_opens(jose):
    """Attack S42: a small token may be a large one."""
    key = ours(jose)
    header = {"alg": "RSA-OAEP", "enc": "A128GCM", "zip": "DEF", "kid": key.kid}
    token = jwe.encrypt_compact(header, b"0" * 200_000, key, algorithms=["RSA-OAEP", "A128GCM", "DEF"])
    assert len(token) < 2000
    assert refused(jose, token)


def test_a_token_larger_than_one_may_be_is_refused_unread(make):
    jose = make(JWT_MAX_BYTES=2048).hooks.ask(Plugin.portula_jose)
    assert jose.decrypt(for_us(jose, payload="a" * 800))
    assert refused(jose, for_us(jose, payload="a" * 2000))


@pytest.mark.parametrize(
    "epk", [None, 1, {}, {"kty": "RSA"}, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]
)
def test_a_point_that_is_not_on_the_curve_is_refused(jose, epk):
    """RFC 8725 §3.4: an invalid curve tells about the key."""
    assert refused(jose, with_header(for_us(jose, "ECDH-ES"), epk=epk))
    other = public(ec_key("P-521"))
    assert refused(
        jose, with_header(for_us(jose, "ECDH-ES"), epk={k: other[k] for k in ("kty", "crv", "x", "y")})
    )


def test_what_is_no_text_is_refused(jose):
    key = ours(jose)
    token = jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A128GCM"}, b"\xff\xfe", key)
    assert refused(jose, token)


def test_what_is_for_somebody_else_is_refused(jose):
    assert refused(jose, encrypted(PAYLOAD, rsa_key(), "RSA-OAEP"))
    assert refused(jose, encrypted(PAYLOAD, rsa_key(), "RSA-OAEP", kid=ours(jose).kid))


def test_a_key_of_another_use_decrypts_nothing(make):
    """A signing key is never one that decrypts, nor the other way round."""
    jose = make().hooks.ask(Plugin.portula_jose)
    signing = next(key for key in published(jose) if key["kty"] == "RSA")
    key = jwk.RSAKey.import_key(
        {name: value for name, value in signing.items() if name not in ("use", "alg")}
    )
    assert refused(jose, for_us(jose, key=key))
    assert refused(jose, for_us(jose, key=key, kid=None))


def test_a_storage_that_is_down_is_no_fault_of_the_token(make, monkeypatch):
    provider = make()
    jose = provider.hooks.ask(Plugin.portula_jose)
    token = encrypted(PAYLOAD, rsa_key(), "RSA-OAEP")

    def down(*args, **kwargs):
        raise StorageDown("it is down")

    monkeypatch.setattr(provider.storage, "select", down)
    with pytest.raises(StorageDown):
        jose.decrypt(token)


def test_nothing_else_decrypts_by_the_way(jose, client):
    with pytest.raises(UntrustedToken, match="is encrypted"):
        jose.verify_own(for_us(jose), typ={"JWT"}, client=client)
    with pytest.raises(UntrustedToken, match="is encrypted"):
        jose.verify_of_client(for_us(jose), client, algorithms=["RS256"], typ={"JWT"})
    with pytest.raises(UntrustedToken, match="is encrypted"):
        jose.read(for_us(jose))


# --- The keys ---


def test_keys_are_made_when_they_are_published_and_kept_encrypted(worker):
    jose = worker()
    assert jose.decryption_algorithms()
    assert artifacts(jose) == []
    rsa, ec = published(jose, "enc")
    assert (rsa["kty"], ec["kty"], ec["crv"]) == ("RSA", "EC", "P-256")
    assert {"alg", "d"}.isdisjoint({*rsa, *ec}), "each is for all algorithms of its family"
    assert published(worker(), "enc") == [rsa, ec]
    assert worker().decrypt(for_us(jose)) == PAYLOAD


def test_without_encryption_no_key_is_made(make):
    jose = make(ENCRYPTION_ALGORITHMS=[]).hooks.ask(Plugin.portula_jose)
    assert published(jose, "enc") == []
    assert len(artifacts(jose)) == 5
    only_rsa = make(ENCRYPTION_ALGORITHMS=["RSA-OAEP", "dir"]).hooks.ask(Plugin.portula_jose)
    assert [key["kty"] for key in published(only_rsa, "enc")] == ["RSA"]


def test_keys_follow_each_other_and_the_old_one_decrypts_for_a_while(worker, clock):
    """OpenID Connect Core §10.2.1."""
    settings = {"ENCRYPTION_ALGORITHMS": ["RSA-OAEP"], "SIGNING_ALGORITHMS": ["RS256"]}
    jose = worker(SIGNING_KEY_ROTATION_SECONDS=None, **settings)
    old = ours(jose)
    token = for_us(jose)
    new = jose.ring.rotate("RSA-OAEP").public.kid
    assert kids(jose, "enc") == [old.kid, new]
    assert (jose.decrypt(for_us(jose)), jose.decrypt(token)) == (PAYLOAD, PAYLOAD), "both are in use"
    clock.advance(LEAD)
    assert kids(jose, "enc") == [new]
    assert states(jose, "RSA-OAEP") == ["retiring", "active"]
    for late in (token, for_us(jose, key=old), for_us(jose, key=old, kid=None)):
        assert jose.decrypt(late) == PAYLOAD
    clock.advance(14 * DAY - 1)
    assert jose.decrypt(token) == PAYLOAD
    clock.advance(1)
    assert refused(jose, token)
    clock.advance(REREAD_SECONDS)
    assert states(jose, "RSA-OAEP") == ["active"]
    assert len(artifacts(jose)) == 2, "a retired key is deleted"


def test_keys_are_rotated_by_themselves(worker, clock):
    jose = worker(ENCRYPTION_ALGORITHMS=["ECDH-ES"], SIGNING_ALGORITHMS=["RS256"])
    first = kids(jose, "enc")
    clock.advance(90 * DAY - LEAD)
    assert len(kids(jose, "enc")) == 2
    clock.advance(LEAD)
    assert set(kids(jose, "enc")).isdisjoint(first)


def test_a_key_of_another_worker_decrypts_at_once(worker, clock):
    first, second = worker(), worker()
    published(second)
    first.ring.rotate("RSA-OAEP", at_once=True)
    clock.advance(1)
    assert second.decrypt(for_us(first)) == PAYLOAD


def test_a_family_that_the_settings_no_longer_have_is_not_published(worker):
    token = for_us(worker())
    later = worker(ENCRYPTION_ALGORITHMS=["ECDH-ES"])
    assert [key["kty"] for key in published(later, "enc")] == ["EC"]
    assert refused(later, token)


def test_a_damaged_key_does_not_stand_in_the_way(worker):
    jose = worker()
    published(jose)
    for record in artifacts(jose):
        change_in(jose._provider.storage, Artifact, {"digest": record.digest}, payload={"sealed": "damaged"})
    later = worker()
    assert later.decrypt(for_us(later)) == PAYLOAD
