"""Sources of signing keys: the configuration, the storage, or a service that keeps them to itself."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from jwcrypto.common import JWException
from jwcrypto.jwk import JWK

from portula.errors import JoseError
from portula_jose.algorithms import ALGORITHMS, fits, sign, verifies
from portula_jose.pem import key_of

if TYPE_CHECKING:
    from portula_jose.hooks import Signer
    from portula_jose.settings import JoseSettings

log = logging.getLogger("portula")

PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
"""RFC 7518 §6.2.2, §6.3.2 and §6.4, RFC 8037 §2: what is never published (attack S48)."""

_CONFIGURED = ("RS256", "PS256")
"""What one RSA key does."""

SIGNER_KEYS_SECONDS = 60
"""How long a signer's list of keys is kept."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that tokens of ours are verified with, or that others encrypt with."""

    kid: str
    algorithms: frozenset[str]
    key: JWK = field(repr=False)
    """Without private members."""
    use: Literal["sig", "enc"] = "sig"

    @classmethod
    def of(cls, key: JWK, algorithms: Iterable[str], use: Literal["sig", "enc"] = "sig") -> PublicKey:
        """Return the public part of a key, known by its thumbprint (RFC 7638)."""
        return cls(key.thumbprint(), frozenset(algorithms), key.public(), use)

    @property
    def jwk(self) -> dict[str, Any]:
        """The members to publish (RFC 7517 §4): `alg` only for a key that does one algorithm."""
        members: dict[str, Any] = {
            name: value
            for name, value in json.loads(self.key.export_public()).items()
            if name not in {"kid", "use", "alg", "key_ops"} and not name.startswith("x5")
        }
        named = {"alg": next(iter(self.algorithms))} if len(self.algorithms) == 1 else {}
        return {**members, "kid": self.kid, "use": self.use, **named}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs now."""

    kid: str
    sign: Callable[[bytes], bytes] = field(repr=False)


class KeySource(Protocol):
    """Has keys of ours."""

    name: str
    """Where they are, for reports."""

    def algorithms(self) -> Sequence[str]:
        """Return what it can sign with now; nothing is made for the answer."""
        ...

    def signing_key(self, algorithm: str) -> SigningKey:
        """Return the key that signs now with one of these algorithms."""
        ...

    def published_keys(self) -> Sequence[PublicKey]:
        """Return the keys to publish, those that sign first; makes what is missing."""
        ...

    def find(self, kid: str) -> PublicKey | None:
        """Return the published key of this name; makes nothing."""
        ...


class ConfiguredKeys:
    """The keys of OIDC_RSA_PRIVATE_KEY and OIDC_RSA_PRIVATE_KEYS_INACTIVE."""

    name = "configuration"

    def __init__(self, settings: JoseSettings) -> None:
        """Take the settings, which have parsed the keys."""
        active = settings.OIDC_RSA_PRIVATE_KEY
        self._key = key_of(active) if active else None
        offered = [name for name in _CONFIGURED if name in settings.SIGNING_ALGORITHMS]
        self._algorithms = tuple(offered) if active else ()
        keys = [self._key] if self._key else []
        keys += [key_of(pem) for pem in settings.OIDC_RSA_PRIVATE_KEYS_INACTIVE]
        self._published = {key.kid: key for key in (PublicKey.of(key, offered) for key in keys)}

    def algorithms(self) -> Sequence[str]:
        """See KeySource.algorithms."""
        return self._algorithms

    def signing_key(self, algorithm: str) -> SigningKey:
        """See KeySource.signing_key."""
        key = self._key
        if key is None:
            raise JoseError("OIDC_RSA_PRIVATE_KEY is not set")
        return SigningKey(next(iter(self._published)), lambda data: sign(key, algorithm, data))

    def published_keys(self) -> Sequence[PublicKey]:
        """See KeySource.published."""
        return tuple(self._published.values())

    def find(self, kid: str) -> PublicKey | None:
        """See KeySource.find."""
        return self._published.get(kid)


class SignerKeys:
    """The keys behind the slot `signer`: only their public parts are known here."""

    name = "signer"

    def __init__(self, signer: Signer, allowed: Sequence[str], now: Callable[[], int]) -> None:
        """Take the signer, SIGNING_ALGORITHMS and the clock."""
        self._signer = signer
        self._allowed = allowed
        self._now = now
        self._held: tuple[int, dict[str, PublicKey]] | None = None

    def algorithms(self) -> Sequence[str]:
        """See KeySource.algorithms."""
        known = {name for key in self.published_keys() for name in key.algorithms}
        return [name for name in self._allowed if name in known]

    def signing_key(self, algorithm: str) -> SigningKey:
        """See KeySource.signing_key."""
        public = next((key for key in self.published_keys() if algorithm in key.algorithms), None)
        if public is None:
            raise JoseError(f"the signer has no key for {algorithm}")
        return SigningKey(public.kid, lambda data: self._sign(public, algorithm, data))

    def published_keys(self) -> Sequence[PublicKey]:
        """See KeySource.published."""
        now, held = self._now(), self._held
        if held is None or not 0 <= now - held[0] < SIGNER_KEYS_SECONDS:
            held = self._held = (now, self._read(held))
        return tuple(held[1].values())

    def find(self, kid: str) -> PublicKey | None:
        """See KeySource.find."""
        return next((key for key in self.published_keys() if key.kid == kid), None)

    def _read(self, held: tuple[int, dict[str, PublicKey]] | None) -> dict[str, PublicKey]:
        """Ask for the keys; those that were held go on when it cannot say."""
        try:
            return {key.kid: key for key in map(_signer_key, self._signer.keys())}
        except JoseError:
            raise
        except Exception as error:
            log.exception("the signer does not say which keys it has")
            if held is None:
                raise JoseError("the signer does not say which keys it has") from error
            return held[1]

    def _sign(self, public: PublicKey, algorithm: str, data: bytes) -> bytes:
        """Let it sign, and let nothing out that does not verify: DER in place of r and s is a usual mistake."""
        try:
            signature = self._signer.sign(public.kid, algorithm, data)
        except Exception as error:
            log.exception("the signer failed")
            raise JoseError("the signer failed") from error
        if not verifies(public.key, algorithm, data, signature):
            raise JoseError(f"the signer's signature by {algorithm} is not that of its key")
        return signature


def _signer_key(members: Mapping[str, Any]) -> PublicKey:
    """Return a key of a signer.

    Raises:
        JoseError: it is not public, or not fit for its algorithm.
    """
    kid, algorithm = members.get("kid"), members.get("alg")
    if not PRIVATE_MEMBERS.isdisjoint(members):
        raise JoseError("the signer shows a private key")
    if not isinstance(kid, str) or not kid or algorithm not in ALGORITHMS:
        raise JoseError("every key of the signer has a kid and an alg")
    try:
        key = JWK(**{name: value for name, value in members.items() if name not in {"alg", "use", "key_ops"}})
        fit = fits(key, algorithm)
    except (JWException, ValueError, TypeError) as error:
        raise JoseError("a key of the signer is no JWK") from error
    if not fit or ALGORITHMS[algorithm].symmetric:
        raise JoseError(f"a key of the signer is not fit for {algorithm}")
    return PublicKey(kid, frozenset({algorithm}), key)
