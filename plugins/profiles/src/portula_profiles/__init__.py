"""Profiles: what FAPI 2.0, OAuth 2.1 and MCP ask of a server and of its clients, each under one name.

Sources: FAPI 2.0 Security Profile (Final) §5.3, §5.4; FAPI 2.0 Message Signing (Final) §5.3 to §5.5; FAPI-CIBA (ID1)
§5.2.2, §7.6; OAuth 2.1 (draft);
Model Context Protocol, authorization (2026-07-28).
It never makes anything less strict, and lets no setting and no client below a profile pass in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Demands
from portula_profiles.fapi2 import FAPI2, FAPI2_MESSAGE_SIGNING
from portula_profiles.fapi_ciba import FAPI_CIBA
from portula_profiles.mcp import MCP
from portula_profiles.oauth21 import OAUTH21

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Interaction, Profile

__version__ = "0.1.0"


@hookimpl
def portula_profiles(provider: Provider) -> list[Profile]:
    """Return the profiles of this room."""
    return [FAPI2, FAPI2_MESSAGE_SIGNING, FAPI_CIBA, OAUTH21, MCP]


@hookimpl
def portula_interaction_demands(interaction: Interaction) -> Demands | None:
    """Ask people about clients of `mcp` that a class of the deployment's own computes to be trusted."""
    client = interaction.request.client
    if client is None or MCP not in interaction.provider.all_settings.profiles.of(client):
        return None
    return Demands(consent=True) if client.skips_authorization(interaction.request) else None
