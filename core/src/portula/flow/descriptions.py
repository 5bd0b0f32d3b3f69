"""Descriptions, for people and operators, of what authorizations and access tokens allow besides scopes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from portula.model.consent import ConsentItem
from portula.model.failures import log_failure
from portula.model.records import AccessToken, Authorization

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer

Describe = Callable[[Authorization | AccessToken], Sequence[ConsentItem]]
"""Takes what was allowed or issued; returns what it allows besides scopes, as the person was asked about it."""


def consent_items_of(
    provider: AuthorizationServer, record: Authorization | AccessToken
) -> tuple[ConsentItem, ...]:
    """Return what an authorization or an access token allows besides scopes, in words.

    What a plugin fails to describe is logged, and said to be there: the page on which an app is shut out needs no
    words of its plugin.
    """
    items: list[ConsentItem] = []
    for name, describe in provider.descriptions.items():
        try:
            items += _check_items(describe(record))
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "%s cannot describe what was allowed", name)
            items.append(ConsentItem(title=f"Something that cannot be shown now ({name})"))
    return tuple(items)


def _check_items(answer: Sequence[object]) -> list[ConsentItem]:
    """Return what a plugin answers, once it is known to be items; TypeError."""
    found = [item for item in answer if isinstance(item, ConsentItem)]
    if len(found) != len(answer):
        raise TypeError("what was allowed is described by what is no ConsentItem")
    return found
