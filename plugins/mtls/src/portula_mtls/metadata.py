"""Server metadata of client certificates (RFC 8705 §3.3, §5)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_mtls.registration import BOUND
from portula_mtls.settings import MtlsSettings, binds, is_on

if TYPE_CHECKING:
    from portula import Provider

ALIASES = "mtls_endpoint_aliases"

_FOR_BROWSERS = ("authorization_endpoint", "end_session_endpoint")
"""Where people go, whose browsers would ask them for a certificate."""


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the members of the server metadata; none while certificates do not count."""
    if not is_on(provider):
        return {}
    members: dict[str, Any] = {BOUND: True} if binds(provider) else {}
    base = provider.settings(MtlsSettings).MTLS_ENDPOINT_BASE_URL
    return members if base is None else {**members, ALIASES: partial(_aliases, provider, base)}


def _aliases(provider: Provider, base: str) -> dict[str, str]:
    """Return the endpoints that programs ask, at the other URL."""
    return {
        name: f"{base}{provider.mount}/{path}"
        for name, path in provider.metadata_document.items()
        if name.endswith("_endpoint") and name not in _FOR_BROWSERS and ":" not in str(path)
    }
