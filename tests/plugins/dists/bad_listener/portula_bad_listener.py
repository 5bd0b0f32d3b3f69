"""Hears that tokens were issued, and falls over."""

from portula import hookimpl


@hookimpl
def portula_token_issued(event):
    raise RuntimeError(f"no room for {event.grant_type}")
