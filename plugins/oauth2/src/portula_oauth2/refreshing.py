"""Refresh token values and the one record an authorization has of them (RFC 6749 §6, RFC 9700 §4.14)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from portula.errors import RecordReplayed
from portula.plugin import (
    REFRESH_TOKEN_PURPOSE,
    TO_AUTHORIZATION,
    Authorization,
    RefreshToken,
    RefreshTokens,
    SupersededRefreshToken,
)
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, Exchange, OAuthRequest

log = logging.getLogger("portula")

_SUCCESSOR = "refresh token successor"


def find_refresh_token(
    provider: AuthorizationServer, value: str, read: Callable[..., tuple[Any, ...] | None]
) -> tuple[RefreshToken, Authorization | None] | None:
    """Return the record that a value belongs to, now or formerly, with its authorization; None for a stranger's value.

    A value of ours names its authorization; any other is found by its digest, among those that were rotated too.

    Args:
        provider: whose it is.
        value: as it was presented.
        read: `Storage.find_along`, or `People.find_along` where the person is asked for next.
    """
    storage, made = provider.storage, RefreshTokens(provider.keys).read(value)
    if made is not None:
        return read(RefreshToken, TO_AUTHORIZATION, authorization=made[0])
    digests = provider.keys.digests(REFRESH_TOKEN_PURPOSE, value)
    found = read(RefreshToken, TO_AUTHORIZATION, digest=digests)
    if found is not None:
        return found
    superseded = storage.find(SupersededRefreshToken, digest=digests)
    if superseded is None:
        return None
    return read(RefreshToken, TO_AUTHORIZATION, authorization=superseded.authorization)


def check_superseded(
    provider: AuthorizationServer, token: RefreshToken, value: str, request: OAuthRequest
) -> dict[str, Any] | None:
    """Judge a value that is not the one that counts now.

    Returns:
        The answer to the rotation, within the grace period; None for a value that was never issued.

    Raises:
        RecordReplayed: it was rotated, and the grace period is over (RFC 9700 §4.14.2).
    """
    made = RefreshTokens(provider.keys).read(value)
    if made is not None and made[1] >= token.generation:
        log.error(
            "a refresh token of client %s was made with a key of SECRET_KEYS, but not issued", token.client_id
        )
        return None
    is_previous = token.previous is not None and provider.keys.verify(
        REFRESH_TOKEN_PURPOSE, value, token.previous
    )
    grace = provider.settings(OAuth2Settings, request.client).grace_seconds(request)
    if is_previous and token.sealed is not None and (token.rotated_at or 0) + grace > provider.now():
        opened = provider.keys.unseal(_SUCCESSOR, token.sealed, under=value)
        if opened is not None:
            answer: dict[str, Any] = json.loads(opened)
            answer["expires_in"] = max(0, answer.pop("expires_at") - provider.now())
            return answer
    raise RecordReplayed(token)


def seal_successor(
    exchange: Exchange, response: dict[str, Any], presented: str, expires_at: int
) -> str | None:
    """Return the answer to a rotation sealed for the grace period; None without one.

    Members that say what the token is good for (`Issue.members`) stand in it: a request that comes again gets that
    token, whatever it asks for.
    """
    provider = exchange.provider
    if not provider.settings(OAuth2Settings, exchange.client).grace_seconds(exchange.request):
        return None
    further = exchange.issue.members if exchange.issue else {}
    names = ("access_token", "refresh_token", "token_type", "scope", *further)
    members = {name: response[name] for name in names if name in response}
    return provider.keys.seal(_SUCCESSOR, json.dumps({**members, "expires_at": expires_at}), under=presented)
