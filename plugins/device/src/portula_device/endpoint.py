"""The device authorization endpoint (RFC 8628 §3.1): its steps, in the order in which they run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast
from urllib.parse import urlencode

from portula import hookimpl
from portula.errors import (
    RequestNotSupported,
    RequestURINotSupported,
    RetryLater,
    ServerError,
)
from portula.plugin import (
    BROWSER_PARAMETERS,
    HEAR_VETOES,
    JUDGE_SCOPE,
    Application,
    AuthorizationExchange,
    Endpoint,
    client_request_steps,
    json_answer,
    judge_code_challenge,
    judge_grant_type,
    step,
)
from portula_device import codes
from portula_device.grant import GRANT_TYPE
from portula_device.settings import DeviceSettings

if TYPE_CHECKING:
    from portula import Provider

PATH = "device_authorization/"
PAGE = "/device/"


class DeviceAuthorization(AuthorizationExchange):
    """A request of a device: an authorization request whose answer goes nowhere by a browser."""


def parameters(exchange: DeviceAuthorization) -> None:
    """Leave out what makes sense at a browser alone; what stands elsewhere is refused, and not ignored."""
    if exchange.parameter("request") is not None:
        raise RequestNotSupported(description="Send the parameters as they are.")
    if exchange.parameter("request_uri") is not None:
        raise RequestURINotSupported(description="Send the parameters as they are.")
    exchange.take_parameters([pair for pair in exchange.parameters if pair[0] not in BROWSER_PARAMETERS])


def code_challenge(exchange: DeviceAuthorization) -> None:
    """Judge the challenge, if one is given, as in any authorization request (RFC 7636 §4.3)."""
    judge_code_challenge(exchange)


def quota(exchange: DeviceAuthorization) -> None:
    """Bound what is kept for clients that nobody knows (attack S62)."""
    client, address = cast("Application", exchange.client), exchange.message.client_address
    size = sum(len(text.encode()) for pair in exchange.pairs for text in pair)
    try:
        exchange.provider.strangers.admit_of(client, address, size)
    except RetryLater as full:
        raise RetryLater("Too many devices ask for codes.", full.retry_after, status=429) from None


def write(exchange: DeviceAuthorization) -> None:
    """Keep what is asked for, and answer with the codes and where to go with them (RFC 8628 §3.2)."""
    provider, request, message = cast("Provider", exchange.provider), exchange.request, exchange.message
    own = {
        codes.CHALLENGE: request.code_challenge,
        codes.METHOD: request.code_challenge_method,
        codes.ADDRESS: message.client_address,
        codes.AGENT: message.headers.get("user-agent", "")[:200],
    }
    device_code, user_code = codes.keep(exchange, own)
    settings = provider.settings(DeviceSettings)
    answer = {
        "device_code": device_code,
        "user_code": user_code,
        **_addresses(provider, exchange.issuer, user_code),
        "expires_in": settings.DEVICE_CODE_EXPIRE_SECONDS,
        "interval": settings.DEVICE_FLOW_INTERVAL,
    }
    exchange.answer = json_answer(200, answer)


def _addresses(provider: Provider, issuer: str, user_code: str) -> dict[str, str]:
    """Return where the person goes, by the issuer's name and by no header (attack S65)."""
    settings = provider.settings(DeviceSettings)
    ours = f"{provider.root_of(issuer)}{provider.mount}{PAGE}"
    given = settings.OAUTH_DEVICE_VERIFICATION_URI_COMPLETE
    addresses = {"verification_uri": settings.OAUTH_DEVICE_VERIFICATION_URI or ours}
    if given is not None:
        complete = given(user_code) if callable(given) else given
        if not isinstance(complete, str):
            raise ServerError(description="OAUTH_DEVICE_VERIFICATION_URI_COMPLETE returns no text.")
        addresses["verification_uri_complete"] = complete
    elif settings.OAUTH_DEVICE_VERIFICATION_URI is None:
        addresses["verification_uri_complete"] = f"{ours}?{urlencode({'user_code': user_code})}"
    return addresses


DEVICE_STEPS = replace(
    client_request_steps(
        "device_authorization",
        judge_grant_type(GRANT_TYPE),
        step(parameters, reads="client", sets="pairs"),
        JUDGE_SCOPE,
        step(code_challenge, reads="pairs"),
        HEAR_VETOES,
        step(quota, reads="pairs"),
        step(write, reads="pairs scope facts", sets="answer"),
    ),
    begin=DeviceAuthorization.of,
)


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """Return the endpoint; what it lacks (a backend) shows at start."""
    _ = provider.backend
    return [Endpoint("device_authorization", PATH, ("POST",), steps=DEVICE_STEPS)]
