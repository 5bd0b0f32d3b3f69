"""The hook of this room, and what its answers are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from portula import Provider
from portula.plugin import Application, Exchange, HookClass, HookDeclarations, contribution


@runtime_checkable
class KeyProof(Protocol):
    """A proof of a key that may stand in place of the Client Attestation PoP JWT (draft §5, §5.2)."""

    header: str
    """Lower-case name of the HTTP field that it comes in."""

    def thumbprint(self, exchange: Exchange, client: Application) -> str:
        """Return the thumbprint of the key that a request proves (RFC 7638); one proof counts once.

        Raises:
            OAuth2Error: it proves none.
        """


class AttestationHooks(HookDeclarations):
    """Hooks of this room."""

    @contribution(HookClass.DECIDES)
    def portula_key_proofs(self, provider: Provider) -> Mapping[str, KeyProof]:
        """Contribute proofs of keys: `tea` makes `attest_jwt_client_auth_tea` a method of client authentication.

        Example:
            class TeaProof:
                header = "tea"

                def thumbprint(self, exchange, client):
                    return exchange.message.headers["tea"]

            class Room(Plugin):
                def portula_key_proofs(self, provider):
                    return {"tea": TeaProof()}
        """
        return {}
