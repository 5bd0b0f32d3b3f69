"""Request resolvers, which find the parameters of an authorization request that names them elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portula.flow.exchange import AuthorizationExchange
    from portula.flow.messages import Pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestResolver:
    """One way of carrying parameters: by value, by reference, pushed before (RFC 9101, RFC 9126)."""

    name: str
    """For reports; unique among the resolvers."""
    presented: Callable[[Mapping[str, str]], bool]
    """Says whether a request, as parameters by name, is of this kind; two kinds at once are refused."""
    resolve: Callable[[AuthorizationExchange], Pairs]
    """Takes the exchange, whose client is known; returns all parameters of the request. Raises an OAuth2Error."""
    consume: Callable[[AuthorizationExchange], None] | None = None
    """Adds to the plan of the answer, a code or an error, that the source of the parameters serves no second time
    (RFC 9126 §4). `exchange.presented` says which source it was. Raises a FatalClientError, for a page, where it served
    before. None: it serves again."""
