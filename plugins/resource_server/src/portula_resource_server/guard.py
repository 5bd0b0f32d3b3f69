"""The decorator, and what a guarded view knows of the token (RFC 6750)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from flask import Response, current_app, g, request
from werkzeug.local import LocalProxy

from portula import current_provider
from portula.errors import (
    InsufficientScopeError,
    InvalidRequestError,
    InvalidTokenError,
    MissingTokenError,
    TemporarilyUnavailableError,
)
from portula.plugin import Answer, bearer_error, error_parameters, json_answer, log_failure
from portula_resource_server.settings import ResourceServerSettings
from portula_resource_server.tokens import VerifiedToken, VerifierUnavailable
from portula_resource_server.verify import named_scope, verifier_of

if TYPE_CHECKING:
    from portula import Provider

View = TypeVar("View", bound=Callable[..., Any])

RETRY_AFTER_SECONDS = 5
"""When a client may try again after 503."""

_READING = ("GET", "HEAD", "OPTIONS")
"""Methods that change nothing (RFC 9110 §9.2.1)."""

_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""RFC 6750 §2.1, b64token."""


@overload
def require_oauth(view: View, /) -> View: ...
@overload
def require_oauth(*scopes: str, provider: str = "portula") -> Callable[[View], View]: ...
def require_oauth(*given: Any, provider: str = "portula") -> Any:
    """Let a Flask view answer only to a bearer token that counts and has all these scopes.

    The token is read from the Authorization header alone (RFC 6750 §2.1; attack S30). Refusals are those of RFC 6750
    §3: 401 without a token or with a bad one, 403 when a scope is missing, 400 for a malformed header; and 503 when
    nobody can be asked. Put it below the route, or into `decorators` of a class-based view.

    Args:
        given: scopes, all of which are needed; none, or the view itself, for a token of any scope.
        provider: name of the Provider that checks the token.
    """
    scopes = tuple(scope for scope in given if isinstance(scope, str))
    guard = _guard(lambda _provider: scopes, provider)
    return guard(given[0]) if len(given) > len(scopes) else guard


def protected_resource(
    scopes: Iterable[str] | None = None, *, provider: str = "portula"
) -> Callable[[View], View]:
    """Guard a view as django-oauth-toolkit's decorator of that name does; see `require_oauth`.

    Args:
        scopes: all of which are needed; None for a token of any scope.
        provider: name of the Provider that checks the token.
    """
    needed = _listed(scopes)
    return _guard(lambda _provider: needed, provider)


def rw_protected_resource(
    scopes: Iterable[str] | None = None, *, provider: str = "portula"
) -> Callable[[View], View]:
    """Guard a view with READ_SCOPE for GET, HEAD and OPTIONS and WRITE_SCOPE for every other method.

    Args:
        scopes: needed besides, by every method.
        provider: name of the Provider that checks the token.
    """
    always = _listed(scopes)

    def needed(asked: Provider) -> tuple[str, ...]:
        reads = request.method in _READING
        return (*always, named_scope(asked, "READ_SCOPE" if reads else "WRITE_SCOPE"))

    return _guard(needed, provider)


def _listed(scopes: Iterable[str] | None) -> tuple[str, ...]:
    if isinstance(scopes, str) or callable(scopes):
        raise TypeError(
            'scopes are a list, as in protected_resource(scopes=["read"]); the decorator needs its brackets'
        )
    return tuple(scopes or ())


def _guard(needed: Callable[[Provider], tuple[str, ...]], name: str) -> Callable[[View], View]:
    """Make the decorator; `needed` tells the scopes for the current request."""

    def guard(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            provider = current_provider(name)
            answer = _refusal(provider, needed(provider))
            if answer is not None:
                return Response(answer.body, answer.status, dict(answer.headers))
            return current_app.ensure_sync(view)(*args, **kwargs)

        return guarded

    return cast("Callable[[View], View]", guard)


def _current_token() -> VerifiedToken:
    token = g.get("portula_token")
    if token is None:
        raise RuntimeError("there is no current_token: the view is not decorated with require_oauth")
    return cast("VerifiedToken", token)


current_token: VerifiedToken = cast("VerifiedToken", LocalProxy(_current_token))
"""The token of the current request, in views decorated with `require_oauth`."""


def _refusal(provider: Provider, scopes: tuple[str, ...]) -> Answer | None:
    """Return why the current request may not pass; None, and `current_token` set, when it may."""
    try:
        presented = _presented(request.headers.get("Authorization", ""))
        if presented is None:
            return bearer_error(MissingTokenError())
    except InvalidRequestError as error:
        return bearer_error(error)
    verify = verifier_of(provider)
    try:
        token = verify(presented)
    except Exception as failure:  # noqa: BLE001 - it is logged
        if not isinstance(failure, VerifierUnavailable):
            log_failure(failure, "a token could not be checked")
        waiting = error_parameters(
            TemporarilyUnavailableError(description="The token cannot be checked now.")
        )
        return json_answer(503, waiting, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    if token is None:
        return bearer_error(InvalidTokenError())
    if not token.scopes.issuperset(scopes):
        told = provider.settings(ResourceServerSettings).ERROR_RESPONSE_WITH_SCOPES
        return bearer_error(InsufficientScopeError(), scope=" ".join(scopes) if told else "")
    g.portula_token = replace(token, expires=provider.datetime_of(token.expires_at))
    return None


def _presented(header: str) -> str | None:
    """Return the bearer token; None when there is none, since another scheme is no attempt (RFC 6750 §3.1).

    Raises:
        InvalidRequestError: not one token in the characters of RFC 6750, or two headers, which WSGI joins by a comma.
    """
    values = [value.strip() for value in header.split(",")]
    tokens = [
        rest.strip()
        for scheme, _, rest in (value.partition(" ") for value in values)
        if scheme.lower() == "bearer"
    ]
    if not tokens:
        return None
    if len(values) > 1 or not _TOKEN.fullmatch(tokens[0]):
        raise InvalidRequestError(description="The Authorization header is malformed.")
    return tokens[0]
