"""The default OAUTH2_SERVER_CLASS: oauthlib's interface over the grant and response types that rooms contribute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from oauthlib.oauth2.rfc6749 import errors, utils
from oauthlib.oauth2.rfc6749.endpoints import ResourceEndpoint, RevocationEndpoint

from portula.flow.grant_hooks import GrantHooks
from portula.flow.messages import OAuthRequest, in_front_channel, sorted_response_type
from portula.flow.tokens import TokenHandler, refresh_generator
from portula.model.errors import AuthorizationRefused

if TYPE_CHECKING:
    from portula.flow.validator import OAuth2Validator

Body = Sequence[tuple[str, str]] | Mapping[str, str] | None
Result = tuple[Mapping[str, Any], str | None, int]


class Server(RevocationEndpoint, ResourceEndpoint):  # type: ignore[misc]
    """Dispatches by exact name; what is not contributed is refused, never sent to a default handler."""

    def __init__(
        self,
        request_validator: OAuth2Validator,
        token_expires_in: int | Callable[[Any], int] | None = None,
        token_generator: Callable[..., str] | None = None,
        refresh_token_generator: Callable[..., str] | None = None,
    ) -> None:
        """Take what oauthlib's Server takes; grants come from the provider's hooks."""
        hooks = request_validator.provider.hooks
        self.request_validator = request_validator
        self.bearer = TokenHandler(
            request_validator,
            token_generator or hooks.ask(GrantHooks.portula_access_token_generator),
            token_expires_in or request_validator.access_token_lifetime,
            refresh_generator(
                refresh_token_generator or hooks.ask(GrantHooks.portula_refresh_token_generator)
            ),
        )
        self.grant_types = {
            name: make(request_validator)
            for name, make in hooks.collect(GrantHooks.portula_grant_types).items()
        }
        contributed = hooks.collect(GrantHooks.portula_response_types)
        enabled = request_validator.enabled_response_types(contributed)
        self.response_types = {name: contributed[name](request_validator) for name in enabled}
        RevocationEndpoint.__init__(self, request_validator)
        ResourceEndpoint.__init__(self, default_token="Bearer", token_types={"Bearer": self.bearer})

    def create_token_response(
        self,
        uri: str,
        http_method: str = "POST",
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        credentials: Any = None,
    ) -> Result:
        """Answer a token request (RFC 6749 §3.2)."""
        request = OAuthRequest(uri, http_method, body, headers)
        request.extra_credentials = credentials
        request.scopes = utils.scope_to_list(request.scope)
        if request.grant_type is None:
            raise errors.InvalidRequestError(description="Missing grant_type parameter.", request=request)
        grant = self.grant_types.get(request.grant_type)
        if grant is None:
            raise errors.UnsupportedGrantTypeError(request=request)
        result: Result = grant.create_token_response(request, self.bearer)
        return result

    def validate_authorization_request(
        self, uri: str, http_method: str = "GET", body: Body = None, headers: Mapping[str, str] | None = None
    ) -> tuple[list[str], Mapping[str, Any]]:
        """Check an authorization request: the client and its redirect URI first (attack S02), then all else.

        Raises:
            FatalClientError: nothing may be sent to the redirect URI.
            AuthorizationRefused: to be sent to the redirect URI.
        """
        request = OAuthRequest(uri, http_method, body, headers)
        request.scopes = utils.scope_to_list(request.scope)
        identify(self.request_validator, request)
        try:
            grant = self._response_type(request)
            self._check_response_mode(request)
            result = grant.validate_authorization_request(request)
        except errors.FatalClientError:
            raise
        except errors.OAuth2Error as error:
            raise AuthorizationRefused(error, request) from error
        return result[0], {**result[1], "request": request}

    def _check_response_mode(self, request: OAuthRequest) -> None:
        """Refuse a mode that nobody writes, and tokens in a query (OAuth 2.0 Multiple Response Types §3, §5)."""
        mode = request.response_mode
        if mode not in (None, *self.request_validator.provider.response_modes):
            raise errors.InvalidRequestError(description="Unknown response_mode.", request=request)
        if mode == "query" and in_front_channel(request.response_type or ""):
            request.response_mode = None  # the error goes where the answer would have gone
            raise errors.InvalidRequestError(
                description="Tokens are not sent in a query; leave response_mode out.", request=request
            )

    def _response_type(self, request: OAuthRequest) -> Any:
        if request.response_type is None:
            raise errors.MissingResponseTypeError(request=request)
        request.response_type = sorted_response_type(request.response_type)
        grant = self.response_types.get(request.response_type)
        if grant is None:
            raise errors.UnsupportedResponseTypeError(request=request)
        return grant

    def authorize(self, request: OAuthRequest) -> dict[str, str]:
        """Grant a request that `validate_authorization_request` returned; return the response parameters."""
        parameters: dict[str, str] = self.response_types[request.response_type or ""].authorize(
            request, self.bearer
        )
        return parameters


def identify(validator: OAuth2Validator, request: OAuthRequest) -> None:
    """Know the client of an authorization request, and that its redirect URI is good.

    Raises:
        FatalClientError: nothing may be sent to the redirect URI.
    """
    if not request.client_id:
        raise errors.MissingClientIdError(request=request)
    if not validator.validate_client_id(request.client_id, request):
        raise errors.InvalidClientIdError(request=request)
    if request.redirect_uri is None:
        if not validator.get_default_redirect_uri(request.client_id, request):
            raise errors.MissingRedirectURIError(request=request)
    elif not validator.validate_redirect_uri(request.client_id, request.redirect_uri, request):
        raise errors.MismatchingRedirectURIError(request=request)
