"""The hooks of this room: who may enter, who may do what inside, and what each kind of record looks like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from portula import Provider
from portula.plugin import AuthenticatedUser, HookClass, HookDeclarations, slot, veto
from portula_admin.clients import ApplicationAdmin
from portula_admin.options import RecordAdmin

AdminAccess = Callable[[AuthenticatedUser], bool]
"""Takes the person at the browser; says whether they may enter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AdminRequest:
    """What an administrator wants to see or to do, or is offered."""

    provider: Provider = field(repr=False, compare=False)
    person: AuthenticatedUser
    kind: str
    """What it is about, as addresses name it: `application`, `access-token`, `users`, `sessions`, `keys`, `system` …"""
    action: str
    """`view`, `add` or `change`; `revoke`, where the admin class of the kind asks for that; of records that rooms
    contribute the name of an action, e.g. `disable`, `link` (that sets a password), `end`, `rotate`."""
    record: Any = field(default=None, repr=False)
    """The record, or the mapping of facts that a room says of it; None where the question is about the kind."""


class AdminHooks(HookDeclarations):
    """Hooks of this room."""

    @slot(HookClass.DECIDES)
    def portula_admin_access(self, provider: Provider) -> AdminAccess | None:
        """Answer the slot of who may enter: a callable that is given the person at the browser, on each request.

        Example:
            class Room(Plugin):
                def portula_admin_access(self, provider):
                    return lambda person: person.subject in {"ada"}
        """
        return None

    @veto(HookClass.DECIDES)
    def portula_validate_admin_request(self, request: AdminRequest) -> None:
        """Deny an administrator something by raising an OAuth2Error; every implementation is heard.

        It is asked before a page is shown, before anything is done, and for each link and button: what is denied
        is not offered. Who may not `view` something may do nothing else to it.

        Example:
            class Room(Plugin):
                def portula_validate_admin_request(self, request):
                    if request.kind == "keys" and request.person.subject != "ada":
                        raise AccessDeniedError("Keys are Ada's.")
        """

    @slot(HookClass.DECIDES, setting="APPLICATION_ADMIN_CLASS")
    def portula_application_admin_class(self, provider: Provider) -> type[ApplicationAdmin] | None:
        """Answer the slot of the class that shows clients (APPLICATION_ADMIN_CLASS).

        Example:
            class Room(Plugin):
                def portula_application_admin_class(self, provider):
                    from portula_admin.clients import ApplicationAdmin

                    return type("Mine", (ApplicationAdmin,), {"list_display": ("name", "user")})
        """
        return None

    @slot(HookClass.DECIDES, setting="ACCESS_TOKEN_ADMIN_CLASS")
    def portula_access_token_admin_class(self, provider: Provider) -> type[RecordAdmin] | None:
        """Answer the slot of the class that shows access tokens (ACCESS_TOKEN_ADMIN_CLASS).

        Example:
            class Room(Plugin):
                def portula_access_token_admin_class(self, provider):
                    from portula_admin.tokens import AccessTokenAdmin

                    return type("Mine", (AccessTokenAdmin,), {"list_per_page": 10})
        """
        return None

    @slot(HookClass.DECIDES, setting="REFRESH_TOKEN_ADMIN_CLASS")
    def portula_refresh_token_admin_class(self, provider: Provider) -> type[RecordAdmin] | None:
        """Answer the slot of the class that shows refresh tokens (REFRESH_TOKEN_ADMIN_CLASS).

        Example:
            class Room(Plugin):
                def portula_refresh_token_admin_class(self, provider):
                    from portula_admin.tokens import RefreshTokenAdmin

                    return type("Mine", (RefreshTokenAdmin,), {"list_filter": ()})
        """
        return None

    @slot(HookClass.DECIDES, setting="GRANT_ADMIN_CLASS")
    def portula_grant_admin_class(self, provider: Provider) -> type[RecordAdmin] | None:
        """Answer the slot of the class that shows authorization codes (GRANT_ADMIN_CLASS).

        Example:
            class Room(Plugin):
                def portula_grant_admin_class(self, provider):
                    from portula_admin.tokens import GrantAdmin

                    return type("Mine", (GrantAdmin,), {"actions": ()})
        """
        return None

    @slot(HookClass.DECIDES, setting="ID_TOKEN_ADMIN_CLASS")
    def portula_id_token_admin_class(self, provider: Provider) -> type[RecordAdmin] | None:
        """Answer the slot of the class that shows ID tokens, where they are kept (ID_TOKEN_ADMIN_CLASS).

        Example:
            class Room(Plugin):
                def portula_id_token_admin_class(self, provider):
                    from portula_admin.tokens import IDTokenAdmin

                    return type("Mine", (IDTokenAdmin,), {"title": "Signed token"})
        """
        return None
