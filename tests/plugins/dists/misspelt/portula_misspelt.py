"""A rule that nobody would ever ask."""

from portula import hookimpl


@hookimpl
def portula_validate_token_requests(request):
    raise PermissionError
