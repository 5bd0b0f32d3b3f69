"""Settings of access tokens as JWTs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ImportString, field_validator

OPAQUE, JWT = "opaque", "jwt"


class JwtAccessTokensSettings(BaseModel):
    """Which access tokens are JWTs, and how those are signed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ACCESS_TOKEN_FORMAT: Literal["opaque", "jwt"] | ImportString[Callable[..., str]] = "opaque"
    """Form of access tokens: `opaque` for a random value, `jwt` for RFC 9068, or a callable, or its dotted name, that
    returns one of the two words. It is given the client and the resources that the authorization or the request names.
    A client that is registered with `jwt_access_token` has its own form, unless a callable decides."""

    ACCESS_TOKEN_JWT_ALG: str | None = None
    """Algorithm that they are signed with (RFC 7518 §3.1), one of SIGNING_ALGORITHMS. None, and for a client
    whose own profile leaves it out: that of the client's ID tokens where it is asymmetric, else RS256, which every
    resource server knows (RFC 9068 §2.1), or where a profile leaves that out, the first that it allows."""

    @field_validator("ACCESS_TOKEN_FORMAT", mode="before")
    @classmethod
    def _word_or_callable(cls, value: Any) -> Any:
        dotted = isinstance(value, str) and ("." in value or ":" in value)
        if value not in (OPAQUE, JWT) and not callable(value) and not dotted:
            raise ValueError("it is 'opaque', 'jwt', or a callable of client and resources")
        return value
