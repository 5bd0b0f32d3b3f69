"""The hook of this room, and what its implementations hear."""

# pyright: reportGeneralTypeIssues=false
# All fields are keyword-only, so one that is required may take the place of one that is not.

from __future__ import annotations

from dataclasses import dataclass

from portula import Provider, hookimpl
from portula.plugin import HookDeclarations, ProtocolEvent, event


@dataclass(frozen=True, kw_only=True, slots=True)
class LogoutSucceeded(ProtocolEvent):
    """A person signed out at the wish of an app, `client_id` if it is known (OpenID Connect RP-Initiated Logout)."""

    subject: str
    sid: str | None
    tokens: int
    """How many of the person's tokens were revoked, of all apps."""


class LogoutHooks(HookDeclarations):
    """Hooks of this room."""

    @event()
    def portula_logout_succeeded(self, event: LogoutSucceeded) -> None:
        """Hear that a person signed out at the wish of an app.

        Example:
            class Listener(Plugin):
                def portula_logout_succeeded(self, event):
                    print(event.subject)
        """


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """Declare them."""
    return [LogoutHooks]
