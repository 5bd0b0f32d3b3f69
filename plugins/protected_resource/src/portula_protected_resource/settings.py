"""Settings of protected resource metadata."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from portula.plugin import is_loopback_host, origin_of

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/")
"""Characters of a path that need no decoding (RFC 3986 §3.3)."""


def identifier_problem(identifier: str) -> str | None:
    """Return what is wrong with a resource identifier (RFC 9728 §1.2); None when nothing is."""
    origin, parts = origin_of(identifier), urlsplit(identifier) if identifier.isascii() else None
    if (
        origin is None
        or parts is None
        or not set(parts.path) <= _PLAIN
        or "?" in identifier
        or "#" in identifier
    ):
        return f"{identifier!r} is no https URL without user, query and fragment"
    if parts.scheme != "https" and not is_loopback_host(parts.hostname or ""):
        return f"{identifier!r}: http is for loopback only; use https"
    return None


class ResourceMetadata(BaseModel):
    """What is said of one resource; what is left out is said as for all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    authorization_servers: tuple[str, ...] | None = None
    """Issuers of tokens for it."""
    scopes: tuple[str, ...] | None = None
    """Scopes that its views need. None: all that there are."""
    name: str = ""
    documentation: str = ""
    policy_uri: str = ""
    tos_uri: str = ""


class ProtectedResourceSettings(BaseModel):
    """Which resources this app has, and what clients read of them (RFC 9728 §2)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    OAUTH2_PROTECTED_RESOURCE_IDENTIFIER: str = ""
    """Identifier of the API, an https URL above that of its views: tokens for it name it as their audience. Empty, and
    OAUTH2_PROTECTED_RESOURCES too: RESOURCE_SERVER_AUDIENCES that are URLs, else the URL of the provider's app."""

    OAUTH2_PROTECTED_RESOURCES: Mapping[str, ResourceMetadata] = Field(default={})
    """Further APIs of this app by identifier, each with `authorization_servers`, `scopes`, `name`, `documentation`,
    `policy_uri` and `tos_uri` where they differ from the settings below."""

    OAUTH2_PROTECTED_RESOURCE_AUTHORIZATION_SERVERS: tuple[str, ...] = ()
    """Issuers of tokens for it (`authorization_servers`). Empty: RESOURCE_SERVER_ISSUER, else the issuer here."""

    OAUTH2_PROTECTED_RESOURCE_BEARER_METHODS_SUPPORTED: tuple[Literal["header"], ...] = ("header",)
    """Where a token may stand (`bearer_methods_supported`); `@require_oauth` reads that alone. Empty: not told."""

    OAUTH2_PROTECTED_RESOURCE_NAME: str = ""
    """Name for people (`resource_name`)."""

    OAUTH2_PROTECTED_RESOURCE_DOCUMENTATION: str = ""
    """URL of what developers read (`resource_documentation`)."""

    OAUTH2_PROTECTED_RESOURCE_POLICY_URI: str = ""
    """URL of what clients may do with the data (`resource_policy_uri`)."""

    OAUTH2_PROTECTED_RESOURCE_TOS_URI: str = ""
    """URL of the terms of service (`resource_tos_uri`)."""

    OAUTH2_PROTECTED_RESOURCE_SIGNED_METADATA: bool = False
    """Whether each document has itself as a JWT of the issuer too (`signed_metadata`, RFC 9728 §2.2). It is signed with
    the keys of the issuer here, so tokens have to be issued here."""

    @field_validator(
        "OAUTH2_PROTECTED_RESOURCE_DOCUMENTATION",
        "OAUTH2_PROTECTED_RESOURCE_POLICY_URI",
        "OAUTH2_PROTECTED_RESOURCE_TOS_URI",
    )
    @classmethod
    def _an_address(cls, url: str) -> str:
        if url and origin_of(url) is None:
            raise ValueError(f"{url!r} is no https URL")
        return url

    @model_validator(mode="after")
    def _are_identifiers(self) -> Self:
        problems = [problem for each in self.resources if (problem := identifier_problem(each))]
        paths = Counter(urlsplit(each).path.removesuffix("/") for each in self.resources)
        problems += [f"two resources have the path {path!r}" for path, times in paths.items() if times > 1]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def resources(self) -> dict[str, ResourceMetadata]:
        """The resources that these settings name."""
        own = self.OAUTH2_PROTECTED_RESOURCE_IDENTIFIER
        return {**({own: ResourceMetadata()} if own else {}), **self.OAUTH2_PROTECTED_RESOURCES}
