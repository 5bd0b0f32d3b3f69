"""oauthlib's grants, made to yield parameters instead of redirects, and with state of their own."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from oauthlib.oauth2.rfc6749 import errors, grant_types

from portula.flow.messages import state_of

if TYPE_CHECKING:
    from portula.flow.messages import OAuthRequest
    from portula.flow.tokens import TokenHandler
    from portula.flow.validator import OAuth2Validator

for _name in (
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "resource_owner_password_credentials",
):
    # At DEBUG oauthlib writes codes and tokens as they are (attack S58); its other levels stay.
    logging.getLogger(f"oauthlib.oauth2.rfc6749.grant_types.{_name}").addFilter(
        lambda record: record.levelno > logging.DEBUG
    )

UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""Characters of a code_challenge and a code_verifier (RFC 7636 §4.1)."""


class TokenGrant(Protocol):
    """A grant type: what the token endpoint hands a request to."""

    def create_token_response(
        self, request: OAuthRequest, token_handler: TokenHandler
    ) -> tuple[Any, Any, int]:
        """Return oauthlib's (headers, body, status)."""
        ...


GrantFactory = Callable[["OAuth2Validator"], Any]
"""Makes a grant for a validator. Called once a provider, at start."""


class _GivesIDTokens:
    """What the grants have in common that OpenID Connect adds to."""

    request_validator: Any

    def _with_id_token(
        self, token: dict[str, Any], token_handler: TokenHandler, request: OAuthRequest
    ) -> dict[str, Any]:
        """Add an ID token where one belongs to the answer (OpenID Connect Core §3.1.3.3)."""
        id_token = self.request_validator.get_id_token(token, token_handler, request)
        if id_token is not None:
            token["id_token"] = id_token
        return token


class AuthorizationCodeGrant(_GivesIDTokens, grant_types.AuthorizationCodeGrant):  # type: ignore[misc]
    """Authorization code with PKCE (RFC 6749 §4.1, RFC 7636)."""

    response_types: list[str]
    _code_challenge_methods: dict[str, Callable[[str, str], bool]]

    def __init__(self, validator: OAuth2Validator) -> None:
        """Take the validator, which knows the code_challenge_method values that are allowed."""
        super().__init__(validator)
        self.response_types = list(self.response_types)
        self.register_token_modifier(self._with_id_token)
        allowed = validator.code_challenge_methods
        self._code_challenge_methods = {
            name: method for name, method in self._code_challenge_methods.items() if name in allowed
        }

    def validate_authorization_request(self, request: OAuthRequest) -> tuple[list[str], Mapping[str, Any]]:
        """Check the request; see oauthlib. A challenge must have the form that RFC 7636 §4.2 gives it."""
        challenge: str | None = request.code_challenge
        result: tuple[list[str], Mapping[str, Any]] = super().validate_authorization_request(request)
        if challenge is None and request.code_challenge_method is not None:
            raise errors.InvalidRequestError(
                description="code_challenge_method without code_challenge.", request=request
            )
        if challenge is not None and not well_formed(challenge):
            raise errors.InvalidRequestError(
                description="code_challenge must have 43 to 128 unreserved characters.", request=request
            )
        return result

    def _handle_redirects(self, request: OAuthRequest) -> None:
        """Choose the redirect URI by exact comparison only (RFC 9700 §2.1); never parse what was not registered."""
        request.using_default_redirect_uri = request.redirect_uri is None
        if request.redirect_uri is None:
            request.redirect_uri = self.request_validator.get_default_redirect_uri(request.client_id, request)
            if not request.redirect_uri:
                raise errors.MissingRedirectURIError(request=request)
        elif not self.request_validator.validate_redirect_uri(
            request.client_id, request.redirect_uri, request
        ):
            raise errors.MismatchingRedirectURIError(request=request)

    def authorize(self, request: OAuthRequest, token_handler: TokenHandler) -> dict[str, str]:
        """Make and keep a code for a request that was validated and allowed; return the response parameters."""
        parameters: dict[str, str] = {"code": secrets.token_urlsafe(32)}
        for modifier in self._code_modifiers:
            parameters = modifier(parameters, token_handler, request)
        self.request_validator.save_authorization_code(request.client_id, parameters, request)
        return parameters

    def validate_code_challenge(self, challenge: str, challenge_method: str, verifier: str) -> bool:
        """Compare in constant time; a malformed verifier is simply wrong."""
        return well_formed(verifier) and bool(
            super().validate_code_challenge(challenge, challenge_method, verifier)
        )


class FrontChannelGrant(AuthorizationCodeGrant):
    """Response types that answer with tokens in the redirect, alone or beside a code.

    These are `token` (RFC 6749 §4.2), and those of OAuth 2.0 Multiple Response Types and OpenID Connect Core §3.2 and
    §3.3. What is issued in one answer belongs to one family, so that the replay of the code ends it all.
    """

    def validate_authorization_request(self, request: OAuthRequest) -> tuple[list[str], Mapping[str, Any]]:
        """Check the request; with a code in the answer all the rules for codes hold too."""
        if "code" in (request.response_type or "").split():
            return super().validate_authorization_request(request)
        self._handle_redirects(request)
        for name in ("code_challenge", "code_challenge_method"):
            if getattr(request, name) is not None:
                raise errors.InvalidRequestError(description=f"{name} without a code.", request=request)
        allowed = self.request_validator.validate_response_type(
            request.client_id, request.response_type, request.client, request
        )
        if not allowed:
            raise errors.UnauthorizedClientError(request=request)
        self.validate_scopes(request)
        return request.scopes or [], {"request": request}

    def authorize(self, request: OAuthRequest, token_handler: TokenHandler) -> dict[str, str]:
        """Make and keep what the response type names; return the response parameters."""
        words = (request.response_type or "").split()
        state_of(request).family = secrets.token_hex(16)
        parameters: dict[str, Any] = {}
        if "code" in words:
            parameters |= super().authorize(request, token_handler)
        if "token" in words:
            request.grant_type = "implicit"
            token = token_handler.create_token(request, refresh_token=False)
            self.request_validator.save_token(token, request)
            parameters |= token
        if "id_token" in words:
            parameters = self._with_id_token(parameters, token_handler, request)
        return {name: str(value) for name, value in parameters.items()}


class RefreshTokenGrant(_GivesIDTokens, grant_types.RefreshTokenGrant):  # type: ignore[misc]
    """Refreshing an access token (RFC 6749 §6), with a new ID token where one was given (OpenID Connect Core §12.2)."""

    def __init__(self, validator: OAuth2Validator) -> None:
        """Take the validator."""
        super().__init__(validator)
        self.register_token_modifier(self._with_id_token)


class ClientCredentialsGrant(grant_types.ClientCredentialsGrant):  # type: ignore[misc]
    """Client credentials (RFC 6749 §4.4)."""


class ExtensionGrant(ClientCredentialsGrant):
    """A grant type of a plugin's own (RFC 6749 §4.5), under whatever name it is contributed.

    The client authenticates and must be registered for the name; then `check` looks at the rest of the request.
    """

    def validate_token_request(self, request: OAuthRequest) -> None:
        """Ask everything that stands between an authenticated client and its token."""
        for rule in self.custom_validators.pre_token:
            rule(request)
        self.validate_client_confidential(request)
        self.validate_grant_type(request)
        self.check(request)
        self.validate_scopes(request)
        for rule in self.custom_validators.post_token:
            rule(request)

    def check(self, request: OAuthRequest) -> None:
        """Raise an OAuth2Error, usually invalid_grant, or let pass. It may set `request.user`, the subject.

        Raises:
            NotImplementedError: a grant without a check of its own lets nobody pass.
        """
        raise NotImplementedError


class PasswordGrant(grant_types.ResourceOwnerPasswordCredentialsGrant):  # type: ignore[misc]
    """Resource owner password credentials (RFC 6749 §4.3); RFC 9700 §2.4 forbids it to all but legacy clients."""

    def validate_client_authentication(self, request: OAuthRequest) -> None:
        """Know the client, and that it may do this, before a password is looked at (oauthlib asks that last)."""
        super().validate_client_authentication(request)
        self.validate_grant_type(request)


def well_formed(value: str) -> bool:
    """Say whether a challenge or verifier has the form of RFC 7636 §4.1: 43 to 128 unreserved characters."""
    return 43 <= len(value) <= 128 and UNRESERVED.issuperset(value)
