"""Judges the JWT that proves the key of an instance: is it by that key, for us, of now, new (draft §5.1, §7.2)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import UntrustedToken
from portula.plugin import Application, Artifact, is_time, use_once
from portula_attestation.challenges import Challenges
from portula_attestation.errors import InvalidClientAttestation, UseAttestationChallenge
from portula_attestation.settings import AttestationSettings

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, Exchange
    from portula_attestation.attestations import Attestation

HEADER = "oauth-client-attestation-pop"
CHALLENGE_HEADER = "OAuth-Client-Attestation-Challenge"
TYPE = "oauth-client-attestation-pop+jwt"
KIND = "attestation-pop"
MAX_JTI_LENGTH = 512
PURGED_EACH = 100
"""Proofs after which a process deletes what is over, twice as many: each request has one, and they soon end."""

_INSTANCE = "client instance"
"""client_id of the client that stands for the key of an attestation."""


class PopJwts:
    """Judges proofs of possession. Safe to share between threads."""

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider, whose clock, keys and storage are asked for later."""
        self._provider = provider
        self._challenges = Challenges(provider)
        self._numbers = count(1)

    def check(self, exchange: Exchange, attestation: Attestation, client: Application) -> None:
        """Require the proof of the key of an attestation; it is used up, whatever becomes of the request.

        Raises:
            InvalidClientAttestation: it does not count.
        """
        if self._challenges.are_required:
            challenge = self._challenges.make(exchange.issuer)
            exchange.headers |= {CHALLENGE_HEADER: challenge, "Cache-Control": "no-store"}
        settings = self._provider.settings(AttestationSettings, client)
        claims = self._verify(exchange.message.headers.get(HEADER, ""), attestation, client, settings)
        if claims.get("aud") not in (exchange.issuer, [exchange.issuer]):
            raise InvalidClientAttestation("the proof is not for us alone (aud)")
        issued_at, jti = claims.get("iat"), claims.get("jti")
        if not is_time(issued_at):
            raise InvalidClientAttestation("the proof has no time (iat)")
        if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI_LENGTH:
            raise InvalidClientAttestation("the proof has no name, or a very long one (jti)")
        if next(self._numbers) % PURGED_EACH == 0:
            self._provider.storage.purge(Artifact, now=self._provider.now(), limit=2 * PURGED_EACH)
        if self._challenges.are_required:
            if not self._challenges.use(claims.get("challenge"), exchange.issuer):
                raise UseAttestationChallenge("the proof has no challenge of ours that counts")
            return
        self._use_once(f"{attestation.thumbprint}\0{jti}", issued_at, settings)

    def _verify(
        self, proof: str, attestation: Attestation, client: Application, settings: AttestationSettings
    ) -> Mapping[str, Any]:
        """Return the claims. Two header fields come as one with a comma, which is no token."""
        if not proof:
            raise InvalidClientAttestation("the key of the attestation is not proven")
        signer = Application(client_id=_INSTANCE, metadata={"jwks": {"keys": [dict(attestation.key)]}})
        named = client.metadata.get("client_attestation_pop_signing_alg_values_supported")
        allowed = [name for name in settings.ATTESTATION_POP_SIGNING_ALGS if named is None or name in named]
        jose = self._provider.hooks.ask(Plugin.portula_jose)
        try:
            return jose.verify_of_client(proof, signer, algorithms=allowed, typ=(TYPE,)).claims
        except UntrustedToken as error:
            raise InvalidClientAttestation(f"the proof {error}") from None

    def _use_once(self, name: str, issued_at: float, settings: AttestationSettings) -> None:
        """Let it be of now, and remember it for as long as it could count, in all processes together (draft §12.1).

        Last of all, so that nobody can use one up without the key.
        """
        now, skew = self._provider.now(), settings.ATTESTATION_CLOCK_SKEW_SECONDS
        longest = settings.ATTESTATION_POP_LIFETIME_SECONDS
        if not now - longest <= issued_at <= now + skew:
            raise InvalidClientAttestation("the proof is too old, or of the future (iat)")
        if not use_once(self._provider, KIND, name, until=now + longest + skew + 1):
            raise InvalidClientAttestation("the proof was used before (jti)")
