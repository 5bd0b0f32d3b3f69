"""Settings of assertions as grants."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from portula.plugin import AnswersSlot, AsymmetricAlgorithm, PublicKeys, origin_of

PLAIN = "JWT"


class TrustedIssuer(PublicKeys):
    """An issuer of assertions: where its keys are, and what it may have people given."""

    subjects: tuple[str, ...] | None = None
    """What `sub` may be, exactly, or beginning with what stands before a `*` at the end; None for any."""
    scopes: tuple[str, ...] | None = None
    """Scopes that its assertions may be redeemed for; None for whatever the client may have."""
    clients: tuple[str, ...] | None = None
    """Clients that may present its assertions; None for every client with the grant type."""
    types: tuple[str, ...] = Field(default=(PLAIN,), min_length=1)
    """What the `typ` of its assertions may be: `JWT`, which may be absent, or a type that a plugin judges."""


def _resolver(value: Any) -> object:
    if not callable(value):
        raise TypeError("a callable is needed, which is given claims, client and request")
    return value


class JwtBearerSettings(BaseModel):
    """Whose assertions are taken, and for whom."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    JWT_BEARER_GRANT_ENABLED: bool = False
    """Whether assertions are taken. It needs JWT_BEARER_TRUSTED_ISSUERS and a subject resolver."""

    JWT_BEARER_TRUSTED_ISSUERS: dict[str, TrustedIssuer] = Field(default={})
    """Whose assertions are taken, by `iss`, which is compared exactly: for each `jwks` or `jwks_uri`, and `subjects`,
    `scopes`, `clients` and `types` to limit it."""

    JWT_BEARER_SUBJECT_RESOLVER: Annotated[Any, AnswersSlot("jwt_bearer_subject", _resolver)] = None
    """Import string or callable that is given claims, client and request; returns the subject of the person in whose
    name the token is, None to refuse."""

    JWT_BEARER_ALGORITHMS: tuple[AsymmetricAlgorithm, ...] = Field(
        default=("RS256", "PS256", "ES256", "ES384", "EdDSA"), min_length=1
    )
    """Algorithms that an assertion may be signed by."""

    JWT_BEARER_AUDIENCES: tuple[str, ...] = ()
    """What `aud` may be besides the issuer of this provider (RFC 7523 §3); one of them alone, and nobody else's."""

    JWT_BEARER_REQUIRE_JTI: bool = True
    """Whether an assertion needs a `jti`. One that has it counts once."""

    JWT_BEARER_ISSUE_REFRESH_TOKENS: Literal[False] = False
    """A refresh token never goes along: the next assertion takes its place, if the issuer still gives one."""

    JWT_BEARER_ALLOW_PRIVILEGED_SUBJECTS: bool = False
    """Whether a token may be in the name of a person who administers this provider."""

    JWT_BEARER_MAX_ASSERTION_LIFETIME_SECONDS: int = Field(default=300, ge=10, le=3600)
    """How long an assertion may count, from its `iat` and from now."""

    JWT_BEARER_CLOCK_SKEW_SECONDS: int = Field(default=30, ge=0, le=60)
    """How far an issuer's clock may be from ours."""

    @field_validator("JWT_BEARER_TRUSTED_ISSUERS")
    @classmethod
    def _are_issuers(cls, issuers: dict[str, TrustedIssuer]) -> dict[str, TrustedIssuer]:
        for issuer in issuers:
            if origin_of(issuer) is None:
                raise ValueError(f"{issuer!r}: an issuer is a URL")
        return issuers

    @model_validator(mode="after")
    def _trusts_somebody(self) -> Self:
        if self.JWT_BEARER_GRANT_ENABLED and not self.JWT_BEARER_TRUSTED_ISSUERS:
            raise ValueError("JWT_BEARER_GRANT_ENABLED: JWT_BEARER_TRUSTED_ISSUERS names nobody")
        return self
