"""Authorization details in the words of their types, for the person who allows them and who looks at them later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from portula import hookimpl
from portula.plugin import AccessToken, Authorization, ConsentItem, Describe, display_name, unkeyed_digest
from portula_rar.details import PARAMETER, Detail, details_in, of_type, read_as, types_of

if TYPE_CHECKING:
    from portula import Provider

REMEMBERED_CHARACTERS = 160
"""Of the words by which an object is remembered; its digest tells it from all others."""


def item_of(detail: Detail) -> ConsentItem:
    """Return what a person is asked, without characters that deceive the eye (RFC 9396 §12, attack S11).

    Raises:
        HookFailed: the type fails.
    """
    return of_type(detail.name, lambda: _item(detail))


def _item(detail: Detail) -> ConsentItem:
    said = detail.kind.describe(detail.model)
    facts = tuple((display_name(str(label)), display_name(str(text))) for label, text in said.details)
    item = ConsentItem(title=display_name(said.title), details=facts)
    if not detail.kind.may_be_remembered:
        return item
    digest = unkeyed_digest(json.dumps(detail.members, sort_keys=True))
    return replace(item, memory=f"{item.line[:REMEMBERED_CHARACTERS]} · {digest[:22]}")


@hookimpl
def portula_authorization_descriptions(provider: Provider) -> dict[str, Describe]:
    """Return how the details of authorizations and tokens are said in pages and commands."""

    def describe(record: Authorization | AccessToken) -> list[ConsentItem]:
        found = (
            details_in(record.facts)
            if isinstance(record, Authorization)
            else record.payload.get(PARAMETER, ())
        )
        return [_item_of_members(provider, members) for members in found]

    return {"rar": describe}


def _item_of_members(provider: Provider, members: Mapping[str, Any]) -> ConsentItem:
    """Return the words for details that were granted; their fields where the type is gone, or another by now."""
    try:
        detail = read_as(types_of(provider), members)
    except ValidationError:
        detail = None
    if detail is not None:
        return item_of(detail)
    facts = ((name, json.dumps(value)) for name, value in members.items() if name != "type")
    return ConsentItem(title=display_name(str(members["type"])), details=tuple(facts))
