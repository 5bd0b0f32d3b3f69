"""Server metadata of client authentication by assertions (RFC 8414 §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula_client_assertion.methods import algorithms_in_use

if TYPE_CHECKING:
    from portula import Provider

ENDPOINTS = ("token", "revocation", "introspection")
"""Where clients authenticate, as far as RFC 8414 names algorithms; what is not mounted is left out by the fold."""


def members(provider: Provider) -> dict[str, Any]:
    """Return the algorithms, required wherever a method that signs is named; `none` is not among them."""
    known = [name for algorithms in algorithms_in_use(provider).values() for name in algorithms]
    return {f"{endpoint}_endpoint_auth_signing_alg_values_supported": known for endpoint in ENDPOINTS}
