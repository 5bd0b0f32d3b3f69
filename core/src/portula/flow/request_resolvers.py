"""What turns an authorization request that names its parameters elsewhere into one that carries them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portula.flow.messages import Pairs
    from portula.model.records import Application


@dataclass(frozen=True, slots=True)
class RequestResolver:
    """One way of carrying parameters: by value, by reference, pushed before (RFC 9101, RFC 9126)."""

    name: str
    """For reports; unique among the resolvers."""
    presented: Callable[[Mapping[str, str]], bool]
    """Says whether a request, as parameters by name, is of this kind; two kinds at once are refused."""
    resolve: Callable[[Application, Pairs, str], Pairs]
    """Takes the client, the parameters and the issuer; returns all parameters of the request. Raises an OAuth2Error."""
