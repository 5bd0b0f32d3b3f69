"""The device grant as `portula try` plays it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_device.grant import GRANT_TYPE

if TYPE_CHECKING:
    from portula import Provider


def play_device(player: Any) -> None:
    """A television or a command line gets a token, while its person allows it somewhere else."""
    player.shorten("device_code")
    asked = player.post(
        "RFC 8628 §3.1: the device asks for a code",
        "device_authorization_endpoint",
        scope=player.scope,
        resource=player.resource,
    )
    player.say(f"RFC 8628 §3.3: somewhere else the person types {asked['user_code']}")
    player.visit(asked.get("verification_uri_complete") or asked["verification_uri"], qr=True)
    player.post(
        "RFC 8628 §3.4: the device asks whether the person has answered",
        "token_endpoint",
        until={"authorization_pending": 0, "slow_down": 5},
        interval=str(asked.get("interval", 5)),
        grant_type=GRANT_TYPE,
        device_code=asked["device_code"],
    )


@hookimpl(optionalhook=True)
def portula_grant_trials(provider: Provider) -> dict[str, tuple[Sequence[str], Callable[[Any], Any]]]:
    """Return the device grant."""
    return {"device": ((GRANT_TYPE, "refresh_token"), play_device)}
