"""What the server metadata says of grants (Grant Management §7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_grant_management.endpoint import PATH
from portula_grant_management.settings import QUERY, REVOKE, is_on, settings_of

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return what clients may do with grants, and where; nothing while the room is off."""
    if not is_on(provider):
        return {}
    settings = settings_of(provider)
    actions = settings.GRANT_MANAGEMENT_ACTIONS
    return {
        "grant_management_actions_supported": sorted(actions),
        "grant_management_endpoint": PATH if actions & {QUERY, REVOKE} else "",
        "grant_management_action_required": settings.GRANT_MANAGEMENT_ACTION_REQUIRED,
    }
