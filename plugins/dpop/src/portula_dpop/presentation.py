"""The presentation of bound tokens at resources (RFC 9449 §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidTokenError
from portula.plugin import TokenPresentation
from portula_dpop.metadata import CONFIRMATION
from portula_dpop.proofs import Proofs
from portula_dpop.settings import DpopSettings, is_on

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import PresentedToken


@hookimpl
def portula_token_presentations(provider: Provider) -> list[TokenPresentation]:
    """Return the scheme; none where no proof can be read, or none remembered, so that bound tokens are refused."""
    if not is_on(provider) or not provider.stores:
        return []
    proofs = Proofs(provider)

    def prove(presented: PresentedToken, bound: object) -> None:
        """Require a proof by the key that the token is bound to, of this request and this token (§7.1)."""
        if (
            proofs.thumbprint(presented.message, presented.headers, presented.value, presented.client)
            != bound
        ):
            raise InvalidTokenError(description="The token is bound to another key.")

    challenge = {"algs": " ".join(provider.settings(DpopSettings).DPOP_SIGNING_ALGS)}
    return [
        TokenPresentation(
            scheme="DPoP", confirmation=CONFIRMATION, prove=prove, label="DPoP key", challenge=challenge
        )
    ]
