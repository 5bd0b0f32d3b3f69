"""The hook of this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookspec
from portula.plugin import HookClass, Kind, describes

if TYPE_CHECKING:
    from portula import Provider
    from portula_resource_server.tokens import TokenVerifier


@hookspec
@describes(Kind.SLOT, HookClass.DECIDES)
def portula_token_verifier(provider: Provider) -> TokenVerifier | None:
    """Answer the slot of the token verifier: what is known of a bearer token, None when it does not count.

    Example:
        class Room:
            @hookimpl
            def portula_token_verifier(self, provider):
                return lambda token: None
    """
