"""Credentials of a resource server at an introspection endpoint (RFC 7662 §2.1)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from portula import Plugin
from portula.errors import ConfigError, JoseError

if TYPE_CHECKING:
    from portula import Provider
    from portula_resource_server.settings import ResourceServerSettings

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_KEY = "RESOURCE_SERVER_INTROSPECTION_JWT_PRIVATE_KEY"


def authorization(settings: ResourceServerSettings) -> dict[str, str]:
    """Return the header; both parts of Basic are form-encoded first (RFC 6749 §2.3.1). Assertions need none."""
    if settings.RESOURCE_SERVER_AUTH_TOKEN is not None:
        return {"Authorization": f"Bearer {settings.RESOURCE_SERVER_AUTH_TOKEN}"}
    if settings.asserts:
        return {}
    pair = ":".join(quote_plus(part) for part in settings.RESOURCE_SERVER_INTROSPECTION_CREDENTIALS or ())
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


class Assertions:
    """Authenticates by `private_key_jwt` (RFC 7523 §2.2): a new assertion for each question."""

    def __init__(self, provider: Provider, settings: ResourceServerSettings) -> None:
        """Take the provider, whose clock counts, and the settings; the key is read once.

        Raises:
            EmptySlot: nothing here signs.
            ConfigError: the key does not sign.
        """
        self._now, self._settings = provider.now, settings
        try:
            self._sign = provider.hooks.ask(Plugin.portula_jose).signer_of(
                settings.RESOURCE_SERVER_INTROSPECTION_JWT_PRIVATE_KEY or "",
                algorithm=settings.RESOURCE_SERVER_INTROSPECTION_JWT_ALG,
                kid=settings.RESOURCE_SERVER_INTROSPECTION_JWT_KID,
            )
        except JoseError as error:
            raise ConfigError(f"{_KEY}: {error}") from error

    def form(self) -> Mapping[str, str]:
        """Return the parameters of a question (RFC 7521 §4.2)."""
        settings, now = self._settings, self._now()
        client_id = settings.RESOURCE_SERVER_INTROSPECTION_JWT_CLIENT_ID
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": settings.RESOURCE_SERVER_INTROSPECTION_JWT_AUDIENCE or settings.RESOURCE_SERVER_ISSUER,
            "iat": now,
            "exp": now + settings.RESOURCE_SERVER_INTROSPECTION_JWT_LIFETIME,
            "jti": secrets.token_urlsafe(16),
        }
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._sign(claims, "JWT")}
