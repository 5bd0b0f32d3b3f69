"""The memo between oauthlib's grants and a validator: each question is asked once a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from portula.flow.exchange import Exchange, exchange_of

if TYPE_CHECKING:
    from portula.flow.messages import OAuthRequest
    from portula.flow.validator import OAuth2Validator
    from portula.model.records import Application


class Memo:
    """Stands between oauthlib's grants and the validator, so that a request asks each of these questions once.

    Steps ask first, through here; what a grant asks again is answered from the exchange.
    """

    def __init__(self, validator: OAuth2Validator) -> None:
        """Take the validator."""
        self._validator = validator

    def __getattr__(self, name: str) -> Any:
        """Hand every other question on."""
        return getattr(self._validator, name)

    @staticmethod
    def _once(exchange: Exchange, question: tuple[str, ...], answer: Callable[[], Any]) -> Any:
        if question not in exchange.memo:
            exchange.memo[question] = answer()
        return exchange.memo[question]

    def authenticate_client(self, request: OAuthRequest) -> bool:
        """Ask once."""
        ask = self._validator.authenticate_client
        return bool(self._once(exchange_of(request), ("client",), lambda: ask(request)))

    def authenticate_client_id(self, client_id: str, request: OAuthRequest) -> bool:
        """Ask once."""
        ask = self._validator.authenticate_client_id
        return bool(self._once(exchange_of(request), ("client",), lambda: ask(client_id, request)))

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Application, request: OAuthRequest
    ) -> bool:
        """Ask once."""
        ask = self._validator.validate_grant_type
        question = ("grant_type", grant_type)
        return bool(
            self._once(exchange_of(request), question, lambda: ask(client_id, grant_type, client, request))
        )

    def validate_client_id(self, client_id: str, request: OAuthRequest) -> bool:
        """Ask once."""
        ask = self._validator.validate_client_id
        return bool(
            self._once(exchange_of(request), ("client_id", client_id), lambda: ask(client_id, request))
        )

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: OAuthRequest) -> bool:
        """Ask once."""
        ask = self._validator.validate_redirect_uri
        question = ("redirect_uri", redirect_uri)
        return bool(self._once(exchange_of(request), question, lambda: ask(client_id, redirect_uri, request)))

    def get_default_redirect_uri(self, client_id: str, request: OAuthRequest) -> str | None:
        """Ask once; where a step has judged a redirect URI, see `ResponseType.judge`."""
        ask = self._validator.get_default_redirect_uri
        exchange = exchange_of(request)
        return cast(
            "str | None",
            self._once(exchange, ("default_redirect_uri",), lambda: ask(client_id, request)),
        )
