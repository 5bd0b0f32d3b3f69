"""Settings of the admin: where it stands, and the classes that may be replaced."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from portula.plugin import AnswersSlot
from portula_admin.options import RecordAdmin


def _an_admin_class(value: Any) -> type[RecordAdmin]:
    if not isinstance(value, type) or not issubclass(value, RecordAdmin):
        raise TypeError("a subclass of portula_admin.options.RecordAdmin is needed")
    return value


def _answers(kind: str, alias: str) -> AnswersSlot:
    return AnswersSlot(f"{kind}_admin_class", _an_admin_class, (f"oauth2_provider.admin.{alias}",))


class AdminSettings(BaseModel):
    """Where the pages stand, and what each kind of record looks like."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    ADMIN_PATH: str = Field(
        default="/admin", pattern=r"^(/[A-Za-z0-9._~-]+)+$", max_length=255, examples=["/admin"]
    )
    """Path below the mount point where the pages stand."""

    APPLICATION_ADMIN_CLASS: Annotated[Any, _answers("application", "ApplicationAdmin")] = (
        "oauth2_provider.admin.ApplicationAdmin"
    )
    """Import string or class that shows clients, a subclass of `portula_admin.clients.ApplicationAdmin`. Not set: that
    one."""

    ACCESS_TOKEN_ADMIN_CLASS: Annotated[Any, _answers("access_token", "AccessTokenAdmin")] = (
        "oauth2_provider.admin.AccessTokenAdmin"
    )
    """Import string or class that shows access tokens, a subclass of `portula_admin.tokens.AccessTokenAdmin`. Not set:
    that one. Other than in django-oauth-toolkit no token is shown, and none can be searched for by its value."""

    GRANT_ADMIN_CLASS: Annotated[Any, _answers("grant", "GrantAdmin")] = "oauth2_provider.admin.GrantAdmin"
    """Import string or class that shows authorization codes, a subclass of `portula_admin.tokens.GrantAdmin`. Not set:
    that one."""

    REFRESH_TOKEN_ADMIN_CLASS: Annotated[Any, _answers("refresh_token", "RefreshTokenAdmin")] = (
        "oauth2_provider.admin.RefreshTokenAdmin"
    )
    """Import string or class that shows refresh tokens, a subclass of `portula_admin.tokens.RefreshTokenAdmin`. Not
    set: that one."""

    ID_TOKEN_ADMIN_CLASS: Annotated[Any, _answers("id_token", "IDTokenAdmin")] = (
        "oauth2_provider.admin.IDTokenAdmin"
    )
    """Import string or class that shows ID tokens, a subclass of `portula_admin.tokens.IDTokenAdmin`. Not set: that
    one. ID tokens are signed, not kept; there is a page only where a plugin contributes the record type `id_token`."""
