"""Authorization of the Model Context Protocol, revision 2026-07-28: OAuth 2.1 for clients that nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from portula.plugin import (
    Application,
    Floor,
    Profile,
    ProfileViolation,
    RequiredSetting,
    is_loopback_host,
    uri_host,
    uri_scheme,
)
from portula_profiles.clients import not_allowed, oauth21_client
from portula_profiles.oauth21 import OAUTH21

HOUR = 3600


def _first_resource(look_up: Callable[[str], Any]) -> str | None:
    return next(iter(look_up("PROTECTED_RESOURCES") or ()), None)


def mcp_client(application: Application) -> Iterator[ProfileViolation]:
    """Yield what OAuth 2.1 does not allow, redirects that are neither https nor to the own computer, and trust."""
    yield from oauth21_client(application)
    if application.skip_authorization:
        yield not_allowed("skip_authorization", True, "false")
    for uri in application.redirect_uris:
        if uri_scheme(uri) == "http" and not is_loopback_host(uri_host(uri) or ""):
            yield not_allowed("redirect_uris", uri, "https, or http on loopback")


MCP = Profile(
    name="mcp",
    floors=(
        *OAUTH21.floors,
        Floor.at_most("ACCESS_TOKEN_EXPIRE_SECONDS", HOUR, HOUR),
        Floor(
            setting="EXTRA_SERVER_KWARGS",
            allows=lambda found: "token_expires_in" not in found,
            allowed="arguments without token_expires_in; ACCESS_TOKEN_EXPIRE_SECONDS says how long tokens live",
            default={},
        ),
        Floor.exactly("CIMD_ENABLED", True),
        Floor.exactly("REQUEST_APPROVAL_PROMPT", "force"),
        Floor(
            setting="RESOURCE_INDICATORS_DEFAULT",
            allows=lambda found: found is not None,
            allowed="one of PROTECTED_RESOURCES, so that every token is for a server",
            default=_first_resource,
        ),
    ),
    needs=(
        RequiredSetting(text="tokens for single servers (RFC 8707)", settings=("PROTECTED_RESOURCES",)),
        RequiredSetting(
            text="metadata of resources (RFC 9728)",
            settings=("OAUTH2_PROTECTED_RESOURCE_BEARER_METHODS_SUPPORTED",),
        ),
        RequiredSetting(text="clients that are known by a document", settings=("CIMD_ENABLED",)),
    ),
    client=mcp_client,
)
