"""`VerifiedToken`: what is known of a live access token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from portula.errors import PortulaError

if TYPE_CHECKING:
    from portula.plugin import Application

RETRY_AFTER_SECONDS = 5
"""When a client may try again after 503, where nobody knows better."""

LAST_SECOND = 253_402_214_399
"""The end of 30 December 9999, the last day that has a date in every time zone."""


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """An access token that was live when it was looked at."""

    subject: str | None
    """The person it speaks for; None for a token of the client itself."""
    client_id: str | None
    """The client it was issued to; None when the introspection endpoint does not tell."""
    scopes: frozenset[str]
    expires_at: int | None
    """Unix seconds, UTC; None when the introspection endpoint does not tell."""
    token_type: str | None = None
    """The scheme by which it has to come, compared without case; None when the introspection endpoint does not tell."""
    confirmation: Mapping[str, Any] = field(default_factory=dict)
    """What it is bound to (RFC 7800 §3.1, `cnf`); empty for a bearer token."""
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The members of the introspection response (RFC 7662 §2.2), those that plugins add among them; of a JWT that is
    verified here, its claims (RFC 9068 §2.2)."""
    expires: datetime | None = None
    """`expires_at` as a datetime in UTC, aware or naive as USE_TZ says; set on `current_token`."""
    client: Application | None = field(default=None, repr=False, compare=False)
    """The client it was issued to as it is kept here, whose profile its proofs are held to; None for a token that is
    verified in another way than by the provider itself."""

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> VerifiedToken:
        """Read the members of an introspection response, or the claims of an access token (RFC 9068 §2.2).

        Raises:
            ValueError: one of them has a type that RFC 7662 §2.2 does not allow, or is a time beyond the calendar.
        """
        audience, expires_at = claims.get("aud") or (), typed_member(claims, "exp", int)
        if not isinstance(audience, str) and not (
            isinstance(audience, list | tuple) and all(isinstance(name, str) for name in audience)
        ):
            raise ValueError("aud is neither a text nor a list of texts")
        if expires_at is not None and not 0 <= expires_at <= LAST_SECOND:
            raise ValueError("exp is beyond the calendar")
        return cls(
            subject=typed_member(claims, "sub", str),
            client_id=typed_member(claims, "client_id", str),
            scopes=frozenset((typed_member(claims, "scope", str) or "").split()),
            expires_at=expires_at,
            token_type=typed_member(claims, "token_type", str),
            confirmation=typed_member(claims, "cnf", dict) or {},
            claims=MappingProxyType(dict(claims)),
        )


TokenVerifier = Callable[[str], VerifiedToken | None]
"""Takes the token of a request; returns None when it does not count, and raises VerifierUnavailable."""


class VerifierUnavailable(PortulaError):
    """Nobody can say now whether a token counts; the request is answered 503 with Retry-After."""

    def __init__(self, message: str, retry_after: int = RETRY_AFTER_SECONDS) -> None:
        """Keep the seconds."""
        super().__init__(message)
        self.retry_after = retry_after


def typed_member(claims: Mapping[str, Any], name: str, kind: type[Any]) -> Any:
    """Return a member of an introspection response, None when it is absent; ValueError for another type."""
    value = claims.get(name)
    if value is not None and type(value) is not kind:
        raise ValueError(f"{name} is not of type {kind.__name__}")
    return value
