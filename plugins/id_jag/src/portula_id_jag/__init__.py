"""Assertions of a person's identity, by which an app gets a token of another authorization server (ID-JAG).

Source: draft-ietf-oauth-identity-assertion-authz-grant-04, an Internet-Draft: this room changes with it.
It never gives one to a server that the settings do not name, and takes none that is for others as well, that another
client was given, or whose key is not proven.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_id_jag.hooks import IdJagClaims, IdJagHooks
from portula_id_jag.issuing import portula_requested_token_types
from portula_id_jag.redeeming import portula_assertion_types, portula_validate_token_request
from portula_id_jag.settings import IdJagSettings
from portula_id_jag.trial import portula_grant_trials

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import HookDeclarations

__all__ = [
    "IdJagClaims",
    "portula_assertion_types",
    "portula_grant_trials",
    "portula_requested_token_types",
    "portula_validate_token_request",
]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """Return the hook of claims."""
    return [IdJagHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[IdJagSettings]]:
    """Return the settings of this room."""
    return [IdJagSettings]
