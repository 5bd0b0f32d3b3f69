"""Response modes of authorization responses (OAuth 2.0 Multiple Response Type Encoding Practices §2.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from portula.model.http import NO_STORE, Answer

if TYPE_CHECKING:
    from portula.flow.exchange import AuthorizationExchange

Write = Callable[["AuthorizationExchange", Mapping[str, str]], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseMode:
    """One response mode."""

    name: str
    """Value of the parameter response_mode."""
    write: Write
    """Takes the exchange, whose redirect URI is known, and the parameters, success or error alike; returns the answer
    to the browser."""
    carries_tokens: bool = True
    """Whether tokens may travel so; a query is logged and sent on as Referer."""
    signed: bool = False
    """Whether the answer is signed by this server."""


def _query(exchange: AuthorizationExchange, parameters: Mapping[str, str]) -> Answer:
    return _redirect(exchange, "&" if "?" in (exchange.redirect_uri or "") else "?", parameters)


def _fragment(exchange: AuthorizationExchange, parameters: Mapping[str, str]) -> Answer:
    return _redirect(exchange, "#", parameters)


def _redirect(exchange: AuthorizationExchange, separator: str, parameters: Mapping[str, str]) -> Answer:
    """Redirect by 302, never 307, which would repeat a POST (attack S12).

    A registered query string stays as it is (RFC 6749 §3.1.2).
    """
    location = f"{exchange.redirect_uri}{separator}{urlencode(parameters)}"
    return Answer(302, {"Location": location, **NO_STORE})


QUERY = ResponseMode(name="query", write=_query, carries_tokens=False)
FRAGMENT = ResponseMode(name="fragment", write=_fragment)
