"""What rooms keep with an authorization besides scopes and resources: how two of them are joined, what clients read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from portula.model.records import Authorization

Facts = Mapping[str, Any]
"""What one room keeps with an authorization."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationContent:
    """What a room keeps with an authorization, for who joins two of them or tells a client what it was allowed.

    An exception of either function refuses the request.
    """

    join: Callable[[Facts, Facts], Facts]
    """Takes the facts of the room as they were allowed before and later; returns those that allow both. What only the
    later request is about, such as a nonce, is that of the later."""
    members: Callable[[Authorization], Mapping[str, Any]]
    """Takes an authorization; returns what its client may read of it, as JSON has it."""
