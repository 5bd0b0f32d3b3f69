"""The hook of this room."""

from __future__ import annotations

from portula import Provider
from portula.plugin import HookClass, HookDeclarations, slot
from portula_resource_server.tokens import TokenVerifier


class ResourceServerHooks(HookDeclarations):
    """Hooks of this room."""

    @slot(HookClass.DECIDES)
    def portula_token_verifier(self, provider: Provider) -> TokenVerifier | None:
        """Answer the slot of the token verifier: what is known of a bearer token, None when it does not count.

        Example:
            class Room(Plugin):
                def portula_token_verifier(self, provider):
                    return lambda token: None
        """
        return None
