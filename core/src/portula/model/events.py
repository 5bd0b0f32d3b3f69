"""What happened, for listeners: small immutable facts that never carry a token, a code or a secret."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenIssued:
    """A token response is about to leave (outbox) or has been committed (event)."""

    client_id: str
    subject: str | None
    grant_type: str
    scopes: tuple[str, ...]
    family: str
    at: int


@dataclass(frozen=True, slots=True)
class AuthorizationGranted:
    """A person's authorization request is about to be answered with what it asked for."""

    client_id: str
    subject: str
    sid: str | None
    """Identifier of the login session, if the login keeps sessions."""
    scopes: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A login session is being ended: by signing out, by somebody else signing in, or from elsewhere; not by time."""

    subject: str
    sid: str
    at: int


@dataclass(frozen=True, slots=True)
class LogoutSucceeded:
    """A person signed out at the wish of an app (OpenID Connect RP-Initiated Logout)."""

    subject: str
    sid: str | None
    client_id: str | None
    """Who asked, None when that was not said."""
    tokens: int
    """How many of the person's tokens were revoked, of all apps."""
    at: int


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The token endpoint refused a request."""

    client_id: str | None
    grant_type: str | None
    error: str
    at: int


@dataclass(frozen=True, slots=True)
class TokenRevoked:
    """A client gave a token back (RFC 7009), or an account or an administrator took it."""

    client_id: str
    subject: str | None
    family: str
    at: int


@dataclass(frozen=True, slots=True)
class Replay:
    """A code or a refresh token was used again, and its family is revoked."""

    client_id: str
    subject: str | None
    family: str
    at: int


@dataclass(frozen=True, slots=True)
class ConsentGiven:
    """A person allowed a client these scopes."""

    client_id: str
    subject: str
    scopes: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class ClientSaved:
    """A client was created or changed."""

    client_id: str
    created: bool
    at: int


@dataclass(frozen=True, slots=True)
class ClientAuthenticated:
    """A client proved who it is (RFC 6749 §2.3)."""

    client_id: str
    method: str
    """Registered name of the method, e.g. `client_secret_basic`."""
    secret_id: str | None
    """Which of its secrets it presented, as `portula.plugin.secret_id` names them; None without one."""
    at: int


@dataclass(frozen=True, slots=True)
class LoginSucceeded:
    """A person signed in."""

    subject: str
    amr: tuple[str, ...]
    client_address: str
    at: int


@dataclass(frozen=True, slots=True)
class LoginFailed:
    """Someone failed to sign in under this name."""

    username: str
    reason: str
    client_address: str
    at: int
