"""The hook of this room, and what its implementations are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from portula import Provider
from portula.errors import InvalidClientMetadata
from portula.plugin import HookClass, HookDeclarations, veto


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """A registration or an update that somebody asks for over HTTP."""

    provider: Provider = field(repr=False, compare=False)
    document: dict[str, Any]
    """Client metadata as it was sent (RFC 7591 §2), with members that nobody here understands."""
    client_address: str
    """Where the request came from."""
    initial_access_token: str | None = None
    """Name of the initial access token that was presented; None when none was needed."""
    client_id: str | None = None
    """The client that is to be updated; None for a new one."""


class RegistrationHooks(HookDeclarations):
    """Hooks of this room."""

    @veto(HookClass.DECIDES, denial=InvalidClientMetadata)
    def portula_validate_dynamic_registration(self, registration: Registration) -> None:
        """Deny a registration, or the update of one, by raising InvalidClientMetadata; every implementation is heard.

        It comes beside `portula_validate_client_registration`, which is heard too and judges clients whoever makes
        them.

        Example:
            class OursOnly(Plugin):
                def portula_validate_dynamic_registration(self, registration):
                    if not registration.client_address.startswith("10."):
                        raise InvalidClientMetadata("register from inside")
        """
