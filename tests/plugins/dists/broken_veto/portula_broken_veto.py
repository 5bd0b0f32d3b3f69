"""A rule with a fault in it."""

from portula import hookimpl


@hookimpl
def portula_validate_token_request(exchange):
    return {}[exchange.request.client_id]
