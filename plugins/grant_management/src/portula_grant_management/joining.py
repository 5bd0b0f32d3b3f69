"""What two decisions of a person about one grant allow together, and for which resources (RFC 8707 §2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from portula.errors import InvalidRequestError
from portula_grant_management.grants import PARTS, ROOM

if TYPE_CHECKING:
    from portula.plugin import Authorization, AuthorizationServer

MAX_PARTS = 20
"""Different lists of resources that one grant may have scopes for: each is kept with it."""

Part = dict[str, list[str]]
"""`scope` and `resource`: scopes that were allowed for resources; without resources for none in particular."""


def parts_of(authorization: Authorization) -> list[Part]:
    """Return which scopes were allowed for which resources."""
    known: list[Part] | None = authorization.facts.get(ROOM, {}).get(PARTS)
    if known is not None:
        return known
    return [{"scope": authorization.scope.split(), "resource": list(authorization.resources)}]


def merge(provider: AuthorizationServer, former: Authorization, later: Authorization) -> Authorization:
    """Return the later authorization with all that the former allowed besides.

    Facts of rooms that do not say how to join them are about the request, such as the key of its code: the later count.

    Raises:
        OAuth2Error: together they are more than a grant can hold.
    """
    parts = _joined_parts([*parts_of(former), *parts_of(later)])
    if len(parts) > MAX_PARTS:
        raise InvalidRequestError(description="The grant is for too many different resources; replace it.")
    facts: dict[str, dict[str, Any]] = dict(later.facts)
    for room, content in provider.contents.items():
        if room in former.facts:
            facts[room] = dict(content.join(former.facts[room], later.facts.get(room, {})))
    if len(parts) > 1:
        facts[ROOM] = {**facts[ROOM], PARTS: parts}
    return replace(
        later,
        scope=" ".join(_each_once(scope for part in parts for scope in part["scope"])),
        resources=_each_once(uri for part in parts for uri in part["resource"]),
        facts=facts,
    )


def _joined_parts(parts: Sequence[Part]) -> list[Part]:
    """Join the scopes of parts that are for the same resources."""
    joined: dict[frozenset[str], Part] = {}
    for part in parts:
        known = joined.setdefault(frozenset(part["resource"]), {"scope": [], "resource": part["resource"]})
        known["scope"] = list(_each_once([*known["scope"], *part["scope"]]))
    return list(joined.values())


def scopes_for(parts: Sequence[Part], resources: Sequence[str]) -> set[str]:
    """Return the scopes that were allowed for all of these resources, so that none is used where it was not."""
    return {
        scope
        for part in parts
        if not part["resource"] or (resources and set(resources) <= set(part["resource"]))
        for scope in part["scope"]
    }


def _each_once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
