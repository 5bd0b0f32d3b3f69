"""Settings of resource servers."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from portula.uris import is_loopback_host

_AUTH_TOKEN, _CREDENTIALS = "RESOURCE_SERVER_AUTH_TOKEN", "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS"


class ResourceServerSettings(BaseModel):
    """How bearer tokens are checked when the provider is in another process, and what a refusal says."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ERROR_RESPONSE_WITH_SCOPES: bool = True
    """Whether the error insufficient_scope names the scopes that are needed (RFC 6750 §3). django-oauth-toolkit's
    default is False; a client can ask for the right scope only when it is told."""

    RESOURCE_SERVER_AUTH_TOKEN: str | None = Field(
        default=None, repr=False, pattern=r"^[A-Za-z0-9\-._~+/]+=*$"
    )
    """Bearer token with the scope `introspection` for asking (RFC 6750 §2.1). It wins over the credentials."""

    RESOURCE_SERVER_INTROSPECTION_CREDENTIALS: (
        tuple[Annotated[str, Field(min_length=1)], Annotated[str, Field(min_length=1)]] | None
    ) = Field(default=None, repr=False)
    """client_id and client_secret of a confidential client, for asking by HTTP Basic (RFC 6749 §2.3.1)."""

    RESOURCE_SERVER_TOKEN_CACHING_SECONDS: int = Field(default=60, ge=0)
    """Seconds for which a positive answer is believed, never longer than the token lives; 0 asks each time. A token
    that is revoked counts that long. django-oauth-toolkit's default is 36000."""

    RESOURCE_SERVER_INTROSPECTION_TIMEOUT_SECONDS: float = Field(default=5, gt=0, le=60)
    """Seconds to wait for an answer before the request is answered 503."""

    RESOURCE_SERVER_INTROSPECTION_URL: str | None = None
    """Introspection endpoint (RFC 7662) of the provider that issues the tokens; https, or http on loopback. None:
    tokens are checked by the provider in this process."""

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
        given = [info.data.get(name, "refused") for name in (_AUTH_TOKEN, _CREDENTIALS)]
        if given == [None, None]:
            raise ValueError(f"it needs {_AUTH_TOKEN} or {_CREDENTIALS}")
        return url
