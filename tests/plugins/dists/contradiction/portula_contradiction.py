"""Takes a request for what it is not, and answers where nobody listens."""

from __future__ import annotations

from flask import Request

from portula import hookimpl


@hookimpl
def portula_validate_token_request(exchange: Request) -> bool:
    return "X-Allowed" in exchange.headers
