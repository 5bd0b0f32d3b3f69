"""A rule with a fault in it."""

from portula import hookimpl


@hookimpl
def portula_validate_token_request(request):
    return {}[request.client_id]
