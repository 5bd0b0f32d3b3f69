"""The issue of a request: what is decided about its tokens before any of them is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Issue:
    """Tokens that are to be made. A `shape` hook may change it; after it come the vetoes, then the values are made."""

    scope: tuple[str, ...]
    lifetime: int
    """Seconds the access token lives."""
    audience: tuple[str, ...] = ()
    """Whom the access token is for; empty for anybody (RFC 8707 §2)."""
    format: str = ""
    """Name of the format of the access token, as `portula_token_formats` contributes it; empty for an opaque value of
    ACCESS_TOKEN_GENERATOR."""
    token_type: str = ""
    """As in the answer (RFC 6749 §7.1); empty for that of the presentation by which the token has to come."""
    confirmation: Mapping[str, Any] = field(default_factory=dict)
    """Key or certificate that the access token is bound to (RFC 7800 §3.1): what this request proved."""
    id_token: bool = False
    """Whether an ID token goes with it, when a person allowed the scope openid."""
    refresh_token: bool = False
    """Whether a refresh token goes with it."""
    rotation: bool = True
    """Whether a refresh gives a new refresh token, or the same one again."""
    members: dict[str, Any] = field(default_factory=dict)
    """Further members of the answer."""
    claims: dict[str, Any] = field(default_factory=dict)
    """What the access token says besides, by claim: kept with it as its payload, and written into it by a format that
    has claims (RFC 9068 §2.2)."""
