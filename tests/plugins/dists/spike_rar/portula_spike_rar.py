"""Rich authorization requests (RFC 9396) of one type, `payment`: consent, token response, introspection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from portula import hookimpl
from portula.errors import InvalidRequestError
from portula.plugin import (
    AuthorizationExchange,
    ConsentItem,
    Demands,
    Interaction,
    IntrospectionResponse,
    TokenResponse,
    exchange_of,
)

NAME = "authorization_details"


class InvalidAuthorizationDetails(InvalidRequestError):
    """The details are of no known type or form (RFC 9396 §5)."""

    error = "invalid_authorization_details"


@hookimpl
def portula_validate_authorization_request(exchange: AuthorizationExchange) -> None:
    text = dict(exchange.pairs).get(NAME)
    if text is None:
        return
    try:
        details = json.loads(text)
        if not isinstance(details, list) or not all(
            each["type"] == "payment" and each["sum"] and each["to"] for each in details
        ):
            raise InvalidAuthorizationDetails
    except (ValueError, TypeError, KeyError):
        raise InvalidAuthorizationDetails(description="Not a list of payments.") from None
    exchange.facts["rar"] = {"details": details}


@hookimpl
def portula_interaction_demands(interaction: Interaction) -> Demands | None:
    details = exchange_of(interaction.request).facts.get("rar", {}).get("details", ())
    items = (
        ConsentItem(title="Make a payment", details=(("Sum", each["sum"]), ("To", each["to"])))
        for each in details
    )
    return Demands(items=tuple(items)) if details else None


@hookimpl
def portula_token_response(answer: TokenResponse) -> Mapping[str, Any] | None:
    details = exchange_of(answer.request).facts.get("rar", {}).get("details")
    return {NAME: details} if details else None


@hookimpl
def portula_introspection_response(answer: IntrospectionResponse) -> Mapping[str, Any] | None:
    authorization = answer.authorization
    details = authorization.facts.get("rar", {}).get("details") if authorization else None
    return {NAME: details} if details else None
