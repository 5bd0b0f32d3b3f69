"""Details of two decisions about one grant, and what its client reads of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula.plugin import AuthorizationContent
from portula_rar.details import MAX_OBJECTS, PARAMETER, ROOM, InvalidAuthorizationDetails, details_in

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Authorization


@hookimpl
def portula_authorization_contents(provider: Provider) -> dict[str, AuthorizationContent]:
    """Return how the details of two decisions are joined."""
    return {ROOM: AuthorizationContent(join=join, members=members)}


def join(former: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return all details of both, each object once: the very same one again is no second payment.

    Raises:
        InvalidAuthorizationDetails: they are too many.
    """
    kept: list[Mapping[str, Any]] = []
    for detail in (*former.get("details", ()), *later.get("details", ())):
        if detail not in kept:
            kept.append(detail)
    if len(kept) > MAX_OBJECTS:
        raise InvalidAuthorizationDetails(description=f"A grant has at most {MAX_OBJECTS} objects.")
    return {"details": kept}


def members(authorization: Authorization) -> dict[str, Any]:
    """Return the details as they were allowed; nothing where there are none."""
    details = [dict(detail) for detail in details_in(authorization.facts)]
    return {PARAMETER: details} if details else {}
