"""Server metadata of introspection (RFC 8414 §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portula import Provider


def members(provider: Provider) -> dict[str, Any]:
    """Return the members of the server metadata; `none` is left out, for public clients are refused."""
    return {
        "introspection_endpoint": "introspect/",
        "introspection_endpoint_auth_methods_supported": [
            name for name in provider.client_auth_methods if name != "none"
        ],
    }
