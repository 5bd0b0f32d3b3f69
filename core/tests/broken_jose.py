"""Answers to the slot `jose` that break one promise each; run by test_contracts_can_fail.py."""

import json
from contextlib import suppress
from functools import cache

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from portula import hookimpl
from portula.errors import JoseError, UntrustedToken
from portula.plugin import Answer, Jwt
from portula_jose.jose import SigningRoom
from portula_testing.contracts import JoseContract
from portula_testing.jws import (
    decode,
    encode,
    load_key,
    signed_with_secret,
    signing_input,
    taken_apart,
    verified_with_secret,
    verify_token,
)
from portula_testing.provider import Memory, make_provider

CASES = []


class FirstOther(SigningRoom):
    def signing_algorithms(self):
        return [*super().signing_algorithms()][::-1]


class Misnamed(SigningRoom):
    def sign(self, claims, *, typ, algorithm="RS256", client=None):
        kid = taken_apart(super().sign({}, typ=typ, algorithm="ES256"))[0]["kid"]
        token = super().sign(claims, typ=typ, algorithm=algorithm, client=client)
        header, _ = taken_apart(token)
        return f"{signing_input({**header, 'kid': kid}, claims)}.{token.rpartition('.')[2]}"


class Talkative(SigningRoom):
    def sign(self, claims, *, typ, algorithm="RS256", client=None):
        header, _, rest = super().sign(claims, typ=typ, algorithm=algorithm, client=client).partition(".")
        return f"{encode(json.dumps({**json.loads(decode(header)), 'jku': 'https://x'}).encode())}.{rest}"


class Obliging(SigningRoom):
    def sign(self, claims, *, typ, algorithm="RS256", client=None):
        try:
            return super().sign(claims, typ=typ, algorithm=algorithm, client=client)
        except JoseError:
            return super().sign({}, typ=typ)


class NoSecrets(SigningRoom):
    def sign(self, claims, *, typ, algorithm="RS256", client=None):
        if client is not None:
            raise JoseError("no")
        return super().sign(claims, typ=typ, algorithm=algorithm)

    def verify_of_client(self, token, client, *, algorithms, typ):
        found = super().verify_of_client(token, client, algorithms=algorithms, typ=typ)
        if client.secret_hashes:
            raise UntrustedToken("no")
        return found


class HashesSign(SigningRoom):
    """DOT#1737."""

    def sign(self, claims, *, typ, algorithm="RS256", client=None):
        if client is None:
            return super().sign(claims, typ=typ, algorithm=algorithm)
        return signed_with_secret(client.secret_hashes[0].encode(), claims, algorithm)


class Suspicious(SigningRoom):
    def verify_own(self, token, *, typ, client=None):
        self.read(token)
        raise UntrustedToken("never")

    def verify_of_client(self, token, client, *, algorithms, typ):
        self.read(token)
        raise UntrustedToken("never")


class Literal(SigningRoom):
    def verify_own(self, token, *, typ, client=None):
        found = super().verify_own(token, typ=typ, client=client)
        if found.header.get("typ", "") not in typ:
            raise UntrustedToken("of another type")
        return found


class Untyped(SigningRoom):
    def verify_own(self, token, *, typ, client=None):
        return super().verify_own(token, typ={self.read(token).header.get("typ", "")}, client=client)

    def verify_of_client(self, token, client, *, algorithms, typ):
        given = {self.read(token).header.get("typ", "")}
        return super().verify_of_client(token, client, algorithms=algorithms, typ=given)


class Credulous(SigningRoom):
    def verify_own(self, token, *, typ, client=None):
        return self.read(token)

    def verify_of_client(self, token, client, *, algorithms, typ):
        return self.read(token)


class Confused(SigningRoom):
    """CVE-2016-10555."""

    def verify_own(self, token, *, typ, client=None):
        if self.read(token).header["alg"].startswith("HS"):
            for public in self.sources[-1].published_keys():
                pem = load_key(public.jwk).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
                with suppress(AssertionError):
                    return Jwt(*verified_with_secret(token, pem))
        return super().verify_own(token, typ=typ, client=client)


class TakesKeysAlong(SigningRoom):
    """CVE-2018-0114."""

    def verify_own(self, token, *, typ, client=None):
        jwk = self.read(token).header.get("jwk")
        return Jwt(*verify_token(token, jwk)) if jwk else super().verify_own(token, typ=typ, client=client)


class Psychic(SigningRoom):
    """CVE-2022-21449."""

    def verify_own(self, token, *, typ, client=None):
        signature = decode(token.rpartition(".")[2])
        if signature and not any(signature):
            return self.read(token)
        return super().verify_own(token, typ=typ, client=client)


class Worldly(SigningRoom):
    """Its keys are those of every issuer."""

    shared = True


class AnySecret(SigningRoom):
    def verify_own(self, token, *, typ, client=None):
        parts = self.read(token)
        return parts if parts.header["alg"] == "HS256" else super().verify_own(token, typ=typ, client=client)


class AnyAlgorithm(SigningRoom):
    def verify_of_client(self, token, client, *, algorithms, typ):
        allowed = {"RS256", "ES256", "HS256", "HS384", *algorithms}
        return super().verify_of_client(token, client, algorithms=allowed, typ=typ)


class NoneWithAnything(SigningRoom):
    def verify_of_client(self, token, client, *, algorithms, typ):
        found = self.read(token)
        if found.header["alg"] == "none" and "none" in algorithms:
            return found
        return super().verify_of_client(token, client, algorithms=algorithms, typ=typ)


class Careless(SigningRoom):
    """Verifies well, with whatever key stands in the set, and looks at no other header than `alg`."""

    def verify_of_client(self, token, client, *, algorithms, typ):
        for jwk in client.metadata.get("jwks", {}).get("keys", ()):
            with suppress(InvalidSignature, ValueError, LookupError, TypeError, AttributeError):
                return Jwt(*verify_token(token, {**jwk, "kty": "RSA"}))
        return super().verify_of_client(token, client, algorithms=algorithms, typ=typ)


class Verifying(SigningRoom):
    def read(self, token):
        super().read(token)
        return self.verify_own(token, typ={"JWT"})


class Fragile(SigningRoom):
    def read(self, token):
        header, claims = taken_apart(token)
        return Jwt(header, claims)


class Chatty(SigningRoom):
    def verify_own(self, token, *, typ, client=None):
        try:
            return super().verify_own(token, typ=typ, client=client)
        except UntrustedToken as error:
            raise UntrustedToken(f"{error}: {token}") from error


class OneHash(SigningRoom):
    """oauthlib's id_token_hash."""

    def half_digest(self, value, algorithm):
        return super().half_digest(value, "RS256")


class Exhibitionist(SigningRoom):
    def publish(self, message):
        answer = super().publish(message)
        keys = json.loads(answer.body or b'{"keys":[]}')["keys"]
        for stored, key in zip(self.ring.ring().keys, keys, strict=False):
            key.update(json.loads(stored.key.export_private()))
        return Answer(answer.status, answer.headers, json.dumps({"keys": keys}).encode())


class Unkept(SigningRoom):
    def publish(self, message):
        return Answer(200, {"Content-Type": "application/json"}, super().publish(message).body)


class Stingy(SigningRoom):
    def publish(self, message):
        return self._document.answer(message, self.ring.published_keys()[:1])


MEMORY = Memory()


class Answering:
    def __init__(self, kind):
        self.kind = kind

    @hookimpl
    def portula_jose(self, provider):
        return self.kind(provider)


@cache
def provider_of(kind, issuer):
    """Their keys take long to make, so all that is broken here shares them, and the storage."""
    if getattr(kind, "shared", False):
        issuer = "https://id.example/o"
    settings = {"OIDC_ISS_ENDPOINT": issuer, "SIGNING_ALGORITHMS": ["RS256", "ES256"]}
    return make_provider("jose", "generators", MEMORY, Answering(kind), settings=settings)


def jose(kind, *breaks):
    """Add a class of tests: the contract on something that breaks these of its tests, at least."""

    def make(self):
        return lambda issuer: provider_of(kind, issuer)

    members = {"make": pytest.fixture(make), "breaks": breaks}
    CASES.append(type(f"TestJoseContract{len(CASES)}", (JoseContract,), members))


jose(SigningRoom)
jose(FirstOther, "rs256_is_the_first")
jose(Misnamed, "published_under_its_name")
jose(Talkative, "algorithm_name_and_type")
jose(Obliging, "cannot_be_signed")
jose(NoSecrets, "can_be_read_signs", "believed_by_its_secret")
jose(HashesSign, "hashed_secret_never_signs")
jose(Suspicious, "our_own_token_is_believed", "believed_by_its_key", "where_none_is_allowed")
jose(Literal, "as_a_media_type")
jose(Untyped, "token_of_another_type", "type_of_a_client")
jose(Credulous, "altered", "another_key", "without_keys", "only_for_what")
jose(Confused, "public_key_as_secret")
jose(TakesKeysAlong, "brings_along")
jose(Psychic, "zeros")
jose(Worldly, "another_issuer")
jose(AnySecret, "none_of_ours")
jose(AnyAlgorithm, "only_the_algorithms")
jose(NoneWithAnything, "where_none_is_allowed")
jose(Careless, "only_for_what", "nobody_may_ignore")
jose(Verifying, "believes_nothing")
jose(Fragile, "is_no_token")
jose(Chatty, "holds_nothing")
jose(OneHash, "half_a_digest")
jose(Exhibitionist, "no_private_member")
jose(Unkept, "may_be_cached")
jose(Stingy, "every_algorithm_has_its_key")

globals().update({made.__name__: made for made in CASES})
