"""Claims of two decisions about one grant, and what its client reads of them (OpenID Connect Core §5.4, §5.5)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from portula import hookimpl
from portula.errors import InvalidRequestError
from portula.plugin import AuthorizationContent
from portula_oidc.claims import PROTOCOL_CLAIMS, ROOM, ClaimQuestions
from portula_oidc.requested_claims import MAX_CLAIMS_CHARACTERS, OPENID, PLACES
from portula_oidc.settings import is_on

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Authorization

Claims = Mapping[str, Mapping[str, Any]]


@hookimpl
def portula_authorization_contents(provider: Provider) -> dict[str, AuthorizationContent]:
    """Return how the claims of two decisions are joined; none while OpenID Connect is off."""
    content = AuthorizationContent(join=join, members=partial(members, provider))
    return {ROOM: content} if is_on(provider) else {}


def join(former: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of both; what is told of a sign-in, such as the nonce, is that of the later.

    Raises:
        InvalidRequestError: they are too many.
    """
    before, after = former.get("claims", {}), later.get("claims", {})
    claims = {
        place: {**_about_person(before, place), **after.get(place, {})}
        for place in PLACES
        if place in before or place in after
    }
    if len(json.dumps(claims)) > MAX_CLAIMS_CHARACTERS:
        raise InvalidRequestError(description="The grant has too many claims.")
    return {**later, "claims": claims} if claims else dict(later)


def _about_person(claims: Claims, place: str) -> dict[str, Any]:
    return {name: wanted for name, wanted in claims.get(place, {}).items() if name not in PROTOCOL_CLAIMS}


def members(provider: Provider, authorization: Authorization) -> dict[str, Any]:
    """Return the names of the claims that the scopes stand for, and of those that were asked for by name."""
    scopes = authorization.scope.split()
    if OPENID not in scopes:
        return {}
    scope_of = cast("ClaimQuestions", provider.validator).scope_of_claims
    claims: Claims = authorization.facts.get(ROOM, {}).get("claims", {})
    named = {name for place in PLACES for name in _about_person(claims, place) if name in scope_of}
    told = sorted(named | {name for name, scope in scope_of.items() if scope in scopes})
    return {"claims": told} if told else {}
