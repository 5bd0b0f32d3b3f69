"""Verifies access tokens that are JWTs by the keys that their issuer publishes (RFC 9068 §4)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import UntrustedToken
from portula_resource_server.audience import audience_of
from portula_resource_server.issuer_keys import IssuerKeys
from portula_resource_server.settings import ResourceServerSettings
from portula_resource_server.tokens import TokenVerifier, VerifiedToken, typed_member

if TYPE_CHECKING:
    from portula import Provider

log = logging.getLogger("portula")

TYPE = "at+jwt"
_REQUIRED: Mapping[str, type] = {"iss": str, "exp": int, "sub": str, "client_id": str, "iat": int, "jti": str}
"""RFC 9068 §2.2, with `aud`, which may be a list."""


class JwtVerifier:
    """A token verifier that asks nobody but for keys. Safe to share between threads."""

    def __init__(self, provider: Provider, introspected: TokenVerifier | None) -> None:
        """Take the provider, and what verifies tokens that are no JWTs of the issuer, None where nothing does.

        Raises:
            EmptySlot: nobody verifies JWTs here, or nobody fetches their keys.
        """
        self._provider = provider
        self._settings = provider.settings(ResourceServerSettings)
        self._jose = provider.hooks.ask(Plugin.portula_jose)
        self._keys = IssuerKeys(provider)
        self._introspected = introspected

    def __call__(self, token: str) -> VerifiedToken | None:
        """Return what is known of a token, None when it does not count.

        Raises:
            VerifierUnavailable: the keys of the issuer cannot be had, or introspection gives no answer.
        """
        if not self._is_of_issuer(token):
            return self._introspected(token) if self._introspected is not None else None
        try:
            verified = self._verify(token)
        except (UntrustedToken, ValueError) as error:
            log.info("an access token is refused: %s", error)
            return None
        confirmed = self._introspected if self._settings.RESOURCE_SERVER_JWT_INTROSPECTED else None
        return verified if confirmed is None or confirmed(token) is not None else None

    def _is_of_issuer(self, token: str) -> bool:
        """Say whether a token claims to be the issuer's; nothing of it is believed yet."""
        try:
            return self._jose.read(token).claims.get("iss") == self._settings.RESOURCE_SERVER_ISSUER
        except UntrustedToken:
            return False

    def _verify(self, token: str) -> VerifiedToken:
        """Return an access token of the issuer that counts now.

        Raises:
            UntrustedToken, VerifierUnavailable: see `IssuerKeys.verified`.
            ValueError: a claim is missing, or says that it does not count now.
        """
        claims = self._keys.verify(token, TYPE)
        self._check(claims)
        verified = VerifiedToken.of(claims)
        if not audience_of(verified):
            raise ValueError("is for nobody (aud)")
        own = claims["sub"] == claims["client_id"]  # of the client itself (RFC 9068 §2.2)
        return replace(verified, subject=None) if own else verified

    def _check(self, claims: Mapping[str, Any]) -> None:
        """Require the claims of RFC 9068 §2.2, and times of now."""
        for name, kind in _REQUIRED.items():
            if typed_member(claims, name, kind) is None:
                raise ValueError(f"has no {name}")
        now, leeway = self._provider.now(), self._settings.RESOURCE_SERVER_JWT_LEEWAY_SECONDS
        if claims["exp"] + leeway <= now:
            raise ValueError("has expired")
        if max(claims["iat"], typed_member(claims, "nbf", int) or 0) > now + leeway:
            raise ValueError("is of the future (iat, nbf)")
