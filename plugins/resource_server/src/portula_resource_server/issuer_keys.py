"""Verifies what an issuer signed, by the keys at the address that the settings say, or its metadata (RFC 8414 §3)."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from portula import Plugin
from portula.errors import FetchFailed, KeysUnavailable
from portula.plugin import Application, read_object
from portula_resource_server.settings import ResourceServerSettings
from portula_resource_server.tokens import VerifierUnavailable

if TYPE_CHECKING:
    from portula import Provider

log = logging.getLogger("portula")

METADATA_SECONDS = 3600
"""How long the metadata is believed."""
RETRY_SECONDS = 10
"""Seconds between two attempts to read it, however many tokens come."""


class IssuerKeys:
    """Knows the address of the keys. Safe to share between threads."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider of this process.

        Raises:
            EmptySlot: nobody verifies JWTs here, or nobody fetches their keys.
        """
        settings = provider.settings(ResourceServerSettings)
        self._issuer, self._url = settings.RESOURCE_SERVER_ISSUER or "", settings.RESOURCE_SERVER_JWKS_URL
        self._discovered = self._url is None
        self._algorithms, self._now = settings.RESOURCE_SERVER_JWT_ALGS, provider.now
        self._jose = provider.hooks.ask(Plugin.portula_jose)
        self._fetcher = provider.hooks.ask(Plugin.portula_fetcher)
        self._lock = threading.Lock()
        self._asks_at = 0

    def verify(self, token: str, typ: str) -> Mapping[str, Any]:
        """Return the claims of a token that the issuer signed; `iss` and times are judged by who asks.

        Raises:
            UntrustedToken: it is of another type (attack S44), or not signed by the issuer (attack S40).
            VerifierUnavailable: the keys cannot be had now.
        """
        issuer = Application(client_id=self._issuer, metadata={"jwks_uri": self._address()})
        try:
            return self._jose.verify_of_client(token, issuer, algorithms=self._algorithms, typ=(typ,)).claims
        except KeysUnavailable as error:
            message = "the keys of the issuer cannot be fetched now"
            raise VerifierUnavailable(message, error.retry_after) from error

    def _address(self) -> str:
        """Return the address. One that was found goes on while one thread reads the metadata again, or nobody can.

        Raises:
            VerifierUnavailable: it is not known, and the issuer does not tell it now.
        """
        if self._is_due() and self._lock.acquire(blocking=self._url is None):
            try:
                if self._is_due():
                    found = self._discover()
                    self._asks_at = self._now() + (RETRY_SECONDS if found is None else METADATA_SECONDS)
                    self._url = found or self._url
            finally:
                self._lock.release()
        if self._url is None:
            wait = max(self._asks_at - self._now(), 1)
            raise VerifierUnavailable(f"the metadata of {self._issuer} cannot be read now", wait)
        return self._url

    def _is_due(self) -> bool:
        return self._discovered and self._now() >= self._asks_at

    def _discover(self) -> str | None:
        """Return what the metadata says; None where it cannot be read, or is another issuer's (RFC 8414 §3.3)."""
        try:
            answer = self._fetcher.get(metadata_url(self._issuer), accept=("application/json",))
            metadata = read_object(answer.body)
        except (FetchFailed, ValueError) as error:
            log.warning("the metadata of %s cannot be read: %s", self._issuer, error)
            return None
        found = metadata.get("jwks_uri")
        if metadata.get("issuer") != self._issuer or not isinstance(found, str):
            log.warning("the metadata of %s is another issuer's, or names no keys", self._issuer)
            return None
        return found


def metadata_url(issuer: str) -> str:
    """Return where an issuer publishes its metadata, a well-known name in front of its path (RFC 8414 §3.1)."""
    parts = urlsplit(issuer)
    return f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{parts.path.rstrip('/')}"
