"""Settings of keys and tokens."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from portula_jose.encryption import ContentEncryption, KeyManagement
from portula_jose.pem import RsaPem

SigningAlgorithm = Literal["RS256", "PS256", "ES256", "ES384", "EdDSA"]
"""What this room signs with."""

DAY = 24 * 3600


def _private(pem: str) -> str:
    return RsaPem.private(pem) if pem else ""


class JoseSettings(BaseModel):
    """Keys that sign, and how tokens are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    OIDC_RSA_PRIVATE_KEY: Annotated[str, AfterValidator(_private)] = Field(default="", repr=False)
    """PEM of the RSA key that signs tokens, 2048 bits or more, not encrypted; line ends may be written as `\\n`.
    Empty: keys are generated and kept encrypted in the storage."""

    OIDC_RSA_PRIVATE_KEYS_INACTIVE: tuple[Annotated[str, AfterValidator(RsaPem.any)], ...] = Field(
        default=(), repr=False
    )
    """PEMs of RSA keys, private or public, that no longer sign or do not sign yet; their public parts are published."""

    OIDC_JWKS_MAX_AGE_SECONDS: int = Field(default=3600, ge=0, le=7 * DAY)
    """Seconds for which others may keep our published keys; a generated key is published at least this long before
    it signs. Caches may serve a copy for as long again while they renew it (RFC 5861)."""

    SIGNING_ALGORITHMS: tuple[SigningAlgorithm, ...] = ("RS256", "PS256", "ES256", "ES384", "EdDSA")
    """Algorithms that tokens may be signed with; RS256 is always among them (OpenID Connect Core §15.1), unless a
    profile says otherwise. A configured RSA key does RS256 and PS256."""

    SIGNING_WITH_CLIENT_SECRETS: bool = True
    """Whether tokens for a client may be signed with its secret (HS256, HS384, HS512), where it is registered so."""

    ENCRYPTION_ALGORITHMS: tuple[KeyManagement, ...] = get_args(KeyManagement)
    """Algorithms by which keys of encrypted tokens may be managed (RFC 7518 §4.1); `dir` and those that begin with A
    take a client's secret, where it can be read. Empty: nothing is encrypted, nor decrypted."""

    CONTENT_ENCRYPTIONS: tuple[ContentEncryption, ...] = Field(
        default=get_args(ContentEncryption), min_length=1
    )
    """What the content of encrypted tokens may be encrypted with (RFC 7518 §5.1). A client that names none has
    A128CBC-HS256 (OpenID Connect Registration §2)."""

    SIGNING_KEYS_GENERATED: bool | None = None
    """Whether keys are generated and stored for the algorithms that no configured key does. None: only when
    no key is configured at all."""

    SIGNING_KEY_RSA_BITS: Literal[2048, 3072, 4096] = 2048
    """Size of generated RSA keys; RFC 7518 §3.3 asks for 2048 or more."""

    SIGNING_KEY_ROTATION_SECONDS: int | None = Field(default=90 * DAY, ge=DAY)
    """Seconds after which a generated key is followed by a new one. None: only by `portula keys rotate`."""

    SIGNING_KEY_RETIRING_SECONDS: int = Field(default=14 * DAY, ge=3600)
    """Seconds for which a generated key stays published after its last signature: as long as tokens signed by it may
    be verified, ID tokens that come back as id_token_hint included."""

    JWT_MAX_BYTES: int = Field(default=16 * 1024, ge=1024, le=1024 * 1024)
    """Bytes that a token shown to us may have; a larger one is refused unread."""

    CLIENT_JWKS_CACHE_SECONDS: int = Field(default=3600, ge=60, le=7 * DAY)
    """Seconds for which the keys at a client's jwks_uri are kept, unless its answer says less."""

    CLIENT_JWKS_MIN_CACHE_SECONDS: int = Field(default=60, ge=0, le=3600)
    """Seconds for which they are kept at the least, whatever the answer says."""

    CLIENT_JWKS_REFETCH_SECONDS: int = Field(default=10, ge=1, le=3600)
    """Seconds between two requests to one jwks_uri, however many tokens with unknown keys come or requests fail."""

    CLIENT_JWKS_MAX_BYTES: int = Field(default=64 * 1024, ge=1024, le=1024 * 1024)
    """Bytes that the answer of a jwks_uri may have."""

    @field_validator("SIGNING_ALGORITHMS")
    @classmethod
    def _with_rs256(cls, algorithms: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "RS256" not in algorithms and "SIGNING_ALGORITHMS" not in (info.context or ()):
            raise ValueError(
                "RS256 is one of them: every OpenID Provider signs with it (OpenID Connect Core §15.1)"
            )
        return tuple(dict.fromkeys(algorithms))
