"""Settings of signed assertions."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from portula.plugin import AsymmetricAlgorithm

SecretAlgorithm = Literal["HS256", "HS384", "HS512"]
Audience = Literal["issuer", "token_endpoint", "endpoint"]

PRIVATE_KEY_JWT = "private_key_jwt"
CLIENT_SECRET_JWT = "client_secret_jwt"


class ClientAssertionSettings(BaseModel):
    """What an assertion may be signed with, whom it has to name, and how long it may live."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS: tuple[AsymmetricAlgorithm, ...] = (
        "RS256",
        "PS256",
        "ES256",
        "ES384",
        "EdDSA",
    )
    """Algorithms of private_key_jwt; empty switches it off. FAPI 2.0 allows PS256, ES256 and EdDSA."""

    CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS: tuple[SecretAlgorithm, ...] = ("HS256", "HS384", "HS512")
    """Algorithms of client_secret_jwt; empty switches it off. It needs secrets that are kept encrypted."""

    CLIENT_ASSERTION_ACCEPTED_AUDIENCES: tuple[Audience, ...] = Field(default=("issuer",), min_length=1)
    """What `aud` may name: `issuer`; `token_endpoint`, its URL, which OpenID Connect Core §9 suggests; `endpoint`, the
    URL that is asked. Only the issuer cannot be mistaken for another server (attack S45)."""

    CLIENT_ASSERTION_AUDIENCE_LISTS: bool = False
    """Whether `aud` may be a list, every member of which is accepted. False: it is one string."""

    CLIENT_ASSERTION_MAX_LIFETIME: int = Field(default=300, ge=10, le=3600)
    """Seconds that `exp` may lie ahead. That long, and the leeway, each `jti` is remembered."""

    CLIENT_ASSERTION_LEEWAY: int = Field(default=60, ge=0, le=300)
    """Seconds by which a client's clock may differ from ours."""


def algorithms_of(settings: ClientAssertionSettings, method: str) -> tuple[str, ...]:
    """Return the algorithms of a method, none where it is switched off."""
    if method == PRIVATE_KEY_JWT:
        return settings.CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS
    return settings.CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS
