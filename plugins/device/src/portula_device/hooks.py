"""The hooks of this room, and what their implementations are told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from portula import Provider
from portula.plugin import (
    Application,
    AuthenticatedUser,
    Demands,
    HookClass,
    HookDeclarations,
    network_of,
    requirement,
    slot,
)

UserCodeGenerator = Callable[[], str]
"""Returns a new code for people to type."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceAssessment:
    """A device that waits, and the person who has typed its code (RFC 10027)."""

    provider: Provider = field(repr=False, compare=False)
    client: Application
    scope: tuple[str, ...]
    """What it asks for."""
    person: AuthenticatedUser
    """Who is signed in at the browser, and since when (`auth_time`)."""
    fresh: bool
    """Whether they signed in for this very device, as `Demands(login=True)` wants it."""
    address: str
    """Where the person's browser is."""
    device_address: str
    """Where the device was when it asked."""
    device_agent: str
    """What the device called itself (User-Agent); it may be a lie."""
    asked_at: int
    """When it asked, Unix seconds."""
    user_code: str = field(repr=False)
    """The code as its screen shows it."""

    @property
    def is_near(self) -> bool:
        """Whether both come from one network, of IPv4 from one address: a sign that device and person are together."""
        known = bool(self.address and self.device_address)
        return known and network_of(self.address) == network_of(self.device_address)


class DeviceHooks(HookDeclarations):
    """Hooks of this room."""

    @slot(HookClass.SEES_SECRETS, setting="OAUTH_DEVICE_USER_CODE_GENERATOR")
    def portula_device_user_code_generator(self, provider: Provider) -> UserCodeGenerator | None:
        """Answer the slot of the function that makes codes for people to type.

        Example:
            class Digits(Plugin):
                def portula_device_user_code_generator(self, provider):
                    return lambda: "".join(secrets.choice("0123456789") for _ in range(12))
        """
        return None

    @requirement(HookClass.DECIDES)
    def portula_assess_device(self, assessment: DeviceAssessment) -> Demands | None:
        """Say what has to happen before a person may allow a device; raising AccessDeniedError denies it for good.

        Called when the page is shown and when it is answered. `Demands(login=True)` lets the person sign in again, for
        each device once; `items` are shown on the page.

        Example:
            class OneNetwork(Plugin):
                def portula_assess_device(self, assessment):
                    if not assessment.is_near:
                        raise AccessDeniedError("The device is in another network.")
        """
        return None
