"""Settings of backchannel authentication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from portula.plugin import unknown_scopes

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer

DeliveryMode = Literal["poll", "ping"]
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]

GRANT_TYPE = "urn:openid:params:grant-type:ciba"


class CibaSettings(BaseModel):
    """How long a request waits for its person, how its client hears of the answer, and how many there may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    CIBA_ENABLED: bool = True
    """Whether clients that are registered for the grant type may ask. It takes OpenID Connect (OIDC_ENABLED)."""

    CIBA_DELIVERY_MODES: tuple[DeliveryMode, ...] = Field(default=("poll", "ping"), min_length=1)
    """How clients may hear of the answer (CIBA Core §5): `poll`, they ask now and then; `ping`, they are told that it
    is there, and come for it. Tokens are pushed to nobody."""

    CIBA_REQUEST_EXPIRE_SECONDS: int = Field(default=120, ge=10, le=3600)
    """Seconds for which a request waits for its person, where its client does not ask for another time."""

    CIBA_MAX_EXPIRE_SECONDS: int = Field(default=600, ge=10, le=3600)
    """Seconds for which it waits at the most, whatever the client asks for by `requested_expiry` (CIBA Core §7.1)."""

    CIBA_INTERVAL: int = Field(default=5, ge=1, le=60)
    """Seconds between two polls of a client; one that comes earlier is told to slow down, and has 5 seconds more to
    wait from then on (CIBA Core §11)."""

    CIBA_REQUEST_SIGNING_ALGS: tuple[Algorithm, ...] = Field(
        default=("RS256", "PS256", "ES256", "ES384", "EdDSA"), min_length=1
    )
    """Algorithms that requests may be signed with (CIBA Core §7.1.1). FAPI-CIBA: `PS256`, `ES256`."""

    CIBA_SIGNED_REQUESTS_REQUIRED: bool = False
    """Whether every request has to be signed, as FAPI-CIBA §5.2.2 wants it. A single client is held to that by its
    metadata `backchannel_authentication_request_signing_alg`."""

    CIBA_REQUEST_MAX_LIFETIME_SECONDS: int = Field(default=3600, ge=60, le=3600)
    """Seconds that may lie between `nbf` and `exp` of a signed request, and since its `nbf` (FAPI-CIBA §5.2.2)."""

    CIBA_MAX_REQUESTS_PER_USER: int = Field(default=5, ge=1, le=64)
    """Requests of all clients together that one person may be asked within CIBA_MAX_EXPIRE_SECONDS, but for those that
    they allow, so that nobody is asked until they give in."""

    CIBA_MAX_REQUESTS_PER_CLIENT: int = Field(default=1000, ge=1, le=100_000)
    """Requests of one client that may wait for their people at one time."""

    CIBA_UNKNOWN_USERS_PER_CLIENT: int = Field(default=20, ge=1, le=1000)
    """Hints of one client that may name nobody within ten minutes; then it has to wait, so that it cannot find out who
    has an account."""

    CIBA_USER_CODE_ATTEMPTS: int = Field(default=5, ge=1, le=64)
    """Wrong user codes (CIBA Core §7.1.2) that may be sent for one person within ten minutes."""

    CIBA_ID_TOKEN_HINT_MAX_AGE_SECONDS: int = Field(default=90 * 24 * 3600, ge=60)
    """Seconds since an ID token was issued that may be an `id_token_hint`; whether it has expired does not matter."""

    @model_validator(mode="after")
    def _can_wait_so_long(self) -> Self:
        if self.CIBA_REQUEST_EXPIRE_SECONDS > self.CIBA_MAX_EXPIRE_SECONDS:
            raise ValueError("CIBA_REQUEST_EXPIRE_SECONDS is more than CIBA_MAX_EXPIRE_SECONDS")
        return self


def is_on(provider: AuthorizationServer) -> bool:
    """Say whether clients may ask: it is switched on, and there is the scope openid, which each request needs."""
    return provider.settings(CibaSettings).CIBA_ENABLED and not unknown_scopes(provider, "openid")
