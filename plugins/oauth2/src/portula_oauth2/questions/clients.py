"""Questions about the client: who it is, and what it may ask for."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from portula import OAuth2Validator, Plugin
from portula.errors import InvalidGrantError, InvalidRequestError, InvalidScopeError
from portula.plugin import (
    CLIENT_ADDRESS,
    Application,
    ClientAuthenticated,
    ClientAuthenticationFailed,
    ClientAuthMethod,
    Exchange,
    OAuthRequest,
    basic_credentials_of,
    grant_types_needed,
    refresh_generator,
    secret_id,
    sorted_response_type,
)
from portula_oauth2.grant import enabled_client_auth_methods, enabled_response_types
from portula_oauth2.registration import port_may_differ, problem_of
from portula_oauth2.scopes import barred_scopes, known_scopes, may_have, refuse_scopes
from portula_oauth2.settings import OAuth2Settings


class ClientQuestions(OAuth2Validator):
    """Client authentication, grant types, redirect URIs, scopes (RFC 6749 §2 and §3)."""

    def authenticate_client(self, request: OAuthRequest) -> bool:
        """Authenticate by the one method presented; two at once are refused (RFC 6749 §2.3, attack S52)."""
        methods, exchange = self.provider.client_auth_methods, self.exchange_of(request)
        presented = [method for method in methods.values() if method.presented(request)]
        if len(presented) > 1:
            self._not_authenticated(exchange, None, "several methods at once")
            raise InvalidRequestError(description="More than one client authentication method is used.")
        method = presented[0] if presented else methods.get("none")
        client = None if method is None else method.authenticate(request)
        problem = _problem(client, method, request) or (client and self._below_profile(client))
        if method is None or client is None or problem is not None:
            self._not_authenticated(
                exchange, method.name if method else None, exchange.reason or problem or ""
            )
            return False
        request.client, request.client_id = client, client.client_id
        exchange.client_auth_method = method.name
        held = exchange.client_secret_hash
        if self.provider.hooks.has_implementations(Plugin.portula_client_authenticated):
            event = ClientAuthenticated(
                provider=self.provider,
                client_id=client.client_id,
                method=method.name,
                secret_id=secret_id(held) if held is not None else None,
            )
            self.provider.hooks.tell(Plugin.portula_client_authenticated, event)
        return True

    def _not_authenticated(self, exchange: Exchange, method: str | None, reason: str) -> None:
        """Tell who did not authenticate, and why."""
        exchange.reason, exchange.is_told = reason, True
        event = ClientAuthenticationFailed(
            provider=self.provider,
            client_id=_claimed_client_id(exchange.request),
            method=method,
            reason=reason,
        )
        self.provider.hooks.tell(Plugin.portula_client_authentication_failed, event)

    def authenticate_client_id(self, client_id: str, request: OAuthRequest) -> bool:
        """Public clients go the same way as all others."""
        return self.authenticate_client(request)

    def validate_client_id(self, client_id: str, request: OAuthRequest) -> bool:
        """Know the client of an authorization request."""
        if request.client is None or request.client.client_id != client_id:
            request.client = self.provider.client_cache.find(client_id)
        if request.client is None or not request.client.is_usable(request):
            return False
        problem = self._below_profile(request.client)
        if problem is not None:
            self.exchange_of(request).reason = problem
        return problem is None

    def _below_profile(self, client: Application) -> str | None:
        """Return what of a client its profile does not allow: it may have been registered before that."""
        return next(iter(self.provider.clients.violations(client)), None)

    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Application, request: OAuthRequest
    ) -> bool:
        """Ask the client's registration. A refresh token may be used by whoever may get one."""
        if grant_type == "refresh_token":
            return client.allows_grant_type("refresh_token", "authorization_code", "password")
        if grant_type == "client_credentials" and client.client_type != "confidential":
            return False  # RFC 6749 §4.4, attack S53
        if grant_type == "password" and not self.provider.settings(OAuth2Settings).PASSWORD_GRANT_ENABLED:
            return False  # a server class of oauthlib's own offers it
        return client.allows_grant_type(grant_type)

    def validate_response_type(
        self, client_id: str, response_type: str, client: Application, request: OAuthRequest
    ) -> bool:
        """Ask the client's grant types, and its response types if it is registered with some."""
        registered = client.metadata.get("response_types")
        if registered is not None and response_type not in map(sorted_response_type, registered):
            return False
        return all(client.allows_grant_type(name) for name in grant_types_needed(response_type))

    def enabled_response_types(self, contributed: Collection[str]) -> Collection[str]:
        """Return those that the settings leave in use."""
        return enabled_response_types(self.provider.settings(OAuth2Settings), contributed)

    def enabled_client_auth_methods(self, contributed: Collection[str]) -> Collection[str]:
        """Return those that the settings leave in use."""
        return enabled_client_auth_methods(self.provider.settings(OAuth2Settings), contributed)

    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: OAuthRequest) -> bool:
        """Compare with what is registered, exactly (RFC 9700 §2.1); its scheme must still be allowed.

        Raises:
            MismatchingRedirectURIError: only the port differs, and the description says who may vary it.
        """
        client, settings = request.client, self.provider.settings(OAuth2Settings)
        if client is None:
            return False
        if not client.redirect_uri_allowed(redirect_uri) and not port_may_differ(
            redirect_uri, client, settings
        ):
            return False
        return problem_of(redirect_uri, client, settings) is None

    def get_default_redirect_uri(self, client_id: str, request: OAuthRequest) -> str | None:
        """Return the only registered URI (RFC 6749 §3.1.2.3).

        At the token endpoint it may be left out only if the authorization request left it out (§4.1.3), or where PKCE
        stands in its place (OAuth 2.1 §10.2).
        """
        code = self.exchange_of(request).code
        if code is not None and code.redirect_uri is not None:
            settings = self.provider.settings(OAuth2Settings, request.client)
            if settings.TOKEN_REQUEST_REDIRECT_URI_REQUIRED or code.code_challenge is None:
                raise InvalidGrantError(description="redirect_uri is missing.")
            return code.redirect_uri
        uri = request.client.default_redirect_uri if request.client else None
        return uri if uri and self.validate_redirect_uri(client_id, uri, request) else None

    def get_default_scopes(self, client_id: str, request: OAuthRequest) -> list[str]:
        """Return the scopes of a request that names none; without any it fails (RFC 6749 §3.3)."""
        defaults = self.provider.hooks.ask(Plugin.portula_scopes_backend).get_default_scopes(
            request.client, request
        )
        allowed = [scope for scope in defaults if may_have(request.client, scope)]
        if defaults and not allowed:
            raise InvalidScopeError(description="Name a scope: this client has no default.", request=request)
        return allowed

    def validate_scopes(
        self, client_id: str, scopes: list[str], client: Application, request: OAuthRequest
    ) -> bool:
        """Allow what the backend has for this client, and what rooms contribute.

        Scopes that nobody knows are left out of `request.scopes` where IGNORE_UNKNOWN_SCOPES says so.

        Raises:
            InvalidScopeError: names the scopes that are refused.
        """
        request.scopes = known_scopes(self.provider, scopes, request)
        barred = barred_scopes(self.provider, request.scopes, client, request)
        refuse_scopes("This client may not ask for", barred, request)
        return True

    def validate_user(self, username: str, password: str, client: Application, request: OAuthRequest) -> bool:
        """Check a password for the password grant, with the login's own limits."""
        address: str = request.headers.get(CLIENT_ADDRESS, "")
        user = self.provider.hooks.ask(Plugin.portula_login).authenticate(username, password, address)
        request.user = user.subject if user else None
        return user is not None

    @property
    def server_arguments(self) -> dict[str, Any]:
        """Return lifetime and generators as configured, which every server class is given; EXTRA_SERVER_KWARGS wins."""
        hooks = self.provider.hooks
        return {
            "token_expires_in": self.access_token_lifetime,
            "token_generator": hooks.ask(Plugin.portula_access_token_generator),
            "refresh_token_generator": refresh_generator(hooks.ask(Plugin.portula_refresh_token_generator)),
            **self.provider.settings(OAuth2Settings).EXTRA_SERVER_KWARGS,
        }


def _problem(
    client: Application | None, method: ClientAuthMethod | None, request: OAuthRequest
) -> str | None:
    """Return why a client does not count as authenticated; None when it does."""
    if method is None:
        return "no credentials"
    if client is None:
        return "unknown or not public" if method.name == "none" else "wrong credentials"
    if not client.is_usable(request):
        return "disabled"
    if client.token_endpoint_auth_method not in (None, method.name):
        return f"registered for {client.token_endpoint_auth_method}"
    if request.client_id and request.client_id != client.client_id:
        return "client_id is another client's"
    return None


def _claimed_client_id(request: OAuthRequest) -> str | None:
    """Return the client that a request says to come from."""
    named = basic_credentials_of(request)
    return request.client_id or (named[0][0] if named else None)
