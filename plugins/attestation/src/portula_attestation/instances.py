"""Who the instance is that sends a request: an attestation, and one proof of its key (draft §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.plugin import basic_credentials_of
from portula_attestation import attestations, proofs
from portula_attestation.errors import InvalidClientAttestation
from portula_attestation.hooks import AttestationHooks
from portula_attestation.settings import METHOD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portula.plugin import Application, AuthorizationServer, Exchange
    from portula_attestation.attestations import Attestation

ROOM = "attestation"


def instance_key(exchange: Exchange) -> str | None:
    """Return the thumbprint of the key by which the client of a request authenticated; None for one that did not."""
    key: str | None = exchange.memo.get((ROOM,))
    return key


class Instances:
    """Knows instances of clients by the requests they send. Safe to share between threads."""

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider, and collect the proofs that may stand in place of this room's own."""
        self._provider = provider
        self._attestations = attestations.Attestations(provider)
        self._pop_jwts = proofs.PopJwts(provider)
        self._key_proofs = {
            f"{METHOD}_{name}": proof
            for name, proof in provider.hooks.collect(AttestationHooks.portula_key_proofs).items()
        }

    @property
    def methods(self) -> list[str]:
        """The methods of client authentication, by what proves the key."""
        return [METHOD, *self._key_proofs]

    def method_of(self, headers: Mapping[str, str]) -> str | None:
        """Return the method that the headers of a request are for; None where they have nothing of this room.

        A proof of this room decides over any other that comes along, which is for tokens then (draft §7).
        """
        if proofs.HEADER in headers:
            return METHOD
        if attestations.HEADER not in headers:
            return None
        offered = self._provider.client_auth_methods
        named = (
            name for name, proof in self._key_proofs.items() if proof.header in headers and name in offered
        )
        return next(named, METHOD)

    def attestation_of(self, exchange: Exchange) -> Attestation:
        """Return the attestation of a request, whose key is not proven yet.

        Raises:
            InvalidClientAttestation: it does not count, or is of another client than the request names.
            RetryLater: the keys of the attester cannot be had now.
        """
        request = exchange.request
        found = self._attestations.judge(
            exchange.message.headers.get(attestations.HEADER, ""), exchange.issuer
        )
        users = [user for user, _ in basic_credentials_of(request) or ()]
        if request.client_id not in (None, found.client_id) or (users and found.client_id not in users):
            raise InvalidClientAttestation("the attestation is of another client than the request names")
        return found

    def prove(self, exchange: Exchange, attestation: Attestation, client: Application) -> None:
        """Require an attestation that counts now for this client, and one proof of its key.

        Raises:
            OAuth2Error: it does not count, or there is no proof that does.
        """
        self._attestations.check(attestation, client)
        method = self.method_of(exchange.message.headers)
        proof = self._key_proofs.get(method or "")
        if proof is None:
            self._pop_jwts.check(exchange, attestation, client)
        elif proof.thumbprint(exchange, client) != attestation.thumbprint:
            raise InvalidClientAttestation("the key that is proven is not that of the attestation")

    def judge_signal(self, exchange: Exchange) -> None:
        """Refuse a wrong attestation that a client sends along, while it authenticates in another way (draft §7.6)."""
        client, headers = exchange.client, exchange.message.headers
        if client is None or instance_key(exchange) is not None or self.method_of(headers) is None:
            return
        try:
            self.prove(exchange, self.attestation_of(exchange), client)
        except InvalidClientAttestation as error:
            exchange.reason = error.reason
            raise
