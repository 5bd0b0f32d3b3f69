"""The warning on the consent page of a request that its person did not begin at their own browser."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from portula import hookimpl
from portula.plugin import ConsentItem, Demands, exchange_of
from portula_ciba import requests
from portula_ciba.exchange import CibaPageExchange
from portula_ciba.hooks import BackchannelAssessment, CibaHooks

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Interaction

WARNING = "Deny it. Somebody who knows your name may have begun it."


@hookimpl
def portula_interaction_demands(interaction: Interaction) -> Demands | None:
    """Ask everybody what a request demands.

    Raises:
        OAuth2Error: somebody denies it.
    """
    exchange, person = exchange_of(interaction.request, interaction.provider), interaction.user
    if not isinstance(exchange, CibaPageExchange) or person is None or exchange.client is None:
        return None
    provider, pending = cast("Provider", interaction.provider), exchange.pending
    assessment = BackchannelAssessment(
        provider=provider,
        client=exchange.client,
        scope=exchange.scope,
        person=person,
        fresh=interaction.fresh,
        address=provider.client_address(),
        client_address=pending.payload[requests.ADDRESS],
        binding_message=pending.payload[requests.BINDING_MESSAGE],
        begun_at=pending.issued_at,
    )
    demands = provider.hooks.require(CibaHooks.portula_assess_ciba, assessment)
    return replace(demands, login=demands.login and not interaction.fresh)


@hookimpl
def portula_assess_ciba(assessment: BackchannelAssessment) -> Demands:
    """Demand a page that tells the request from others: its message, and when the app asked."""
    begun = datetime.fromtimestamp(assessment.begun_at, UTC)
    message = assessment.binding_message
    shown = ConsentItem(
        title="Only if you expect it",
        details=(
            *((("The app shows this too", message),) if message else ()),
            ("It asked on", f"{begun.day} {begun:%B %Y, %H:%M} UTC"),
            ("If you did not start this yourself", WARNING),
        ),
    )
    return Demands(consent=True, items=(shown,))
