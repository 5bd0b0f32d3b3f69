"""The bearer token handler that grants are given (RFC 6750)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from oauthlib.oauth2.rfc6749.tokens import BearerToken, OAuth2Token

if TYPE_CHECKING:
    from portula.flow.messages import OAuthRequest
    from portula.flow.validator import OAuth2Validator


class TokenHandler(BearerToken):  # type: ignore[misc]
    """oauthlib's BearerToken, with lifetime and refresh token decided by the validator for each request."""

    request_validator: OAuth2Validator

    def create_token(self, request: OAuthRequest, refresh_token: bool = False, **kwargs: Any) -> OAuth2Token:
        """Return the members of a token response (RFC 6749 §5.1); nothing is kept yet."""
        wanted = refresh_token and self.request_validator.issues_refresh_token(request)
        token: OAuth2Token = super().create_token(request, refresh_token=wanted, **kwargs)
        return token


def refresh_generator(generator: Callable[..., str]) -> Callable[..., str]:
    """Let a generator serve refresh tokens: with `refresh_token=True` if it takes that, as in django-oauth-toolkit."""
    if "refresh_token" not in inspect.signature(generator).parameters:
        return generator
    return lambda request: generator(request, refresh_token=True)
