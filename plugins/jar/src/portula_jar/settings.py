"""Settings of authorization requests as JWTs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from portula import Plugin

if TYPE_CHECKING:
    from portula.plugin import Application, AuthorizationServer

Algorithm = Literal["RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256", "HS384", "HS512"]
REQUIRED = "require_signed_request_object"
RequiredClaim = Literal["iss", "aud", "exp", "nbf", "iat", "jti"]


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

    REQUEST_OBJECT_SIGNING_ALGS: tuple[Algorithm, ...] = Field(default=get_args(Algorithm), min_length=1)
    """Algorithms that request objects may be signed with; those that begin with HS need secrets that are kept
    encrypted."""

    UNSIGNED_REQUEST_OBJECTS_ALLOWED: bool = False
    """Whether request objects may have the algorithm `none`. They then prove no more than plain parameters do."""

    REQUIRE_SIGNED_REQUEST_OBJECT: bool = False
    """Whether every authorization request has to be a signed request object (§10.5). A single client is held to that by
    its metadata `require_signed_request_object`."""

    REQUEST_OBJECT_MAX_LIFETIME_SECONDS: int | None = Field(default=None, ge=60, le=86400)
    """How long a request object may count, from its `nbf`, or without one from now, to its `exp`, which it needs then;
    an `nbf` that is longer ago is refused too. FAPI 2.0 Message Signing: 3600. None: as long as the client says."""

    REQUEST_OBJECT_REQUIRED_CLAIMS: tuple[RequiredClaim, ...] = ()
    """Which of `iss`, `aud`, `exp`, `nbf`, `iat`, `jti` a request object has to have. FAPI 2.0 Message Signing: `aud`,
    `exp`, `nbf`."""

    @model_validator(mode="after")
    def _can_be_required(self) -> Self:
        if self.REQUIRE_SIGNED_REQUEST_OBJECT and not (
            self.REQUEST_OBJECTS_ENABLED or self.REQUEST_URI_ENABLED
        ):
            raise ValueError(
                "REQUIRE_SIGNED_REQUEST_OBJECT needs REQUEST_OBJECTS_ENABLED or REQUEST_URI_ENABLED"
            )
        return self


def is_on(provider: AuthorizationServer) -> bool:
    """Say whether somebody verifies JWTs here, without whom no request object can be read."""
    return provider.hooks.ruling(Plugin.portula_jose).answer is not None


def algorithms(provider: AuthorizationServer, client: Application | None = None) -> list[str]:
    """Return the algorithms a request object may be signed with (request_object_signing_alg_values_supported)."""
    settings = provider.settings(JarSettings, client)
    return [
        *settings.REQUEST_OBJECT_SIGNING_ALGS,
        *(["none"] if settings.UNSIGNED_REQUEST_OBJECTS_ALLOWED else []),
    ]


def is_required(provider: AuthorizationServer, client: Application | None) -> bool:
    """Say whether requests of a client have to be signed request objects (RFC 9101 §10.5)."""
    settings = provider.settings(JarSettings, client)
    of_client = client is not None and client.metadata.get(REQUIRED) is True
    return settings.REQUIRE_SIGNED_REQUEST_OBJECT or (of_client and is_on(provider))
