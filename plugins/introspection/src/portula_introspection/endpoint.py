"""The introspection endpoint (RFC 7662 §2). The steps are: know the caller, find the token, may they see it, tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import (
    InsufficientScopeError,
    InvalidClientError,
    InvalidRequestError,
    InvalidTokenError,
    OAuth2Error,
)
from portula.plugin import (
    AccessToken,
    Answer,
    Application,
    Endpoint,
    IntrospectionResponse,
    Message,
    OAuthRequest,
    Pairs,
    RefreshToken,
    bearer_error,
    exchange_of,
    json_answer,
    parse_form,
    token_error,
)
from portula_introspection.lookup import find_live
from portula_introspection.settings import IntrospectionSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Live

SCOPE = "introspection"
"""What a bearer token needs to ask about other tokens."""

_INACTIVE = {"active": False}


def make(provider: Provider) -> Endpoint:
    """Return the endpoint; what it lacks (a backend) shows at start."""
    return Endpoint("introspect", "introspect/", ("POST",), Introspection(provider).answer)


class Introspection:
    """Answers introspection requests."""

    def __init__(self, provider: Provider) -> None:
        """Take what does not change between requests."""
        self._provider = provider
        self._backend = provider.backend
        self._same_client_only = provider.settings(IntrospectionSettings).INTROSPECTION_SAME_CLIENT_ONLY

    def answer(self, message: Message) -> Answer:
        """Answer one request; what a caller may not see is answered like what does not exist (attack S60)."""
        try:
            pairs = parse_form(message)
            caller = self._caller(message, pairs)
            asked = dict(pairs)
            if "token" not in asked:
                raise InvalidRequestError(description="token is missing.")
        except (InvalidTokenError, InsufficientScopeError) as error:
            return bearer_error(error, scope=SCOPE)
        except OAuth2Error as error:
            return token_error(error)
        live = find_live(self._provider.validator, asked["token"], asked.get("token_type_hint"), caller)
        if live is None or not self._shown_to(caller.client_id, live.token):
            return json_answer(200, _INACTIVE)
        return json_answer(200, self._facts(live, self._provider.issuer_of(message)))

    def _caller(self, message: Message, pairs: Pairs) -> Application:
        """Return the client that asks. Public clients prove nothing, so they may not ask (attack S53)."""
        scheme = message.headers.get("authorization", "").partition(" ")[0]
        if scheme.lower() == "bearer":
            return self._bearer(message, pairs)
        client = self._backend.authenticate_client(message, pairs).client
        if client is None or client.client_type != "confidential":
            raise InvalidClientError(description="A confidential client is needed.")
        return client

    def _bearer(self, message: Message, pairs: Pairs) -> Application:
        body = OAuthRequest(message.path, message.method, pairs)
        if any(method.presented(body) for method in self._provider.client_auth_methods.values()):
            raise InvalidRequestError(description="Client credentials stand beside a bearer token.")
        allowed, request = self._backend.verify_request(message, [SCOPE])
        if exchange_of(request, self._provider).access_token is None:
            raise InvalidTokenError
        if not allowed or request.client is None or request.client.client_type != "confidential":
            raise InsufficientScopeError
        return request.client

    def _shown_to(self, caller: str, token: AccessToken | RefreshToken) -> bool:
        audience = _audience(token)
        if audience:
            return caller in audience
        return not self._same_client_only or caller == token.client_id

    def _facts(self, live: Live[AccessToken] | Live[RefreshToken], issuer: str) -> dict[str, Any]:
        """Return the members of RFC 7662 §2.2, and for access tokens those that plugins add."""
        token, user = live.token, live.user
        members = {
            "scope": token.scope,
            "client_id": token.client_id,
            "username": user.username if user else None,
            "exp": token.expires_at,
            "iat": token.issued_at,
            "sub": self._provider.validator.subject_for(token.subject, live.client)
            if token.subject
            else None,
            "aud": _audience(token),
            "iss": issuer,
        }
        facts = {"active": True, **{name: value for name, value in members.items() if value}}
        if isinstance(token, RefreshToken):
            # No token_type fits a refresh token; this keeps a resource from taking it for an access token.
            return {**facts, "token_use": "refresh_token"}
        answer = IntrospectionResponse(
            provider=self._provider,
            token=token,
            authorization=live.authorization,
            response={**facts, "token_type": "Bearer"},
        )
        return self._provider.hooks.enrich(Plugin.portula_introspection_response, answer)


def _audience(token: AccessToken | RefreshToken) -> list[str]:
    """Return whom the token is for; empty for anybody."""
    return list(token.audience) if isinstance(token, AccessToken) else []
