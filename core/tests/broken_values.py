"""Clocks, scopes backends, generators and hashers that break one promise each; run by test_contracts_can_fail.py."""

import hashlib
import itertools
import secrets
import threading
import time
from importlib import import_module
from types import MappingProxyType

import pytest

from portula.plugin import HashGenerator, Keys, ScopesBackend
from portula_generators.hasher import Hasher
from portula_testing.contracts import (
    ClientIdContract,
    ClientSecretContract,
    ClockContract,
    ScopesBackendContract,
    SecretHasherContract,
    TokenGeneratorContract,
)


def broken(contract, fixture, make, *breaks):
    """Return a class of tests: the contract on something that breaks these of its tests, at least."""

    def made(self):
        return make()

    members = {fixture: pytest.fixture(made), "breaks": breaks}
    return type(f"Test{contract.__name__}{next(_numbers)}", (contract,), members)


_numbers = itertools.count()
CASES = []


# --- Clocks ---


class Jumping:
    def __init__(self):
        self.jumps = itertools.cycle([0, -5])

    def __call__(self):
        return time.time() + next(self.jumps)


class OfOneThread:
    def __init__(self):
        self.owner = threading.get_ident()

    def __call__(self):
        return time.time() if threading.get_ident() == self.owner else 0


CASES += [
    broken(ClockContract, "clock", lambda: lambda: str(time.time()), "tells_a_number"),
    broken(ClockContract, "clock", lambda: lambda: time.time() * 1000, "counts_seconds", "it_is_right"),
    broken(ClockContract, "clock", lambda: lambda: time.time() - 3600, "it_is_right"),
    broken(ClockContract, "clock", Jumping, "runs_backwards"),
    broken(ClockContract, "clock", OfOneThread, "every_thread"),
]


# --- Scopes ---


class Scopes(ScopesBackend):
    """A backend that is in order; each below is not."""

    scopes = MappingProxyType({"read": "Read", "write": "Write"})
    available = ("read", "write")
    default = ("read",)

    def get_all_scopes(self):
        return dict(self.scopes)

    def get_available_scopes(self, application=None, request=None):
        return self.available

    def get_default_scopes(self, application=None, request=None):
        return self.default


class Textless(Scopes):
    scopes = MappingProxyType({"read": None, "write": "Write"})


class Spaced(Scopes):
    scopes = MappingProxyType({"read all": "Read"})
    available = default = ("read all",)


class Inventing(Scopes):
    available = ("read", "admin")


class Generous(Scopes):
    available = ("write",)


class Repeating(Scopes):
    available = ("read", "read")


class KindToStrangers(Scopes):
    def get_available_scopes(self, application=None, request=None):
        known = application is None or application.client_id == "contract"
        return self.available if known else ("admin",)


class NeedsClient(Scopes):
    def get_available_scopes(self, application, request=None):
        return self.available if application.client_id else ()


class Forgetful(Scopes):
    def get_default_scopes(self, application=None, request=None):
        if application is not None and application.client_id != "contract":
            self.default = ("write",)
        return self.default


class Lending(Scopes):
    def __init__(self):
        self.available = ["read", "write"]


CASES += [
    broken(ScopesBackendContract, "backend", Textless, "has_a_text"),
    broken(ScopesBackendContract, "backend", Spaced, "characters_of_rfc"),
    broken(ScopesBackendContract, "backend", Inventing, "only_for_scopes_that_exist"),
    broken(ScopesBackendContract, "backend", Generous, "the_default_is_among"),
    broken(ScopesBackendContract, "backend", Repeating, "named_twice"),
    broken(ScopesBackendContract, "backend", KindToStrangers, "a_stranger"),
    broken(ScopesBackendContract, "backend", NeedsClient, "without_a_client"),
    broken(ScopesBackendContract, "backend", Forgetful, "one_client_does_not_change"),
    broken(ScopesBackendContract, "backend", Lending, "nobody_can_change"),
]


# --- Values: the same mistakes in identifiers, secrets and tokens ---


class Counting(HashGenerator):
    """Counts, and not even safely."""

    pattern = "number-{:012d}"

    def __init__(self):
        self.number = 0

    def hash(self):
        number = self.number
        time.sleep(0.0002)
        self.number = number + 1
        return self.pattern.format(number)


def predictable():
    return f"{import_module('random').getrandbits(256):064x}"


def by_the_clock():
    return hashlib.sha256(str(time.time()).encode()).hexdigest()


def few():
    return secrets.choice([character * 40 for character in "abcdefgh"])


def wide():
    return secrets.token_urlsafe(32) + " é"


def colon():
    return secrets.token_hex(8) + ":" + secrets.token_hex(8)


def generator(make):
    return type("Generator", (), {"hash": staticmethod(make)})


def token(make):
    return lambda: lambda _request: make()


CASES += [
    broken(ClientIdContract, "generator", Counting, "in_parallel"),
    broken(ClientIdContract, "generator", generator(predictable), "a_seed"),
    broken(ClientIdContract, "generator", generator(by_the_clock), "a_seed"),
    broken(ClientIdContract, "generator", generator(few), "no_value_comes_twice"),
    broken(ClientIdContract, "generator", generator(wide), "printable_ascii"),
    broken(ClientIdContract, "generator", generator(colon), "http_basic"),
    broken(ClientSecretContract, "generator", Counting, "in_parallel", "cannot_be_guessed"),
    broken(ClientSecretContract, "generator", generator(predictable), "a_seed"),
    broken(ClientSecretContract, "generator", generator(few), "no_value_comes_twice"),
    broken(ClientSecretContract, "generator", generator(wide), "printable_ascii"),
    broken(TokenGeneratorContract, "generator", token(Counting().hash), "in_parallel", "guessed"),
    broken(TokenGeneratorContract, "generator", token(predictable), "a_seed"),
    broken(TokenGeneratorContract, "generator", token(few), "comes_twice_for_one_request"),
    broken(TokenGeneratorContract, "generator", token(wide), "as_a_bearer_token"),
]


# --- Hashers ---


def hasher(kind=Hasher, keys=Keys):
    return lambda: lambda *secret_keys: kind(keys(secret_keys, ""), "testing")


class Once(Hasher):
    seen = frozenset()

    def verify(self, secret, stored):
        known, self.seen = stored in self.seen, self.seen | {stored}
        return super().verify(secret, stored) and not known


class Careless(Hasher):
    """Compares the beginnings."""

    def hash_generated(self, secret):
        return super().hash_generated(secret[:8])

    def verify(self, secret, stored):
        return super().verify(secret[:8] if stored.startswith("digest:") else secret, stored)


class TakesHashes(Hasher):
    def verify(self, secret, stored):
        return (secret != "" and stored == secret) or super().verify(secret, stored)


class Open(Hasher):
    def seal(self, secret):
        return f"open:{secret}"

    def verify(self, secret, stored):
        return stored == f"open:{secret}" or super().verify(secret, stored)


class Forgetful(Hasher):
    def unseal(self, stored):
        return None


class GivesHashes(Hasher):
    """DOT#1737."""

    def unseal(self, stored):
        return super().unseal(stored) or stored


class Unsalted(Hasher):
    def hash_chosen(self, secret):
        return self.hash_generated(secret)


class Raising(Hasher):
    def verify(self, secret, stored):
        secret.encode("ascii")
        if not stored.startswith(("digest:", "sealed:", "$")):
            raise ValueError(stored)
        return super().verify(secret, stored)


class Bound(Hasher):
    def __init__(self, *arguments):
        self.owner = threading.get_ident()
        super().__init__(*arguments)

    def verify(self, secret, stored):
        return threading.get_ident() == self.owner and super().verify(secret, stored)


class Hasty(Hasher):
    def verify_nothing(self, secret):
        pass


class FirstOnly(Hasher):
    def verify_any(self, secret, stored, *, client_id, client_address):
        return stored[0] if stored and any(self.verify(secret, each) for each in stored) else None


CASES += [
    broken(SecretHasherContract, "make_hasher", hasher(FirstOnly), "the_one_that_is_presented"),
    broken(SecretHasherContract, "make_hasher", hasher(Once), "again_and_again"),
    broken(SecretHasherContract, "make_hasher", hasher(Careless), "nearly_right"),
    broken(SecretHasherContract, "make_hasher", hasher(TakesHashes), "what_is_stored_does_not_pass"),
    broken(SecretHasherContract, "make_hasher", hasher(Open), "does_not_show", "worthless"),
    broken(SecretHasherContract, "make_hasher", hasher(Forgetful), "whoever_has_the_secret_key"),
    broken(SecretHasherContract, "make_hasher", hasher(GivesHashes), "cannot_be_read"),
    broken(SecretHasherContract, "make_hasher", hasher(Unsalted), "stored_alike", "as_argon2id"),
    broken(SecretHasherContract, "make_hasher", hasher(Raising), "malformed", "odd_secrets"),
    broken(SecretHasherContract, "make_hasher", hasher(Bound), "another_thread"),
    broken(SecretHasherContract, "make_hasher", hasher(Hasty), "takes_the_time"),
    broken(
        SecretHasherContract,
        "make_hasher",
        hasher(keys=lambda _given, space: Keys([secrets.token_hex()], space)),
        "another_process",
    ),
    broken(
        SecretHasherContract,
        "make_hasher",
        hasher(keys=lambda given, space: Keys(given[:1], space)),
        "a_new_secret_key",
    ),
    broken(
        SecretHasherContract,
        "make_hasher",
        hasher(keys=lambda _given, space: Keys(["always the same key"], space)),
        "worthless",
    ),
]

globals().update({case.__name__: case for case in CASES})
