"""Clients that come from elsewhere than the storage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portula.model.records import Application


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSource:
    """Where clients come from that nobody registered here, e.g. documents at the URL that is their client_id."""

    name: str
    """For reports; unique among the sources."""
    claims: Callable[[str], bool]
    """Says by its form alone whether a client_id is of this kind."""
    find: Callable[[str], Application | None]
    """Returns the client of such a client_id; None when there is none. One that nobody here vouches for has the
    metadata SELF_REGISTERED, as one that registered itself."""
    known: Callable[[str], Application | None] | None = None
    """Returns what is kept here of such a client, for lists that show it; None where `find` asks no other server."""
