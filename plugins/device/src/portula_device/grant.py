"""The grant type by which a device polls for its tokens (RFC 8628 §3.4, §3.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, cast

from portula import hookimpl
from portula.errors import (
    AccessDeniedError,
    AuthorizationPendingError,
    Conflict,
    ExpiredTokenError,
    InvalidGrantError,
    InvalidRequestError,
    RetryLater,
    SlowDownError,
)
from portula.plugin import Application, Artifact, Authorization, ExtensionGrant, Plan, verifies_challenge
from portula_device import codes

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import GrantFactory, TokenExchange

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"

SLOWER_BY_SECONDS = 5
MAX_INTERVAL = 60
"""Seconds: a device that was told so often to slow down is not listened to any more while it comes too early."""


class DeviceGrant(ExtensionGrant):
    """Gives a device what its person allowed, once."""

    refreshable = True
    with_id_token = True

    def check(self, exchange: TokenExchange) -> None:
        """Find out what has become of a code.

        Raises:
            InvalidGrantError: it is unknown, used or another client's, or its verifier is wrong; it is left as it is.
            AuthorizationPendingError, SlowDownError: nobody has decided yet.
            AccessDeniedError: the person denied it.
            ExpiredTokenError: its time is over.
        """
        provider, device = exchange.provider, exchange.parameter("device_code")
        if device is None:
            raise InvalidRequestError(description="Missing device_code parameter.", request=exchange.request)
        code = codes.of_device(provider, device)
        client = cast("Application", exchange.client)
        if code is None or code.client_id != client.client_id or code.taken_at is not None:
            exchange.reason = "the device code is unknown, used, or another client's"
            raise InvalidGrantError(request=exchange.request)
        challenge, method = code.payload[codes.CHALLENGE], code.payload[codes.METHOD]
        if not verifies_challenge(exchange.parameter("code_verifier"), challenge, method):
            raise InvalidGrantError(
                description="code_verifier is missing, or wrong.", request=exchange.request
            )
        if codes.DENIED in code.payload:
            raise AccessDeniedError(request=exchange.request)
        if code.payload[codes.ENDS_AT] <= provider.now():
            raise ExpiredTokenError(request=exchange.request)
        if codes.AUTHORIZATION not in code.payload:
            self._wait(exchange, code)
        self._redeem(exchange, code)

    def _wait(self, exchange: TokenExchange, code: Artifact) -> NoReturn:
        """Write down that the device has polled; who comes too early has longer to wait from now on.

        Times are whole seconds, so that a second is given.
        """
        provider, now = exchange.provider, exchange.provider.now()
        interval, polled_at = code.payload[codes.INTERVAL], code.payload.get(codes.POLLED_AT)
        too_early = polled_at is not None and now - polled_at < interval - 1
        if too_early and interval >= MAX_INTERVAL:
            raise RetryLater("The device polls too often.", polled_at + interval - now, status=429)
        plan, slower = Plan(), SLOWER_BY_SECONDS if too_early else 0
        codes.change(plan, code, **{codes.POLLED_AT: now, codes.INTERVAL: interval + slower})
        try:
            provider.storage.apply(plan)
        except Conflict:  # it polls twice at one moment, or its person decides
            too_early = True
        raise (SlowDownError if too_early else AuthorizationPendingError)(request=exchange.request)

    def _redeem(self, exchange: TokenExchange, code: Artifact) -> None:
        self.redeem(exchange, code.payload[codes.AUTHORIZATION])
        given = cast("Authorization", exchange.authorization)
        if self.validator.active_person(given.subject) is None:
            exchange.reason = "the person is not active"
            raise InvalidGrantError(request=exchange.request)
        exchange.plan.take(code, at=exchange.provider.now())


@hookimpl
def portula_grant_types(provider: Provider) -> dict[str, GrantFactory]:
    """Return the grant type."""
    return {GRANT_TYPE: DeviceGrant}
