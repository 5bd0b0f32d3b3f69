"""What pages show of clients and scopes: nothing that could deceive the eye."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from portula.pages import shown_name
from portula.uris import is_loopback_host

if TYPE_CHECKING:
    from portula import Provider
    from portula.records import Application

SHOWN_METADATA = ("logo_uri", "client_uri", "policy_uri", "tos_uri")
"""RFC 7591 §2: the human-readable links of a client."""


def shown_client(client: Application) -> dict[str, Any]:
    """Return a client's name and links for a template."""
    return {"name": shown_name(client.name), **{name: client.metadata.get(name) for name in SHOWN_METADATA}}


def shown_scopes(provider: Provider, scopes: Sequence[str]) -> list[tuple[str, str]]:
    """Return each scope with its text; one without a text is shown by its name."""
    texts = {**provider.scope_texts, **provider.hooks.scopes_backend.get_all_scopes()}
    return [(scope, texts.get(scope) or scope) for scope in scopes]


def shown_destination(redirect_uri: str) -> tuple[str, bool]:
    """Return where a redirect URI leads, and whether that is an app on the person's own device."""
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:", True
    return parts.netloc, is_loopback_host(parts.hostname or "")
