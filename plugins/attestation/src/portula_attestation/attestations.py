"""Judges an attestation, in order: who made it, is it signed, whose key is it, is it of now (draft §4, §7.1)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import KeysUnavailable, RetryLater, UntrustedToken
from portula.plugin import Application, is_time, jwk_thumbprint, public_jwk
from portula_attestation.errors import InvalidClientAttestation, UseFreshAttestation
from portula_attestation.settings import AttestationSettings, TrustedAttester

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer

log = logging.getLogger("portula")

HEADER = "oauth-client-attestation"
TYPE = "oauth-client-attestation+jwt"
ALGORITHMS = "client_attestation_signing_alg_values_supported"
"""Member of client metadata (§9)."""
MAX_SUB_LENGTH = 1024
MAX_ATTESTERS = 8
"""Attesters whose keys an attestation that names none of them is tried with."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """What an attestation says that counts."""

    client_id: str
    """Of the client whose instance it is about."""
    algorithm: str
    """By which it is signed."""
    key: Mapping[str, str] = field(repr=False)
    """The public key of the instance."""
    claims: Mapping[str, Any] = field(repr=False)
    """All that it says."""

    @property
    def thumbprint(self) -> str:
        """The name of the key (RFC 7638)."""
        return jwk_thumbprint(self.key)


class Attestations:
    """The attestations of those who are trusted. Safe to share between threads."""

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider, whose settings say who is trusted."""
        self._provider = provider
        self._settings = provider.settings(AttestationSettings)
        self._attesters = {
            name: (trusted, _signer(name, trusted))
            for name, trusted in self._settings.ATTESTATION_TRUSTED_ATTESTERS.items()
        }

    def judge(self, value: str, issuer: str) -> Attestation:
        """Return what an attestation says, whose time is not judged yet.

        Two header fields come as one with a comma, which is no token.

        Args:
            value: of the header field.
            issuer: our own name, in which nobody attests anything to us (attack S44).

        Raises:
            InvalidClientAttestation: it does not count.
            RetryLater: the keys that would show it cannot be had now.
        """
        if not value:
            raise InvalidClientAttestation("there is no attestation")
        claims, algorithm = self._verify(value, issuer)
        confirmation = claims.get("cnf")
        key = public_jwk(confirmation.get("jwk")) if isinstance(confirmation, Mapping) else None
        if key is None:
            raise InvalidClientAttestation("the attestation has no public key (cnf.jwk)")
        return Attestation(claims["sub"], algorithm, key, claims)

    def check(self, attestation: Attestation, client: Application) -> None:
        """Require that it is signed by what this client may have, of now, and as fresh as the settings have it (§7.1).

        Raises:
            InvalidClientAttestation: it is not.
        """
        settings = self._provider.settings(AttestationSettings, client)
        allowed = settings.ATTESTATION_SIGNING_ALGS
        if attestation.algorithm not in allowed or attestation.algorithm not in client.metadata.get(
            ALGORITHMS, allowed
        ):
            raise InvalidClientAttestation("the client's attestations are signed by other algorithms")
        now, skew, claims = self._provider.now(), settings.ATTESTATION_CLOCK_SKEW_SECONDS, attestation.claims
        times = {name: claims[name] for name in ("exp", "iat", "nbf") if claims.get(name) is not None}
        if "exp" not in times or not all(map(is_time, times.values())):
            raise InvalidClientAttestation("the attestation has no exp, or a time that is no number")
        if max(times.get("iat", now), times.get("nbf", now)) > now + skew:
            raise InvalidClientAttestation("the attestation is of the future (iat, nbf)")
        if times["exp"] <= now - skew:
            raise UseFreshAttestation("the attestation has expired")
        oldest = settings.ATTESTATION_MAX_AGE_SECONDS
        if oldest is not None and "iat" not in times:
            raise InvalidClientAttestation("the attestation does not say when it was made (iat)")
        if oldest is not None and times["iat"] < now - oldest - skew:
            raise UseFreshAttestation("the attestation is too old (iat)")

    def _verify(self, value: str, issuer: str) -> tuple[Mapping[str, Any], str]:
        """Return the claims and the algorithm; somebody who is trusted with the client has signed them."""
        jose = self._provider.hooks.ask(Plugin.portula_jose)
        algorithms, unavailable = self._settings.ATTESTATION_SIGNING_ALGS, None
        try:
            signers = self._signers(jose.read(value).claims, issuer)
        except UntrustedToken as error:
            raise InvalidClientAttestation(f"the attestation {error}") from None
        problem = "is of nobody who is trusted with this client"
        for signer in signers:
            try:
                token = jose.verify_of_client(value, signer, algorithms=algorithms, typ=(TYPE,))
            except KeysUnavailable as error:
                unavailable = error
            except UntrustedToken as error:
                problem = str(error)
            else:
                return token.claims, str(token.header["alg"])
        if unavailable is not None:
            log.warning("a client attestation cannot be judged: %s", unavailable)
            raise RetryLater("The keys of the attester cannot be fetched now.", unavailable.retry_after)
        raise InvalidClientAttestation(f"the attestation {problem}")

    def _signers(self, claims: Mapping[str, Any], issuer: str) -> list[Application]:
        """Return who may have signed: the attester that is named, else all that may attest this client."""
        named, subject = claims.get("iss"), claims.get("sub")
        if not isinstance(subject, str) or not _is_name(subject):
            raise InvalidClientAttestation("the attestation names no client (sub)")
        if named is not None and (not isinstance(named, str) or named == issuer):
            raise InvalidClientAttestation("the attestation is by nobody who attests to us (iss)")
        signers = [
            signer
            for name, (trusted, signer) in self._attesters.items()
            if named in (None, name) and _may_attest(trusted, subject)
        ]
        if len(signers) > MAX_ATTESTERS:
            raise InvalidClientAttestation("the attestation may be of many; it has to say whose it is (iss)")
        return signers


def _signer(name: str, trusted: TrustedAttester) -> Application:
    """Return an attester as a client with keys: they are fetched, held and renewed as those of clients are."""
    keys = {"jwks": trusted.jwks} if trusted.jwks is not None else {"jwks_uri": trusted.jwks_uri}
    return Application(client_id=f"attester {name}", metadata=keys)


def _may_attest(trusted: TrustedAttester, client_id: str) -> bool:
    return trusted.clients is None or any(
        client_id.startswith(each[:-1]) if each.endswith("*") else client_id == each
        for each in trusted.clients
    )


def _is_name(subject: str) -> bool:
    """Say whether a text may be a client_id: printable ASCII without spaces (RFC 6749 appendix A.1)."""
    return 1 <= len(subject) <= MAX_SUB_LENGTH and all("!" <= character <= "~" for character in subject)
