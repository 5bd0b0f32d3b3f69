"""Takes a request for what it is not, and answers where nobody listens."""

from __future__ import annotations

from portula import hookimpl
from portula.plugin import TokenExchange


@hookimpl
def portula_validate_token_request(exchange: TokenExchange) -> bool:
    return "X-Allowed" in exchange.request.headers
