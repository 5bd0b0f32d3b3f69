"""Settings of authorization requests as JWTs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from portula import Plugin

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer

ASYMMETRIC = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
SYMMETRIC = ("HS256", "HS384", "HS512")


class JarSettings(BaseModel):
    """Which request objects are understood."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    REQUEST_OBJECTS_ENABLED: bool = True
    """Whether the parameter `request` is understood, a request object by value (RFC 9101 §5.1)."""

    REQUEST_URI_ENABLED: bool = False
    """Whether the parameter `request_uri` is understood, a request object by reference (§5.2): this server then fetches
    it from where the client says."""

    REQUEST_URI_MUST_BE_REGISTERED: bool = True
    """Whether a request_uri must be one of the client's `request_uris`."""

    UNSIGNED_REQUEST_OBJECTS_ALLOWED: bool = False
    """Whether request objects may have the algorithm `none`. They then prove no more than plain parameters do."""


def is_on(provider: AuthorizationServer) -> bool:
    """Say whether somebody verifies JWTs here, without whom no request object can be read."""
    return provider.hooks.ruling(Plugin.portula_jose).answer is not None


def algorithms(provider: AuthorizationServer) -> list[str]:
    """Return the algorithms a request object may be signed with (request_object_signing_alg_values_supported)."""
    unsigned = provider.settings(JarSettings).UNSIGNED_REQUEST_OBJECTS_ALLOWED
    return [*ASYMMETRIC, *SYMMETRIC, *(["none"] if unsigned else [])]
