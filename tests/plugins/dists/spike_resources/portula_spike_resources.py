"""Resource indicators (RFC 8707): a client names the servers it wants tokens for, and a token names its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from portula import hookimpl
from portula.errors import InvalidRequestError
from portula.plugin import AuthorizationExchange, TokenExchange

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Exchange


class InvalidTargetError(InvalidRequestError):
    """A resource is not known, or was not granted (RFC 8707 §2)."""

    error = "invalid_target"


class ResourceSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    PROTECTED_RESOURCES: tuple[str, ...] = ()
    """Addresses of the servers that tokens can be for."""


@hookimpl
def portula_settings(provider: Provider) -> Sequence[type[BaseModel]]:
    return [ResourceSettings]


def known(provider: Provider, named: Sequence[str]) -> tuple[str, ...]:
    if not set(named) <= set(provider.settings(ResourceSettings).PROTECTED_RESOURCES):
        raise InvalidTargetError(description="There is no such resource.")
    return tuple(dict.fromkeys(named))


@hookimpl
def portula_validate_authorization_request(exchange: AuthorizationExchange) -> None:
    named = [value for name, value in exchange.pairs if name == "resource"]
    exchange.resources = known(exchange.provider, named)


@hookimpl
def portula_shape_token(exchange: Exchange) -> None:
    if exchange.issue is None or not isinstance(exchange, TokenExchange):
        return
    named = known(exchange.provider, exchange.values("resource"))
    if exchange.authorization is not None and not set(named) <= set(exchange.resources):
        raise InvalidTargetError(description="The resource was not granted.")
    exchange.issue.audience = named or exchange.resources
