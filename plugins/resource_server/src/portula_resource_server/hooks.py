"""The hooks of this room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from portula import Provider
from portula.errors import OAuth2Error
from portula.plugin import HookClass, HookDeclarations, enrichment, slot
from portula_resource_server.tokens import TokenVerifier


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceChallenge:
    """The challenge of a view that lets a request not pass (RFC 9110 §11.6.1)."""

    provider: Provider = field(repr=False, compare=False)
    url: str
    """URL of the request without its query, never of what the header `Host` says."""
    scopes: tuple[str, ...]
    """What the view needs."""
    error: OAuth2Error
    """Why it does not pass; a `MissingTokenError` names no error."""
    parameters: Mapping[str, str]
    """Parameters of the challenge that stand there, beside those of the error."""


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

    @enrichment(HookClass.SHAPES_TOKENS, adds_to="parameters")
    def portula_resource_challenge(self, challenge: ResourceChallenge) -> Mapping[str, str] | None:
        """Add parameters to the challenges of a view, such as where a client learns how to get a token (RFC 9728 §5.1).

        Values are printable ASCII without quotation marks and backslashes.

        Example:
            class Help(Plugin):
                def portula_resource_challenge(self, challenge):
                    return {"service_documentation": "https://api.example/help"}
        """
        return None
