"""Access tokens and authorization codes that are bound to a key, which the client proves in each request.

Sources: RFC 9449, RFC 7638, RFC 7800 §3.1.
It never takes a proof twice, one of another request, or a bound token without its proof.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_dpop.key_proofs import portula_key_proofs
from portula_dpop.metadata import portula_client_metadata, portula_metadata
from portula_dpop.presentation import portula_token_presentations
from portula_dpop.settings import DpopSettings
from portula_dpop.steps import portula_steps, portula_validate_token_request

if TYPE_CHECKING:
    from portula import Provider

__all__ = [
    "portula_client_metadata",
    "portula_key_proofs",
    "portula_metadata",
    "portula_steps",
    "portula_token_presentations",
    "portula_validate_token_request",
]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[DpopSettings]]:
    """Return the settings of this room."""
    return [DpopSettings]
