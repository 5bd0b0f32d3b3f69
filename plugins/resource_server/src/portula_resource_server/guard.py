"""The decorator, and what a guarded view knows of the token (RFC 6750)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from flask import Response, current_app, g, request
from werkzeug.local import LocalProxy

from portula import Plugin, current_provider
from portula.errors import (
    InsufficientScopeError,
    InvalidRequestError,
    InvalidTokenError,
    MissingTokenError,
    OAuth2Error,
    RetryLater,
)
from portula.plugin import log_failure, tell_refusal, token_error
from portula_resource_server.audience import current_url, is_for_this_server
from portula_resource_server.authentication import (
    ANY_AUTHENTICATION,
    InsufficientUserAuthenticationError,
    RequiredAuthentication,
)
from portula_resource_server.hooks import ResourceChallenge, ResourceServerHooks
from portula_resource_server.settings import ResourceServerSettings
from portula_resource_server.tokens import RETRY_AFTER_SECONDS, VerifiedToken, VerifierUnavailable
from portula_resource_server.verify import named_scope, verifier_of

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Answer, PresentedToken

View = TypeVar("View", bound=Callable[..., Any])

_READING = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing (RFC 9110 §9.2.1)."""


@overload
def require_oauth(view: View, /) -> View: ...
@overload
def require_oauth(
    *scopes: str, acr_values: Iterable[str] = (), max_age: int | None = None, provider: str = "portula"
) -> Callable[[View], View]: ...
def require_oauth(
    *given: Any, acr_values: Iterable[str] = (), max_age: int | None = None, provider: str = "portula"
) -> Any:
    """Let a Flask view answer only to an access token that counts and has all these scopes.

    The token is read from the Authorization header alone (RFC 6750 §2.1; attack S30); one that is bound to a key has to
    come by the scheme of such tokens, with the proof. Refusals are those of RFC 6750
    §3: 401 without a token or with a bad one, 403 when a scope is missing, 400 for a malformed header; and 503 when
    nobody can be asked. Put it below the route, or into `decorators` of a class-based view.

    Args:
        given: scopes, all of which are needed; none, or the view itself, for a token of any scope.
        acr_values: authentication context classes, as the provider names them, by one of which the person of the token
            has to have signed in; 401 with `insufficient_user_authentication` else (RFC 9470 §3).
        max_age: seconds since then, at the most.
        provider: name of the Provider that checks the token.
    """
    scopes = tuple(scope for scope in given if isinstance(scope, str))
    signed_in = RequiredAuthentication(acr_values=_as_tuple(acr_values, "acr_values"), max_age=max_age)
    guard = _guard(lambda _provider: scopes, provider, signed_in)
    return guard(given[0]) if len(given) > len(scopes) else guard


def protected_resource(
    scopes: Iterable[str] | None = None, *, provider: str = "portula"
) -> Callable[[View], View]:
    """Guard a view as django-oauth-toolkit's decorator of that name does; see `require_oauth`.

    Args:
        scopes: all of which are needed; None for a token of any scope.
        provider: name of the Provider that checks the token.
    """
    needed = _as_tuple(scopes)
    return _guard(lambda _provider: needed, provider)


def rw_protected_resource(
    scopes: Iterable[str] | None = None, *, provider: str = "portula"
) -> Callable[[View], View]:
    """Guard a view with READ_SCOPE for GET, HEAD and OPTIONS and WRITE_SCOPE for every other method.

    Args:
        scopes: needed besides, by every method.
        provider: name of the Provider that checks the token.
    """
    always = _as_tuple(scopes)

    def needed_scopes(asked: Provider) -> tuple[str, ...]:
        reads = request.method in _READING
        return (*always, named_scope(asked, "READ_SCOPE" if reads else "WRITE_SCOPE"))

    return _guard(needed_scopes, provider)


def _as_tuple(values: Iterable[str] | None, name: str = "scopes") -> tuple[str, ...]:
    if isinstance(values, str) or callable(values):
        raise TypeError(f'{name} are a list, as in {name}=["read"]; the decorator needs its brackets')
    return tuple(values or ())


def _guard(
    needed_scopes: Callable[[Provider], tuple[str, ...]],
    name: str,
    signed_in: RequiredAuthentication = ANY_AUTHENTICATION,
) -> Callable[[View], View]:
    """Make the decorator; `needed_scopes` tells the scopes for the current request."""

    def guard(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def call(*args: Any, **kwargs: Any) -> Any:
            provider = current_provider(name)
            headers: dict[str, str] = {}
            answer = _refusal(provider, needed_scopes(provider), signed_in, headers)
            if answer is not None:
                return Response(answer.body, answer.status, {**answer.headers, **headers})
            result = current_app.ensure_sync(view)(*args, **kwargs)
            if not headers:
                return result
            response = current_app.make_response(result)
            response.headers.update(headers)
            return response

        return call

    return cast("Callable[[View], View]", guard)


def _current_token() -> VerifiedToken:
    token = g.get("portula_token")
    if token is None:
        raise RuntimeError("there is no current_token: the view is not decorated with require_oauth")
    return cast("VerifiedToken", token)


current_token: VerifiedToken = cast("VerifiedToken", LocalProxy(_current_token))
"""The token of the current request, in views decorated with `require_oauth`."""


def _refusal(
    provider: Provider, scopes: tuple[str, ...], signed_in: RequiredAuthentication, headers: dict[str, str]
) -> Answer | None:
    """Return why the current request may not pass; None, and `current_token` set, when it may.

    Args:
        provider: who checks the token.
        scopes: what it needs.
        signed_in: how the person of the token has to have signed in.
        headers: proofs of possession add to them; they go with the answer.
    """
    presentations, presented = provider.token_presentations, None
    try:
        presented = presentations.read(provider.current_message(), headers=headers)
        if presented is None:
            raise MissingTokenError
        if not presented.well_formed:
            raise InvalidRequestError(description="The Authorization header is malformed.")
        token = _verify(provider, presented)
        if not token.scopes.issuperset(scopes):
            raise InsufficientScopeError
        signed_in.check(token, provider.now())
    except RetryLater as error:
        tell_refusal(provider, request.endpoint or "", error)
        return token_error(error)
    except OAuth2Error as error:
        tell_refusal(provider, request.endpoint or "", error, reason=_reason(provider, error, presented))
        parameters = _challenge_parameters(provider, scopes, signed_in, error)
        return presentations.refusal(error, presented, parameters=parameters)
    g.portula_token = replace(token, expires=provider.datetime_of(token.expires_at))
    return None


def _challenge_parameters(
    provider: Provider, scopes: tuple[str, ...], signed_in: RequiredAuthentication, error: OAuth2Error
) -> dict[str, str]:
    parameters: dict[str, str] = {}
    if isinstance(error, InsufficientUserAuthenticationError):
        parameters = signed_in.parameters
    elif scopes and isinstance(error, InsufficientScopeError):
        named = provider.settings(ResourceServerSettings).ERROR_RESPONSE_WITH_SCOPES
        parameters = {"scope": " ".join(scopes)} if named else {}
    try:
        url = current_url(provider)
    except OAuth2Error:
        return parameters  # of a host that is not trusted nothing is said
    challenge = ResourceChallenge(
        provider=provider, url=url, scopes=scopes, error=error, parameters=parameters
    )
    return provider.hooks.enrich(ResourceServerHooks.portula_resource_challenge, challenge)


def _reason(provider: Provider, error: OAuth2Error, presented: PresentedToken | None) -> str | None:
    """Return why a token does not count, where it is one of this provider."""
    asked = presented is not None and presented.well_formed and isinstance(error, InvalidTokenError)
    issues = provider.hooks.ruling(Plugin.portula_backend_class).winner
    return provider.validator.why_not_live(presented.value) if presented and asked and issues else None


def _verify(provider: Provider, presented: PresentedToken) -> VerifiedToken:
    """Return what is known of a token that counts and is proven to be the caller's.

    Raises:
        RetryLater: nobody can say.
        OAuth2Error: it does not count, or is not proven.
    """
    try:
        return _proven(provider, presented, verifier_of(provider)(presented.value))
    except OAuth2Error:
        raise
    except Exception as failure:  # logged, and raised as what the client hears
        retry_after = failure.retry_after if isinstance(failure, VerifierUnavailable) else RETRY_AFTER_SECONDS
        if not isinstance(failure, VerifierUnavailable):
            log_failure(failure, "a token could not be checked")
        raise RetryLater("The token cannot be checked now.", retry_after) from failure


def _proven(provider: Provider, presented: PresentedToken, token: VerifiedToken | None) -> VerifiedToken:
    if token is None or (token.token_type or presented.scheme).lower() != presented.scheme.lower():
        raise InvalidTokenError
    provider.token_presentations.prove(presented, token.confirmation, token.client)
    if not is_for_this_server(provider, token):
        raise InvalidTokenError(description="The token is for another server.")
    return token
