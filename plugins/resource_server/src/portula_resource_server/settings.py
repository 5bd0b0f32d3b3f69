"""Settings of resource servers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Annotated, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ImportString,
    ValidationInfo,
    field_validator,
    model_validator,
)

from portula.plugin import is_loopback_host, origin_of

_AUTH_TOKEN, _CREDENTIALS = "RESOURCE_SERVER_AUTH_TOKEN", "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS"
_ASSERTED = ("RESOURCE_SERVER_INTROSPECTION_JWT_CLIENT_ID", "RESOURCE_SERVER_INTROSPECTION_JWT_PRIVATE_KEY")
_AUDIENCES = ("RESOURCE_SERVER_INTROSPECTION_JWT_AUDIENCE", "RESOURCE_SERVER_ISSUER")


def zone(name: str) -> tzinfo:
    """Return a time zone by name; UTC needs no data."""
    return UTC if name == "UTC" else ZoneInfo(name)


class ResourceServerSettings(BaseModel):
    """How bearer tokens are checked when the provider is in another process, and what a refusal says."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ERROR_RESPONSE_WITH_SCOPES: bool = False
    """Whether the error insufficient_scope names the scopes that are needed (RFC 6750 §3), so that a client can ask for
    them. It holds for every decorator; in django-oauth-toolkit only for Django REST framework."""

    AUTHENTICATION_SERVER_EXP_TIME_ZONE: str = "UTC"
    """Time zone, as in `Europe/Berlin`, of an introspection endpoint that makes `exp` of its local time as if that were
    UTC. By RFC 7662 §2.2 there is no zone to tell: leave it, unless tokens end hours too early or too late."""

    RESOURCE_SERVER_AUDIENCES: tuple[str, ...] = ()
    """Names by which tokens are for this server, compared as they are written (RFC 8707 §2). In the process of the
    provider tokens for its own URL, or for one that the request is below of, count besides."""

    RESOURCE_SERVER_TOKEN_RESOURCE_VALIDATOR: ImportString[Callable[[str, list[str]], bool]] | None = None
    """Callable of the URL of a request and the audience of its token, or its dotted name; it says in place of the
    comparison of URLs whether the token may be used."""

    RESOURCE_SERVER_ISSUER: str | None = None
    """Issuer, exactly as its metadata spells it, whose access tokens are JWTs (RFC 9068): they are verified here by its
    keys, and have to name one of RESOURCE_SERVER_AUDIENCES. None: nothing is verified so."""

    RESOURCE_SERVER_JWKS_URL: str | None = None
    """Where the keys of RESOURCE_SERVER_ISSUER are; https. None: its metadata says so (RFC 8414)."""

    RESOURCE_SERVER_JWT_ALGS: tuple[str, ...] = Field(
        default=("RS256", "PS256", "ES256", "ES384", "EdDSA"), min_length=1
    )
    """Algorithms that JWTs of RESOURCE_SERVER_ISSUER may be signed with (RFC 7518 §3.1), asymmetric ones alone."""

    RESOURCE_SERVER_JWT_LEEWAY_SECONDS: int = Field(default=10, ge=0, le=60)
    """Seconds by which the clock of RESOURCE_SERVER_ISSUER may differ from ours."""

    RESOURCE_SERVER_JWT_INTROSPECTED: bool = False
    """Whether a JWT that is verified is asked about at RESOURCE_SERVER_INTROSPECTION_URL besides, so that one which is
    revoked counts no longer than RESOURCE_SERVER_TOKEN_CACHING_SECONDS. Else it counts until it expires."""

    RESOURCE_SERVER_AUTH_TOKEN: str | None = Field(
        default=None, repr=False, pattern=r"^[A-Za-z0-9\-._~+/]+=*$", examples=["mF_9.B5f-4.1JqM"]
    )
    """Bearer token with the scope `introspection` for asking (RFC 6750 §2.1). It wins over all other ways."""

    RESOURCE_SERVER_INTROSPECTION_CREDENTIALS: (
        tuple[Annotated[str, Field(min_length=1)], Annotated[str, Field(min_length=1)]] | None
    ) = Field(default=None, repr=False)
    """client_id and client_secret of a confidential client, for asking by HTTP Basic (RFC 6749 §2.3.1)."""

    RESOURCE_SERVER_INTROSPECTION_JWT_CLIENT_ID: str | None = Field(default=None, min_length=1)
    """client_id of a client that asks by `private_key_jwt` (RFC 7523 §2.2), in place of the credentials."""

    RESOURCE_SERVER_INTROSPECTION_JWT_PRIVATE_KEY: str | None = Field(default=None, min_length=1, repr=False)
    """Private key of that client in PEM, RSA, EC or Ed25519; the provider knows the public one by `jwks`."""

    RESOURCE_SERVER_INTROSPECTION_JWT_ALG: str | None = None
    """Algorithm that the key signs with (RFC 7518 §3.1). None: the first that it fits, RS256 for RSA."""

    RESOURCE_SERVER_INTROSPECTION_JWT_AUDIENCE: str | None = Field(default=None, min_length=1)
    """Whom the assertion is for: the issuer, exactly as its metadata spells it. None: RESOURCE_SERVER_ISSUER."""

    RESOURCE_SERVER_INTROSPECTION_JWT_KID: str | None = Field(default=None, min_length=1, max_length=255)
    """Name of the key in `jwks`, where it has one there."""

    RESOURCE_SERVER_INTROSPECTION_JWT_LIFETIME: int = Field(default=60, ge=1, le=300)
    """Seconds until an assertion expires."""

    RESOURCE_SERVER_INTROSPECTION_SIGNED: bool = False
    """Whether answers have to be JWTs that RESOURCE_SERVER_ISSUER signed for this server, after it asked (RFC 9701).
    Any other is none, and the request is answered 503. They are asked for by the header `Accept`."""

    RESOURCE_SERVER_TOKEN_CACHING_SECONDS: int = Field(default=60, ge=0)
    """Seconds for which a positive answer is believed, never longer than the token lives; 0 asks each time. A token
    that is revoked counts that long. django-oauth-toolkit's default is 36000."""

    RESOURCE_SERVER_INTROSPECTION_TIMEOUT_SECONDS: float = Field(default=5, gt=0, le=60)
    """Seconds to wait for an answer before the request is answered 503."""

    RESOURCE_SERVER_INTROSPECTION_URL: str | None = None
    """Introspection endpoint (RFC 7662) of the provider that issues the tokens; https, or http on loopback. With
    RESOURCE_SERVER_ISSUER it is asked about what is no JWT of that. With neither of the two, tokens are checked by the
    provider in this process."""

    @field_validator("AUTHENTICATION_SERVER_EXP_TIME_ZONE")
    @classmethod
    def _a_zone(cls, name: str) -> str:
        try:
            zone(name)
        except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
            raise ValueError(f"{name!r} is no time zone") from error
        except KeyError as error:
            raise ValueError(
                f"the time zone {name!r} is not known here; is the package tzdata installed?"
            ) from error
        return name

    @property
    def issuer_is_elsewhere(self) -> bool:
        """Whether tokens are those of a provider in another process."""
        return self.RESOURCE_SERVER_INTROSPECTION_URL is not None or self.RESOURCE_SERVER_ISSUER is not None

    @field_validator("RESOURCE_SERVER_ISSUER", "RESOURCE_SERVER_JWKS_URL")
    @classmethod
    def _of_an_issuer(cls, url: str | None) -> str | None:
        if url is not None and ((origin_of(url) or "").partition(":")[0] != "https" or "#" in url):
            raise ValueError("an https URL without user and fragment is needed")
        return url

    @field_validator("RESOURCE_SERVER_JWT_ALGS")
    @classmethod
    def _asymmetric(cls, algorithms: tuple[str, ...]) -> tuple[str, ...]:
        shared = [name for name in algorithms if name.lower() == "none" or name.startswith("HS")]
        if shared:
            raise ValueError(f"{shared[0]!r} is signed by nobody, or by a secret; only asymmetric ones count")
        return algorithms

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        """Require what RFC 9068 §4 has compared, and what the other settings stand on."""
        if self.RESOURCE_SERVER_ISSUER is None:
            if self.RESOURCE_SERVER_JWKS_URL is not None or self.RESOURCE_SERVER_JWT_INTROSPECTED:
                raise ValueError(
                    "RESOURCE_SERVER_JWKS_URL and RESOURCE_SERVER_JWT_INTROSPECTED need RESOURCE_SERVER_ISSUER"
                )
            return self
        if not self.RESOURCE_SERVER_AUDIENCES and self.RESOURCE_SERVER_TOKEN_RESOURCE_VALIDATOR is None:
            raise ValueError(
                "RESOURCE_SERVER_ISSUER needs RESOURCE_SERVER_AUDIENCES: whom tokens for this server name"
            )
        if self.RESOURCE_SERVER_JWT_INTROSPECTED and self.RESOURCE_SERVER_INTROSPECTION_URL is None:
            raise ValueError("RESOURCE_SERVER_JWT_INTROSPECTED needs RESOURCE_SERVER_INTROSPECTION_URL")
        return self

    @field_validator("RESOURCE_SERVER_INTROSPECTION_URL")
    @classmethod
    def _may_carry_tokens(cls, url: str | None, info: ValidationInfo) -> str | None:
        """Look at the URL and, since it is declared last, at what authenticates the caller there."""
        if url is None:
            return None
        parts = urlsplit(url)
        if (
            parts.scheme not in ("https", "http")
            or not parts.hostname
            or "@" in parts.netloc
            or parts.fragment
        ):
            raise ValueError("an https URL without user and fragment is needed")
        _ = parts.port  # ValueError for a port that is none
        if parts.scheme == "http" and not is_loopback_host(parts.hostname):
            raise ValueError("http is for loopback only; use https")
        given = {name: info.data.get(name, "refused") for name in (_AUTH_TOKEN, _CREDENTIALS, *_ASSERTED)}
        if not any(given.values()):
            raise ValueError(f"it needs {_AUTH_TOKEN}, {_CREDENTIALS} or {_ASSERTED[0]}")
        missing = [name for name in _ASSERTED if given[name] is None]
        if len(missing) == 1:
            raise ValueError(f"{missing[0]} is needed too")
        if not missing and not any(info.data.get(name, "refused") for name in _AUDIENCES):
            raise ValueError(f"{_AUDIENCES[0]} is needed too")
        return url

    @model_validator(mode="after")
    def _can_verify_answers(self) -> Self:
        """Require what a signed answer is compared with (RFC 9701 §5)."""
        known = self.RESOURCE_SERVER_ISSUER and self.RESOURCE_SERVER_INTROSPECTION_URL and self.asks_as
        if self.RESOURCE_SERVER_INTROSPECTION_SIGNED and not known:
            raise ValueError(
                "RESOURCE_SERVER_INTROSPECTION_SIGNED needs RESOURCE_SERVER_ISSUER, RESOURCE_SERVER_INTROSPECTION_URL "
                f"and, since answers name who asks, {_CREDENTIALS} or {_ASSERTED[0]} in place of {_AUTH_TOKEN}"
            )
        return self

    @property
    def asks_as(self) -> str | None:
        """The client_id of this server, None where it asks by a token."""
        pair = self.RESOURCE_SERVER_INTROSPECTION_CREDENTIALS
        known = self.RESOURCE_SERVER_INTROSPECTION_JWT_CLIENT_ID or (pair and pair[0])
        return None if self.RESOURCE_SERVER_AUTH_TOKEN is not None else known

    @property
    def asserts(self) -> bool:
        """Whether questions carry an assertion of the client."""
        return self.RESOURCE_SERVER_INTROSPECTION_JWT_CLIENT_ID is not None
