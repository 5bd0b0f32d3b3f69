"""Requests for tokens that another server takes, whose scopes and targets are not ours to judge (RFC 8693 §2.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from portula.errors import HookFailed, InvalidRequestError, InvalidScopeError, OAuth2Error, StorageDown
from portula.plugin import read_array

if TYPE_CHECKING:
    from portula.plugin import Issue, TokenExchange
    from portula_token_exchange.hooks import ExchangeRequest, RequestedTokenType

FORMAT = "token_exchange"
"""Name of the format of such tokens."""
DETAILS = "authorization_details"
MAX_CHARACTERS = 4096
"""Of all that such a token carries for its client: it is sent on in a form, and may be a header field once."""
_SCOPE = re.compile(r"[!#-\[\]-~]+")
"""RFC 6749 §3.3."""


class InvalidAuthorizationDetails(InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """Details are no array of objects that have a type (RFC 9396 §5)."""

    error = "invalid_authorization_details"


def read_request(
    exchange: TokenExchange, request: ExchangeRequest, kind: RequestedTokenType
) -> ExchangeRequest:
    """Return the request with what it names in the words of another server, once its type has judged it.

    Raises:
        OAuth2Error: it is too much, cannot be read, or the type refuses it.
        StorageDown: what the type asks does not answer.
        HookFailed: the type fails.
    """
    audience, resources = exchange.values("audience"), exchange.values("resource")
    details = exchange.parameter(DETAILS) or ""
    if not all(_SCOPE.fullmatch(scope) for scope in exchange.scope):
        raise InvalidScopeError(description="A scope has a character that none may have.")
    if sum(map(len, (*audience, *resources, *exchange.scope, details))) > MAX_CHARACTERS:
        raise InvalidRequestError(description="More is asked for than a token can carry.")
    whole = replace(
        request,
        requested_token_type=exchange.parameter("requested_token_type") or "",
        audience=tuple(dict.fromkeys(audience)),
        resources=tuple(dict.fromkeys(resources)),
        authorization_details=_read_details(details) if details else (),
    )
    try:
        kind.judge(exchange, whole)
    except (OAuth2Error, StorageDown):
        raise
    except Exception as error:
        raise HookFailed(
            f"the token type {whole.requested_token_type!r} failed: {type(error).__name__}"
        ) from error
    return whole


def _read_details(text: str) -> Sequence[Mapping[str, Any]]:
    try:
        found = read_array(text.encode(errors="surrogatepass"))
    except ValueError as error:
        raise InvalidAuthorizationDetails(description=f"{DETAILS}: {error}.") from None
    if not all(isinstance(each, dict) and isinstance(each.get("type"), str) for each in found):
        raise InvalidAuthorizationDetails(description=f"{DETAILS}: each is an object with a type.")
    return tuple(found)


def require_format(issue: Issue) -> None:
    """See that no plugin made something else of a token that is kept nowhere.

    Raises:
        HookFailed: one did.
    """
    if issue.format != FORMAT:
        raise HookFailed("a plugin gives the form of an access token to one for another server")
