"""The proof of a key as others ask for it: a plugin that authenticates clients by a key of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_dpop.proofs import HEADER, Proofs
from portula_dpop.settings import binds

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, Exchange


class DpopKeyProof:
    """Proves a key by the header DPoP; a token of the same request is bound to it, by the same proof."""

    header = HEADER

    def __init__(self, provider: Provider) -> None:
        """Take the provider, whose settings say what a proof may be."""
        self._proofs = Proofs(provider)

    def thumbprint(self, exchange: Exchange, client: Application) -> str:
        """Return the thumbprint of the key that a request proves (RFC 7638).

        Raises:
            OAuth2Error: it proves none (RFC 9449 §5, §8).
        """
        return self._proofs.of_exchange(exchange, client)


@hookimpl(optionalhook=True)
def portula_key_proofs(provider: Provider) -> dict[str, DpopKeyProof]:
    """Return the proof, where keys are proven at the endpoints of this server."""
    return {"dpop": DpopKeyProof(provider)} if binds(provider) else {}
