"""Scopes and destinations as pages show them, without characters that deceive the eye."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from portula import Plugin
from portula.plugin import is_loopback_host

if TYPE_CHECKING:
    from portula import Provider


def shown_scopes(provider: Provider, scopes: Sequence[str]) -> list[tuple[str, str]]:
    """Return each scope with its text; one without a text is shown by its name."""
    texts = {**provider.scope_texts, **provider.hooks.ask(Plugin.portula_scopes_backend).get_all_scopes()}
    return [(scope, texts.get(scope) or scope) for scope in scopes]


def shown_destination(redirect_uri: str) -> tuple[str, bool]:
    """Return where a redirect URI leads, and whether that is an app on the person's own device; "" leads nowhere."""
    if not redirect_uri:
        return "", False
    parts = urlsplit(redirect_uri)
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}:", True
    return parts.netloc, is_loopback_host(parts.hostname or "")
