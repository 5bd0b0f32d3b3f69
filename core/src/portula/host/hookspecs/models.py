"""Hooks for models of the deployment's own, called once, at start: the slots of the *_MODEL settings.

The answer is a subclass of the record class (any storage keeps it), or a class of a storage's own that can be turned
into one, e.g. a mapped class of SQLAlchemy. See `portula.host.models`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula.host.markers import hookspec

if TYPE_CHECKING:
    from portula.web.provider import Provider


@hookspec
def portula_application_model(provider: Provider) -> type[Any] | None:
    """Answer the slot of the class of clients (APPLICATION_MODEL).

    Example:
        class Client(Application):
            def is_usable(self, request):
                return super().is_usable(request) and not self.metadata.get("in_arrears")

        class Room:
            @hookimpl
            def portula_application_model(self, provider):
                return Client
    """


@hookspec
def portula_grant_model(provider: Provider) -> type[Any] | None:
    """Answer the slot of the class of authorization codes (GRANT_MODEL).

    Example:
        @dataclass(frozen=True, kw_only=True)
        class Code(Grant):
            tenant: str = ""

        class Room:
            @hookimpl
            def portula_grant_model(self, provider):
                return Code
    """


@hookspec
def portula_access_token_model(provider: Provider) -> type[Any] | None:
    """Answer the slot of the class of access tokens (ACCESS_TOKEN_MODEL).

    Example:
        @dataclass(frozen=True, kw_only=True)
        class Token(AccessToken):
            tenant: str = ""

        class Room:
            @hookimpl
            def portula_access_token_model(self, provider):
                return Token
    """


@hookspec
def portula_refresh_token_model(provider: Provider) -> type[Any] | None:
    """Answer the slot of the class of refresh tokens (REFRESH_TOKEN_MODEL).

    Example:
        @dataclass(frozen=True, kw_only=True)
        class Token(RefreshToken):
            tenant: str = ""

        class Room:
            @hookimpl
            def portula_refresh_token_model(self, provider):
                return Token
    """


@hookspec
def portula_id_token_model(provider: Provider) -> type[Any] | None:
    """Answer the slot of the class of ID tokens, where a room keeps them (ID_TOKEN_MODEL).

    Example:
        @dataclass(frozen=True, kw_only=True)
        class Token(IDToken):
            tenant: str = ""

        class Room:
            @hookimpl
            def portula_id_token_model(self, provider):
                return Token
    """
