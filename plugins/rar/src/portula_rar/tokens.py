"""Authorization details in tokens and their answers (RFC 9396 §7, §9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from portula import hookimpl
from portula.errors import HookFailed
from portula_rar.details import (
    PARAMETER,
    Detail,
    are_there,
    is_narrower,
    of_type,
    read_as,
    recall,
    types_of,
)

if TYPE_CHECKING:
    from portula.plugin import Exchange, IntrospectionResponse


@hookimpl
def portula_validate_token_request(exchange: Exchange) -> None:
    """Give a token its details, enriched by their types, and tell the client of them (RFC 9396 §7, §7.1).

    It is settled by then whom the token is for: details for other servers are left out (§9.1).

    Raises:
        HookFailed: a type fails, or widens what was granted.
    """
    issue = exchange.issue
    if issue is None or exchange.for_another_server or not are_there(exchange):
        return
    granted = recall(exchange)
    details = [_enrich(detail, exchange) for detail in granted]
    if not is_narrower(details, granted):
        raise HookFailed("authorization details: what a type adds to them is more than was granted")
    for_servers = [dict(each.members) for each in details if is_for(each.members, issue.audience)]
    issue.members[PARAMETER] = issue.claims[PARAMETER] = for_servers


def _enrich(detail: Detail, exchange: Exchange) -> Detail:
    model = of_type(detail.name, lambda: detail.kind.enrich(detail.model, exchange))
    if model == detail.model:
        return detail
    try:
        members = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
        found = read_as(types_of(exchange.provider), members) if members.get("type") == detail.name else None
    except (AttributeError, ValidationError) as error:
        raise HookFailed(f"authorization details of type {detail.name!r}: {error}") from error
    if found is None:
        raise HookFailed(f"authorization details of type {detail.name!r} become another type")
    return found


def is_for(members: Mapping[str, Any], names: Collection[str]) -> bool:
    """Say whether details are for one of these servers: they name none, or one of them, or a place below it.

    Without names they are for anybody. Compared as they are written (RFC 9396 §12).
    """
    locations = members.get("locations") or ()
    if not names or not locations:
        return True
    return any(
        location == name or location.startswith(f"{name.removesuffix('/')}/")
        for location in locations
        for name in names
    )


@hookimpl
def portula_introspection_response(answer: IntrospectionResponse) -> Mapping[str, Any] | None:
    """Tell a server the details that are for it, and the client all of its own (RFC 9396 §9.2)."""
    details: Sequence[Mapping[str, Any]] | None = answer.token.payload.get(PARAMETER)
    if details is None:
        return None
    names = answer.names or frozenset()
    if answer.token.client_id in names or not answer.provider.audiences:
        names = frozenset()
    return {PARAMETER: [each for each in details if is_for(each, names)]}
