"""Expiry of authorizations: each is kept as long as anything that points to it counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portula.plugin import Exchange


def keep_until(exchange: Exchange, expires_at: int | None) -> None:
    """Plan to keep the authorization of an exchange at least until then; None for without end.

    One that has to be kept longer is moved far ahead, so that most refreshes do not touch it. Whoever redeems a code
    touches it in any case, so that a revocation that comes at the same moment wins.

    Args:
        exchange: its plan is added to.
        expires_at: Unix seconds when what is issued now ends.
    """
    authorization = exchange.authorization
    if authorization is None:
        return
    bound = _binding(exchange)
    begun = exchange.plan.additions(type(authorization))
    if begun:
        exchange.authorization = replace(authorization, expires_at=expires_at, **bound)
        exchange.plan.replace(authorization, exchange.authorization)
        return
    known = authorization.expires_at
    enough = known is None or (expires_at is not None and expires_at <= known)
    if enough and exchange.code is None and not bound:
        return
    ahead = None if expires_at is None else expires_at + (expires_at - exchange.provider.now())
    changed = {"expires_at": known if enough else ahead, **bound}
    exchange.authorization = replace(authorization, **changed)
    exchange.plan.change(authorization, given={"revoked_at": None}, **changed)


def _binding(exchange: Exchange) -> dict[str, Any]:
    """Return what the authorization is bound to from now on.

    The refresh token of a public client is of use only to who proves the key again (RFC 8705 §4, RFC 9449 §5); that of
    a confidential client is bound to its authentication.
    """
    issue, client = exchange.issue, exchange.client
    public = client is not None and client.client_type == "public"
    refreshed = issue is not None and issue.refresh_token and issue.confirmation
    return {"confirmation": dict(issue.confirmation)} if issue and public and refreshed else {}
