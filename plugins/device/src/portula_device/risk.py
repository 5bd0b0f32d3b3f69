"""The warning on the consent page of a device, so that nobody allows somebody else's (RFC 10027)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from portula import hookimpl
from portula.plugin import ConsentItem, Demands, exchange_of
from portula_device import codes
from portula_device.exchange import DevicePageExchange
from portula_device.hooks import DeviceAssessment, DeviceHooks

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Interaction

WARNING = (
    "Deny it, whoever asked you to allow it: they would get into your account. Nobody who helps you needs a code "
    "that you did not ask for."
)


@hookimpl
def portula_interaction_demands(interaction: Interaction) -> Demands | None:
    """Ask everybody what the risk of a device demands.

    Raises:
        OAuth2Error: somebody denies it.
    """
    exchange = exchange_of(interaction.request, interaction.provider)
    person = interaction.user
    if not isinstance(exchange, DevicePageExchange) or person is None or exchange.client is None:
        return None
    provider, code = cast("Provider", interaction.provider), exchange.device
    assessment = DeviceAssessment(
        provider=provider,
        client=exchange.client,
        scope=exchange.scope,
        person=person,
        fresh=interaction.fresh,
        address=provider.client_address(),
        device_address=code.payload[codes.ADDRESS],
        device_agent=code.payload[codes.AGENT],
        asked_at=code.issued_at,
        user_code=exchange.user_code,
    )
    demands = provider.hooks.require(DeviceHooks.portula_assess_device, assessment)
    return replace(demands, login=demands.login and not interaction.fresh)


@hookimpl
def portula_assess_device(assessment: DeviceAssessment) -> Demands:
    """Demand a page that tells a device from somebody else's: its code, when it asked, and from where."""
    asked = datetime.fromtimestamp(assessment.asked_at, UTC)
    place = "the network that you are in too" if assessment.is_near else "another network than yours"
    shown = ConsentItem(
        title="Only for a device that you have in front of you",
        details=(
            ("Code on its screen", assessment.user_code),
            ("Asked on", f"{asked.day} {asked:%B %Y, %H:%M} UTC"),
            ("Asked from", f"{assessment.device_address or 'an unknown address'}, {place}"),
            ("If you did not start this yourself", WARNING),
        ),
    )
    return Demands(consent=True, items=(shown,))
