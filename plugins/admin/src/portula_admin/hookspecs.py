"""The hooks of this room: who may enter, and what each kind of record looks like inside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookspec
from portula.plugin import HookClass, Kind, describes

if TYPE_CHECKING:
    from portula import Provider
    from portula_admin.access import AdminAccess
    from portula_admin.options import RecordAdmin


@hookspec
@describes(Kind.SLOT, HookClass.DECIDES)
def portula_admin_access(provider: Provider) -> AdminAccess | None:
    """Answer the slot of who may enter: a callable that is given the person at the browser, on each request.

    Example:
        class Room:
            @hookimpl
            def portula_admin_access(self, provider):
                return lambda person: person.subject in {"ada"}
    """


@hookspec
@describes(Kind.SLOT, HookClass.DECIDES, "APPLICATION_ADMIN_CLASS")
def portula_application_admin_class(provider: Provider) -> type[RecordAdmin] | None:
    """Answer the slot of the class that shows clients (APPLICATION_ADMIN_CLASS).

    Example:
        class Room:
            @hookimpl
            def portula_application_admin_class(self, provider):
                from portula_admin.clients import ApplicationAdmin

                return type("Mine", (ApplicationAdmin,), {"list_display": ("name", "user")})
    """


@hookspec
@describes(Kind.SLOT, HookClass.DECIDES, "ACCESS_TOKEN_ADMIN_CLASS")
def portula_access_token_admin_class(provider: Provider) -> type[RecordAdmin] | None:
    """Answer the slot of the class that shows access tokens (ACCESS_TOKEN_ADMIN_CLASS).

    Example:
        class Room:
            @hookimpl
            def portula_access_token_admin_class(self, provider):
                from portula_admin.tokens import AccessTokenAdmin

                return type("Mine", (AccessTokenAdmin,), {"list_per_page": 10})
    """


@hookspec
@describes(Kind.SLOT, HookClass.DECIDES, "REFRESH_TOKEN_ADMIN_CLASS")
def portula_refresh_token_admin_class(provider: Provider) -> type[RecordAdmin] | None:
    """Answer the slot of the class that shows refresh tokens (REFRESH_TOKEN_ADMIN_CLASS).

    Example:
        class Room:
            @hookimpl
            def portula_refresh_token_admin_class(self, provider):
                from portula_admin.tokens import RefreshTokenAdmin

                return type("Mine", (RefreshTokenAdmin,), {"list_filter": ()})
    """


@hookspec
@describes(Kind.SLOT, HookClass.DECIDES, "GRANT_ADMIN_CLASS")
def portula_grant_admin_class(provider: Provider) -> type[RecordAdmin] | None:
    """Answer the slot of the class that shows authorization codes (GRANT_ADMIN_CLASS).

    Example:
        class Room:
            @hookimpl
            def portula_grant_admin_class(self, provider):
                from portula_admin.tokens import GrantAdmin

                return type("Mine", (GrantAdmin,), {"actions": ()})
    """


@hookspec
@describes(Kind.SLOT, HookClass.DECIDES, "ID_TOKEN_ADMIN_CLASS")
def portula_id_token_admin_class(provider: Provider) -> type[RecordAdmin] | None:
    """Answer the slot of the class that shows ID tokens, where they are kept (ID_TOKEN_ADMIN_CLASS).

    Example:
        class Room:
            @hookimpl
            def portula_id_token_admin_class(self, provider):
                from portula_admin.tokens import IDTokenAdmin

                return type("Mine", (IDTokenAdmin,), {"title": "Signed token"})
    """
