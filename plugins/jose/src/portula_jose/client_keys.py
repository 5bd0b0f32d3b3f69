"""Keys of clients, from their `jwks` or `jwks_uri` (RFC 7591 §2): which may have signed a token, which encrypts one."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwcrypto.common import JWException
from jwcrypto.jwk import JWK

from portula import Plugin
from portula.errors import FetchFailed, KeysUnavailable, UntrustedToken
from portula.plugin import costly_work, read_object
from portula_jose.algorithms import ALGORITHMS, MAX_RSA_BITS, MIN_RSA_BITS, fits, names_agree, verifies
from portula_jose.encryption import encrypts_with
from portula_jose.sources import PRIVATE_MEMBERS

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application
    from portula_jose.compact import Parts
    from portula_jose.settings import JoseSettings

log = logging.getLogger("portula")

MAX_KEYS = 32
"""Keys of one set that are looked at."""
MAX_CANDIDATES = 8
"""Keys that one token is tried with."""
MAX_CLIENTS = 2048
"""Sets kept; the one not used for longest goes first."""
MAX_EXPONENT_BITS = 64
"""A larger exponent of an RSA key only costs time."""

MEDIA_TYPES = ("application/json", "application/jwk-set+json")
"""RFC 7517 §8.5, and what most servers say."""

SERVER_FAILED = 500
"""Statuses from here on are no answer to what was asked (RFC 9110 §15.6)."""

_MEMBERS: Mapping[str, tuple[str, ...]] = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
"""What a public key is made of; all else in a JWK, certificates included, is not looked at (attack S41)."""

_CURVES = frozenset(algorithm.crv for algorithm in ALGORITHMS.values() if algorithm.crv is not None)
"""Those that signatures here are made on."""

Use = Literal["sig", "enc"]

_OPERATIONS: Mapping[Use, tuple[str, frozenset[str]]] = {
    "sig": ("signatures", frozenset({"verify"})),
    "enc": ("encryption", frozenset({"encrypt", "wrapKey", "deriveKey", "deriveBits"})),
}
"""What a key is for, by its `use`, and the `key_ops` that say the same (RFC 7517 §4.2, §4.3)."""


class UnusableKey(ValueError):
    """A JWK that is of no use here; the message says why."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A public key of a client."""

    kid: str | None
    alg: str | None
    use: str | None
    key: JWK = field(repr=False)

    @classmethod
    def of(cls, members: object, use: Use = "sig") -> ClientKey:
        """Return a key of a JWK Set, for signatures or for encryption; one that does not say which is for both.

        Raises:
            UnusableKey: it is not public, not for this use, too weak, or of a type that is not known here.
        """
        if not isinstance(members, Mapping):
            raise UnusableKey("is no JSON object")
        names = _MEMBERS.get(str(members.get("kty")))
        if not PRIVATE_MEMBERS.isdisjoint(members) or members.get("kty") == "oct":
            raise UnusableKey("holds a private or symmetric key; only public keys are registered")
        purpose, fitting = _OPERATIONS[use]
        kid, alg, operations = members.get("kid"), members.get("alg"), members.get("key_ops", [*fitting])
        if not isinstance(kid, str | None) or not isinstance(alg, str | None):
            raise UnusableKey("has a kid or an alg that is no text")
        if (
            members.get("use", use) != use
            or not isinstance(operations, list)
            or fitting.isdisjoint(filter(_is_text, operations))
        ):
            raise UnusableKey(f"is not for {purpose}")
        if names is None or not all(isinstance(members.get(name), str) for name in names):
            raise UnusableKey("is of a type that is not known here, or lacks a member")
        try:
            key = JWK(kty=members["kty"], **{name: members[name] for name in names})
            loaded = key.get_op_key("verify", members.get("crv"))
        except (JWException, ValueError, TypeError) as error:
            raise UnusableKey("is no key") from error
        if isinstance(loaded, RSAPublicKey):
            if not MIN_RSA_BITS <= loaded.key_size <= MAX_RSA_BITS:
                raise UnusableKey(
                    f"is an RSA key of less than {MIN_RSA_BITS} or more than {MAX_RSA_BITS} bits"
                )
            if loaded.public_numbers().e.bit_length() > MAX_EXPONENT_BITS:
                raise UnusableKey("has an exponent that is far too large")
        return cls(kid, alg, members.get("use"), key)


def is_foreign(members: Mapping[str, Any]) -> bool:
    """Say whether a JWK is public, and of a type or on a curve that no signature here is made with (RFC 7517 §5)."""
    kty, crv = members.get("kty"), members.get("crv")
    if not PRIVATE_MEMBERS.isdisjoint(members) or not isinstance(kty, str) or kty == "oct":
        return False
    return kty not in _MEMBERS or (kty != "RSA" and isinstance(crv, str) and crv not in _CURVES)


def usable_keys(jwks: object, use: Use = "sig") -> tuple[ClientKey, ...]:
    """Return the keys of a JWK Set that are of this use; the others are passed over (RFC 7517 §5)."""
    entries = jwks.get("keys") if isinstance(jwks, Mapping) else None
    found = []
    for members in entries[:MAX_KEYS] if isinstance(entries, list) else ():
        try:
            found.append(ClientKey.of(members, use))
        except UnusableKey:
            continue
    return tuple(found)


def candidates(keys: Iterable[ClientKey], algorithm: str, kid: str | None) -> Sequence[ClientKey]:
    """Return the keys that may have made a signature: of the right type, and of the right name if names are given."""
    fitting = [
        key
        for key in keys
        if (kid is None or key.kid is None or key.kid == kid)
        and (key.alg is None or names_agree(key.alg, algorithm))
        and fits(key.key, algorithm)
    ]
    fitting.sort(key=lambda key: key.kid != kid)
    return fitting[:MAX_CANDIDATES]


def to_encrypt_with(keys: Iterable[ClientKey], algorithm: str) -> ClientKey | None:
    """Return the key that an algorithm encrypts with: the first that is said to be for encryption, or to be for all."""
    fitting = [key for key in keys if key.alg in (None, algorithm) and encrypts_with(key.key, algorithm)]
    return min(fitting, key=lambda key: key.use is None, default=None)


class _KeysState:
    """What is known of one client's keys."""

    def __init__(self, source: object) -> None:
        """Take where they come from: the set itself, or its URI."""
        self.source = source
        self.lock = threading.Lock()
        self.keys: tuple[ClientKey, ...] = ()
        self.encrypting: tuple[ClientKey, ...] = ()
        self.good_until = 0
        self.asked_at: int | None = None
        self.unreachable = False
        """Whether their server gave no answer when it was asked."""

    def take(self, jwks: object) -> None:
        """Keep the keys of a JWK Set."""
        self.keys, self.encrypting = usable_keys(jwks), usable_keys(jwks, "enc")

    def take_once(self, jwks: object) -> None:
        """Keep the keys of a JWK Set that stands in the client's metadata, unless that was done before."""
        if self.asked_at is None:
            self.take(jwks)
            self.asked_at = 0


class ClientKeys:
    """The keys of all clients of a provider. Safe to share between threads."""

    def __init__(self, provider: Provider, settings: JoseSettings) -> None:
        """Take the provider, whose fetcher is asked for later."""
        self._provider = provider
        self._settings = settings
        self._kept: OrderedDict[str, _KeysState] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, parts: Parts, client: Application) -> None:
        """Verify a signature by an asymmetric algorithm.

        Raises:
            UntrustedToken: no key of the client made it, or it has none.
            KeysUnavailable: none is held, and their server gives no answer.
        """
        jwks, uri = client.metadata.get("jwks"), client.metadata.get("jwks_uri")
        if not jwks and not isinstance(uri, str):
            raise UntrustedToken("is signed with a key, and the client has none")
        entry = self._of(client.client_id, jwks or uri)
        if jwks:
            entry.take_once(jwks)
            found = _signed_by(entry.keys, parts)
        else:
            found = self._signed_by_fetched(entry, str(uri), parts)
        if not found:
            raise UntrustedToken("is not signed by a key of the client")

    def for_encryption(self, client: Application, algorithm: str) -> ClientKey | None:
        """Return the key that something is encrypted with for a client, None where it has none.

        Raises:
            KeysUnavailable: none is held, and their server gives no answer.
        """
        jwks, uri = client.metadata.get("jwks"), client.metadata.get("jwks_uri")
        if not jwks and not isinstance(uri, str):
            return None
        entry = self._of(client.client_id, jwks or uri)
        if jwks:
            entry.take_once(jwks)
            return to_encrypt_with(entry.encrypting, algorithm)
        now = self._provider.now()
        with _hold(entry.lock):
            if now >= entry.good_until:
                self._fetch(entry, str(uri), now)
            found = to_encrypt_with(entry.encrypting, algorithm)
            if found is None:
                self._fetch(entry, str(uri), now)
                found = to_encrypt_with(entry.encrypting, algorithm)
            if found is None and entry.unreachable:
                raise KeysUnavailable(
                    "cannot be encrypted: the key cannot be fetched now", self._wait(entry, now)
                )
        return found

    def _signed_by_fetched(self, entry: _KeysState, uri: str, parts: Parts) -> bool:
        """Try the keys that are held, and fresh ones when none of them did it: clients rotate theirs too."""
        now = self._provider.now()
        with _hold(entry.lock):
            if now >= entry.good_until:
                self._fetch(entry, uri, now)
            keys = entry.keys
        if _signed_by(keys, parts):
            return True
        if parts.kid is not None and any(key.kid == parts.kid for key in keys):
            return False
        with _hold(entry.lock):
            if entry.keys is keys:
                self._fetch(entry, uri, now)
            fresh, unreachable, wait = entry.keys, entry.unreachable, self._wait(entry, now)
        if not fresh and unreachable:
            raise KeysUnavailable("is signed with a key that cannot be fetched now", wait)
        return fresh is not keys and _signed_by(fresh, parts)

    def _wait(self, entry: _KeysState, now: int) -> int:
        """Return in how many seconds the server is asked again."""
        return max((entry.asked_at or now) + self._settings.CLIENT_JWKS_REFETCH_SECONDS - now, 1)

    def _fetch(self, entry: _KeysState, uri: str, now: int) -> None:
        """Ask for the keys, unless that was done a moment ago: bad tokens and failures cause no flood."""
        settings = self._settings
        if entry.asked_at is not None and 0 <= now - entry.asked_at < settings.CLIENT_JWKS_REFETCH_SECONDS:
            return
        if now >= entry.good_until:
            entry.take(None)  # what cannot be renewed no longer counts: it may have been withdrawn
        fetcher = self._provider.hooks.ruling(Plugin.portula_fetcher).answer
        if fetcher is None:
            log.error("a client has a jwks_uri, and nothing answers the slot 'fetcher'")
            entry.asked_at = now
            return
        try:
            answer = fetcher.get(uri, accept=MEDIA_TYPES, max_bytes=settings.CLIENT_JWKS_MAX_BYTES)
            jwks = read_object(answer.body)
        except (FetchFailed, ValueError) as error:
            log.warning("the keys of a client cannot be had: %s", type(error).__name__)
            entry.asked_at, entry.unreachable = now, _no_answer(error)
            return
        longest = settings.CLIENT_JWKS_CACHE_SECONDS
        max_age = longest if answer.max_age is None else answer.max_age
        entry.take(jwks)
        entry.asked_at, entry.unreachable = now, False
        entry.good_until = now + min(max(max_age, settings.CLIENT_JWKS_MIN_CACHE_SECONDS), longest)

    def _of(self, client_id: str, source: object) -> _KeysState:
        with self._lock:
            entry = self._kept.get(client_id)
            if entry is None or entry.source != source:
                entry = self._kept[client_id] = _KeysState(source)
            self._kept.move_to_end(client_id)
            if len(self._kept) > MAX_CLIENTS:
                self._kept.popitem(last=False)
            return entry


@contextmanager
def _hold(lock: threading.Lock) -> Iterator[None]:
    """Hold a lock; while somebody asks for keys under it, who waits for these holds no other request up."""
    if not lock.acquire(blocking=False):
        with costly_work(lock):
            yield
        return
    try:
        yield
    finally:
        lock.release()


def _signed_by(keys: Iterable[ClientKey], parts: Parts) -> bool:
    if parts.algorithm not in ALGORITHMS:
        return False
    return any(
        verifies(candidate.key, parts.algorithm, parts.data, parts.signature)
        for candidate in candidates(keys, parts.algorithm, parts.kid)
    )


def _no_answer(error: Exception) -> bool:
    """Say whether a server did not answer, or said that it cannot now; any other answer says that there are no keys."""
    return isinstance(error, FetchFailed) and (error.status is None or error.status >= SERVER_FAILED)


def _is_text(value: object) -> bool:
    return isinstance(value, str)
