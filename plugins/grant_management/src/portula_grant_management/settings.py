"""Settings of grant management."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from portula.plugin import Application, AuthorizationServer

CREATE: Final = "create"
MERGE: Final = "merge"
REPLACE: Final = "replace"
QUERY: Final = "query"
REVOKE: Final = "revoke"

Action = Literal["create", "merge", "replace", "query", "revoke"]


class GrantManagementSettings(BaseModel):
    """Whether clients manage what people allowed them, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    GRANT_MANAGEMENT_ENABLED: bool = False
    """Whether clients may name a grant in authorization requests, look at it and end it. Off, the parameters are
    ignored, and neither the endpoint nor anything of it in the metadata is there."""

    GRANT_MANAGEMENT_ACTIONS: frozenset[Action] = frozenset({CREATE, MERGE, REPLACE, QUERY, REVOKE})
    """What they may do (Grant Management §7.1): `create`, `merge` and `replace` at authorization requests, `query` and
    `revoke` at the endpoint."""

    GRANT_MANAGEMENT_ACTION_REQUIRED: bool = False
    """Whether every authorization request has to name an action (§7.1). Public clients may name none, so that they are
    shut out."""

    GRANT_MANAGEMENT_IDLE_SECONDS: int = Field(default=400 * 86400, ge=3600)
    """Seconds after its last token request that a grant can still be named and managed if its refresh tokens have no
    end; they go on."""


def settings_of(provider: AuthorizationServer, client: Application | None = None) -> GrantManagementSettings:
    """Return the settings, as they are for a client if one is given."""
    return provider.settings(GrantManagementSettings, client)


def is_on(provider: AuthorizationServer) -> bool:
    """Say whether there is anything to manage."""
    settings = settings_of(provider)
    return settings.GRANT_MANAGEMENT_ENABLED and bool(settings.GRANT_MANAGEMENT_ACTIONS)
