"""Hooks called while a request is answered: vetoes, enrichments, outboxes and events.

Each is offered the provider first; an implementation names only the parameters that it wants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from portula.host.markers import hookspec

if TYPE_CHECKING:
    from portula.flow.exchange import Exchange
    from portula.flow.interaction import Demands
    from portula.flow.messages import OAuthRequest
    from portula.model.events import (
        AuthorizationGranted,
        ClientAuthenticated,
        ClientSaved,
        ConsentGiven,
        LoginFailed,
        LoginSucceeded,
        LogoutSucceeded,
        Replay,
        SessionEnded,
        TokenIssued,
        TokenRefused,
        TokenRevoked,
    )
    from portula.model.records import AccessToken, Application
    from portula.model.slots import Authenticated, User
    from portula.web.provider import Provider


# --- May this be done? ---


@hookspec
def portula_validate_authorization_request(provider: Provider, request: OAuthRequest) -> None:
    """Deny an authorization request by raising an OAuth2Error; every implementation is heard.

    Example:
        class NoNights:
            @hookimpl
            def portula_validate_authorization_request(self, request):
                if "tea" in request.scopes:
                    raise AccessDeniedError("Not at night.")
    """


@hookspec
def portula_validate_token_request(provider: Provider, request: OAuthRequest) -> None:
    """Deny a token request by raising an OAuth2Error; heard after the grant's own checks and before anything is kept.

    Example:
        class NoTea:
            @hookimpl
            def portula_validate_token_request(self, request):
                if request.grant_type == "urn:example:tea":
                    raise UnauthorizedClientError("No tea.")
    """


@hookspec
def portula_validate_client_registration(provider: Provider, application: Application) -> None:
    """Deny saving a client by raising InvalidClientMetadata, on every write path; every implementation is heard.

    Example:
        class Named:
            @hookimpl
            def portula_validate_client_registration(self, application):
                if not application.name:
                    raise InvalidClientMetadata("a client needs a name")
    """


@hookspec
def portula_shape_token(provider: Provider, exchange: Exchange) -> None:
    """Change what is to be issued (`exchange.issue`) before anything is made; raising an OAuth2Error denies it.

    Example:
        class Short:
            @hookimpl
            def portula_shape_token(self, exchange):
                exchange.issue.lifetime = min(exchange.issue.lifetime, 60)
    """


# --- What has to happen first? ---


@hookspec
def portula_interaction_demands(
    provider: Provider, request: OAuthRequest, user: Authenticated | None, fresh: bool
) -> Demands | None:
    """Say what an authorization request demands of the person before it is answered; raising an OAuth2Error denies it.

    `user` is who is signed in; `fresh` says whether they signed in for this very request.

    Example:
        class OnceADay:
            @hookimpl
            def portula_interaction_demands(self, provider, user):
                return Demands(login=user is not None and user.auth_time < provider.now() - 86400)
    """


# --- What is added ---


@hookspec
def portula_authorization_response(
    provider: Provider, request: OAuthRequest, response: Mapping[str, str]
) -> Mapping[str, str] | None:
    """Add parameters to the answer to an authorization request; those that stand already cannot be overwritten.

    Example:
        class Region:
            @hookimpl
            def portula_authorization_response(self, request, response):
                return {"region": "north"}
    """


@hookspec
def portula_id_token_claims(
    provider: Provider, request: OAuthRequest, user: User, claims: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Add claims to an ID token (OpenID Connect Core §2); those that the protocol sets cannot be overwritten.

    Example:
        class Tenant:
            @hookimpl
            def portula_id_token_claims(self, request, user, claims):
                return {"tenant": "north"}
    """


@hookspec
def portula_userinfo_claims(
    provider: Provider, request: OAuthRequest, user: User, claims: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Add claims about a person to userinfo (OpenID Connect Core §5.3); `request.scopes` says what was granted.

    Example:
        class Loyalty:
            @hookimpl
            def portula_userinfo_claims(self, request, user, claims):
                return {"loyalty": "gold"} if "loyalty" in request.scopes else None
    """


@hookspec
def portula_token_response(
    provider: Provider, request: OAuthRequest, response: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Add members to a token response; those of RFC 6749 §5.1 cannot be overwritten.

    Example:
        class Greeting:
            @hookimpl
            def portula_token_response(self, request, response):
                return {"greeting": "hello"}
    """


@hookspec
def portula_introspection_response(
    provider: Provider, token: AccessToken, response: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Add members to an introspection response (RFC 7662 §2.2); those set already cannot be overwritten.

    Example:
        class Tenant:
            @hookimpl
            def portula_introspection_response(self, token, response):
                return {"tenant": "north"}
    """


# --- What is kept with it ---


@hookspec
def portula_record_authorization(provider: Provider, event: AuthorizationGranted) -> Iterable[object] | None:
    """Return records that are kept with an authorization, in one plan; a failure refuses the request.

    Example:
        class Audit:
            @hookimpl
            def portula_record_authorization(self, event):
                return [Artifact(digest=event.id, kind="audit", payload=event.as_json(), issued_at=event.at)]
    """


@hookspec
def portula_record_token(provider: Provider, event: TokenIssued) -> Iterable[object] | None:
    """Return records that are kept with issued tokens, in one plan; a failure refuses the request.

    Example:
        class Audit:
            @hookimpl
            def portula_record_token(self, event):
                return [Artifact(digest=event.id, kind="audit", payload=event.as_json(), issued_at=event.at)]
    """


@hookspec
def portula_record_session_end(provider: Provider, event: SessionEnded) -> Iterable[object] | None:
    """Return records that are kept when a login session ends, in one plan; a failure keeps the session.

    Whoever keeps sessions calls it, in a request or outside of one, and tells `portula_session_ended` after it.

    Example:
        class Audit:
            @hookimpl
            def portula_record_session_end(self, event):
                return [Artifact(digest=event.id, kind="audit", payload=event.as_json(), issued_at=event.at)]
    """


# --- After the commit ---


@hookspec
def portula_token_issued(provider: Provider, event: TokenIssued) -> None:
    """Hear that tokens were issued.

    Example:
        class Listener:
            @hookimpl
            def portula_token_issued(self, event):
                print(event.client_id)
    """


@hookspec
def portula_token_refused(provider: Provider, event: TokenRefused) -> None:
    """Hear that the token endpoint refused.

    Example:
        class Listener:
            @hookimpl
            def portula_token_refused(self, event):
                print(event.error)
    """


@hookspec
def portula_token_revoked(provider: Provider, event: TokenRevoked) -> None:
    """Hear that a token was revoked.

    Example:
        class Listener:
            @hookimpl
            def portula_token_revoked(self, event):
                print(event.client_id)
    """


@hookspec
def portula_code_replayed(provider: Provider, event: Replay) -> None:
    """Hear that an authorization code was used a second time and its tokens are revoked.

    Example:
        class Listener:
            @hookimpl
            def portula_code_replayed(self, event):
                print(event.client_id)
    """


@hookspec
def portula_refresh_replayed(provider: Provider, event: Replay) -> None:
    """Hear that a superseded refresh token was used and its family is revoked.

    Example:
        class Listener:
            @hookimpl
            def portula_refresh_replayed(self, event):
                print(event.client_id)
    """


@hookspec
def portula_consent_given(provider: Provider, event: ConsentGiven) -> None:
    """Hear that a person allowed a client something.

    Example:
        class Listener:
            @hookimpl
            def portula_consent_given(self, event):
                print(event.scopes)
    """


@hookspec
def portula_client_saved(provider: Provider, event: ClientSaved) -> None:
    """Hear that a client was created or changed.

    Example:
        class Listener:
            @hookimpl
            def portula_client_saved(self, event):
                print(event.client_id)
    """


@hookspec
def portula_client_authenticated(provider: Provider, event: ClientAuthenticated) -> None:
    """Hear that a client authenticated, before its request is judged; where nobody listens it costs nothing.

    Example:
        class Listener:
            @hookimpl
            def portula_client_authenticated(self, event):
                print(event.method)
    """


@hookspec
def portula_login_succeeded(provider: Provider, event: LoginSucceeded) -> None:
    """Hear that a person signed in.

    Example:
        class Listener:
            @hookimpl
            def portula_login_succeeded(self, event):
                print(event.subject)
    """


@hookspec
def portula_login_failed(provider: Provider, event: LoginFailed) -> None:
    """Hear that someone failed to sign in.

    Example:
        class Listener:
            @hookimpl
            def portula_login_failed(self, event):
                print(event.reason)
    """


@hookspec
def portula_session_ended(provider: Provider, event: SessionEnded) -> None:
    """Hear that a login session ended.

    Example:
        class Listener:
            @hookimpl
            def portula_session_ended(self, event):
                print(event.sid)
    """


@hookspec
def portula_logout_succeeded(provider: Provider, event: LogoutSucceeded) -> None:
    """Hear that a person signed out at the wish of an app.

    Example:
        class Listener:
            @hookimpl
            def portula_logout_succeeded(self, event):
                print(event.subject)
    """
