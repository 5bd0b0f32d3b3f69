"""Clients that the settings of OpenID Connect no longer have room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Finding, Level
from portula_oidc.settings import OIDCSettings, is_on

if TYPE_CHECKING:
    from portula import Provider

CLIENTS_MOST = 10_000
"""How many clients are compared: a check runs at each start of `portula serve`."""
CLIENTS_NAMED = 10


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Compare the clients with OIDC_SUBJECT_TYPES_SUPPORTED, where it excludes one."""
    kinds = provider.settings(OIDCSettings).OIDC_SUBJECT_TYPES_SUPPORTED
    everything = OIDCSettings.model_fields["OIDC_SUBJECT_TYPES_SUPPORTED"].default
    if not is_on(provider) or set(kinds) == set(everything):
        return []
    barred = [
        client.client_id
        for client in provider.clients.iterate(CLIENTS_MOST)
        if client.metadata.get("subject_type", "public") not in kinds
    ]
    if not barred:
        return []
    others = f" and {len(barred) - CLIENTS_NAMED} more" if len(barred) > CLIENTS_NAMED else ""
    return [
        Finding(
            "oidc.client-subject-types",
            Level.WARNING,
            "OIDC_SUBJECT_TYPES_SUPPORTED excludes the subject type of these clients: "
            f"{', '.join(barred[:CLIENTS_NAMED])}{others}.",
            "Add the subject type, or leave the setting out: else they can no longer be changed.",
            "OpenID Connect Core §8",
        )
    ]
