"""What happened, for handlers: small immutable facts that never carry a token, a code or a secret.

Each event has the fields of `Event`; what does not apply is None. Handlers run after the plan of a request is applied;
outbox hooks are given the same events before that, and return records for the plan.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened."""

    provider: Any = field(default=None, repr=False, compare=False)
    """The provider it happened at."""
    id: str = field(default_factory=lambda: secrets.token_hex(16), compare=False)
    """Unique: for who stores events and may be given one twice."""
    at: int = 0
    """Unix seconds, UTC; the provider's clock where it is not given."""
    realm: str | None = field(default=None, compare=False)
    issuer: str | None = field(default=None, compare=False)
    """By whose name the provider acted, where it has a fixed one."""
    actor: str | None = field(default=None, compare=False)
    """Subject of who did it, where that is somebody else than the person concerned: an administrator."""
    client_id: str | None = None
    subject: str | None = None
    """Whom it concerns."""
    address: str | None = None
    """Address of the peer, behind trusted proxies."""
    request_id: str | None = field(default=None, compare=False)
    reason: str | None = field(default=None, compare=False)
    """Why, in words that the client is not told."""

    def __post_init__(self) -> None:
        """Ask the provider for what it knows."""
        if self.provider is not None:
            if not self.at:
                object.__setattr__(self, "at", self.provider.now())
            if self.issuer is None:
                object.__setattr__(self, "issuer", self.provider.issuer)

    @property
    def name(self) -> str:
        """The name of the kind of event, as in `token_issued`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    def as_json(self) -> dict[str, Any]:
        """Return the event as JSON has it: its name, and every field that applies but the provider."""
        told = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "provider"}
        members = {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}
        return {"event": self.name, **{name: value for name, value in members.items() if value is not None}}


@dataclass(frozen=True, kw_only=True)
class TokenIssued(Event):
    """A token response is about to leave (outbox) or its plan is applied (event)."""

    client_id: str
    grant_type: str
    scopes: tuple[str, ...]
    authorization: str | None = None
    """Identifier of the authorization it is of; None for tokens of the client itself."""


@dataclass(frozen=True, kw_only=True)
class AuthorizationGranted(Event):
    """A person's authorization request is about to be answered with what it asked for."""

    client_id: str
    subject: str
    scopes: tuple[str, ...]
    sid: str | None = None
    """Identifier of the login session, if the login keeps sessions."""


@dataclass(frozen=True, kw_only=True)
class SessionEnded(Event):
    """A login session is being ended: by signing out, by somebody else signing in, or from elsewhere; not by time."""

    subject: str
    sid: str


@dataclass(frozen=True, kw_only=True)
class LogoutSucceeded(Event):
    """A person signed out at the wish of an app (OpenID Connect RP-Initiated Logout); `client_id` says which."""

    subject: str
    sid: str | None
    tokens: int
    """How many of the person's tokens were revoked, of all apps."""


@dataclass(frozen=True, kw_only=True)
class TokenRefused(Event):
    """The token endpoint refused a request."""

    grant_type: str | None
    error: str


@dataclass(frozen=True, kw_only=True)
class TokenRevoked(Event):
    """A client gave a token back (RFC 7009), or an account or an administrator took it."""

    client_id: str
    authorization: str | None = None


@dataclass(frozen=True, kw_only=True)
class Replay(Event):
    """A code or a refresh token was used again, and its authorization is revoked."""

    client_id: str
    authorization: str


@dataclass(frozen=True, kw_only=True)
class ConsentGiven(Event):
    """A person allowed a client these scopes."""

    client_id: str
    subject: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ClientSaved(Event):
    """A client was created or changed."""

    client_id: str
    created: bool


@dataclass(frozen=True, kw_only=True)
class ClientAuthenticated(Event):
    """A client proved who it is (RFC 6749 §2.3)."""

    client_id: str
    method: str
    """Registered name of the method, e.g. `client_secret_basic`."""
    secret_id: str | None = None
    """Which of its secrets it presented, as `portula.plugin.secret_id` names them; None without one."""


@dataclass(frozen=True, kw_only=True)
class LoginSucceeded(Event):
    """A person signed in."""

    subject: str
    amr: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LoginFailed(Event):
    """Someone failed to sign in under this name; `reason` says why."""

    username: str
