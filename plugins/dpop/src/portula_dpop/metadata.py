"""Server metadata and client metadata of bound tokens (RFC 9449 §5.1, §5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula.plugin import ClientMember
from portula_dpop.settings import DpopSettings, binds

if TYPE_CHECKING:
    from portula import Provider

CONFIRMATION = "jkt"
"""Member of `cnf` that holds the thumbprint of a key (RFC 9449 §6)."""


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the algorithms, none where no token is bound."""
    algorithms = provider.settings(DpopSettings).DPOP_SIGNING_ALGS if binds(provider) else ()
    return {"dpop_signing_alg_values_supported": algorithms}


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the member by which a client has all its tokens bound."""
    return [
        ClientMember(
            "dpop_bound_access_tokens",
            bool,
            label="Tokens bound to its key",
            hint="It gets no access token without a proof of its key (DPoP, RFC 9449 §5.2).",
            confirmation=CONFIRMATION,
        )
    ]
