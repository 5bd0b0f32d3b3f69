"""Introspection answers that their issuer signed for this server (RFC 9701 §5), and no others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from portula.errors import UntrustedToken
from portula.plugin import read_object
from portula_resource_server.issuer_keys import IssuerKeys
from portula_resource_server.tokens import typed_member

if TYPE_CHECKING:
    from portula import Provider
    from portula_resource_server.settings import ResourceServerSettings

TYPE = "token-introspection+jwt"
MEDIA_TYPE = f"application/{TYPE}"

Read = Callable[[str, bytes, int], Any]
"""Takes the media type of an answer, its body, and when the question was sent; returns the introspection response.

It raises ValueError for what is none.
"""


def plain(media_type: str, body: bytes, asked_at: int) -> Any:
    """Read an answer in JSON, whoever made it."""
    return read_object(body)


class SignedAnswers:
    """Reads answers. Safe to share between threads."""

    def __init__(self, provider: Provider, settings: ResourceServerSettings) -> None:
        """Take the provider of this process, and the settings, which name the issuer.

        Raises:
            EmptySlot: nobody verifies JWTs here, or nobody fetches the keys.
        """
        self._settings, self._now = settings, provider.now
        self._keys = IssuerKeys(provider)

    def read(self, media_type: str, body: bytes, asked_at: int) -> Any:
        """Return the introspection response of an answer.

        Raises:
            ValueError: it is none of the issuer's for this server, or was made before the question.
            VerifierUnavailable: the keys of the issuer cannot be had.
        """
        if media_type != MEDIA_TYPE:
            raise ValueError("the answer is no JWT")
        settings, leeway = self._settings, self._settings.RESOURCE_SERVER_JWT_LEEWAY_SECONDS
        try:
            claims = self._keys.verify(body.decode("ascii"), TYPE)
        except UntrustedToken as error:
            raise ValueError(f"the answer {error}") from error
        audience = claims.get("aud")
        if claims.get("iss") != settings.RESOURCE_SERVER_ISSUER:
            raise ValueError("the answer is of another issuer (iss)")
        if settings.asks_as not in (audience if isinstance(audience, list) else [audience]):
            raise ValueError("the answer is for another server (aud)")
        made_at = typed_member(claims, "iat", int)
        if made_at is None or not asked_at - leeway <= made_at <= self._now() + leeway:
            raise ValueError("the answer was not made for this question (iat)")
        return claims.get("token_introspection")
