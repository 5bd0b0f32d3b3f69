"""What happened, for listeners: small immutable facts that never carry a token, a code or a secret."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portula.host.deployment import Deployment

_CAPITAL = re.compile(r"(?<!^)(?<![A-Z])(?=[A-Z])")


def _new_id() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened, or is about to; who makes one names the provider and what the event is about."""

    provider: Deployment = field(repr=False, compare=False)
    id: str = field(default_factory=_new_id)
    """Unique: 32 hexadecimal digits."""
    at: int = -1
    """When it happened, Unix seconds by the clock slot."""
    realm: str = ""
    """Which of several realms of one provider it belongs to."""
    issuer: str = ""
    """Whose it is; empty where the issuer is made of the host of each request and none is at hand."""
    actor: str | None = None
    """Subject of the person, or name of the command, that did it in place of the one it is about."""
    client_id: str | None = None
    subject: str | None = None
    """The person it is about."""
    address: str | None = None
    """Where the request came from."""
    request_id: str | None = None
    """Identifier of the request, the same for all its events."""
    reason: str | None = None
    """Why it was refused or done, for operators; nothing of it is told to clients."""

    def __post_init__(self) -> None:
        """Fill in time and issuer from the provider, where they are not given."""
        if self.at < 0:
            object.__setattr__(self, "at", self.provider.now())
        if not self.issuer:
            object.__setattr__(self, "issuer", self.provider.issuer)

    @property
    def type(self) -> str:
        """The name of the event, e.g. `token_issued`: that of its class."""
        return _CAPITAL.sub("_", type(self).__name__).lower()

    def as_json(self) -> dict[str, Any]:
        """Return the event as what JSON can hold: its type and its fields, without the provider."""
        found: dict[str, Any] = {"type": self.type}
        for member in fields(self):
            if member.name != "provider":
                value = getattr(self, member.name)
                found[member.name] = list(value) if isinstance(value, tuple) else value
        return found


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenIssued(Event):
    """A token response is about to leave (outbox) or has been committed (event)."""

    client_id: str
    grant_type: str
    scopes: tuple[str, ...]
    family: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizationGranted(Event):
    """A person's authorization request is about to be answered with what it asked for."""

    client_id: str
    subject: str
    sid: str | None
    """Identifier of the login session, if the login keeps sessions."""
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionEnded(Event):
    """A login session is being ended: by signing out, by somebody else signing in, or from elsewhere; not by time."""

    subject: str
    sid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class LogoutSucceeded(Event):
    """A person signed out at the wish of an app, `client_id` if it is known (OpenID Connect RP-Initiated Logout)."""

    subject: str
    sid: str | None
    tokens: int
    """How many of the person's tokens were revoked, of all apps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRefused(Event):
    """The token endpoint refused a request."""

    grant_type: str | None
    error: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRevoked(Event):
    """A client gave a token back (RFC 7009), or an account or an administrator took it."""

    client_id: str
    family: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay(Event):
    """A single-use credential was used again, and its family is revoked."""

    client_id: str
    family: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeReplayed(Replay):
    """An authorization code was used again (RFC 6749 §4.1.2)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshTokenReplayed(Replay):
    """A superseded refresh token was used again (RFC 9700 §4.14.2)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentGiven(Event):
    """A person allowed a client these scopes."""

    client_id: str
    subject: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientSaved(Event):
    """A client was created or changed."""

    client_id: str
    created: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientAuthenticated(Event):
    """A client proved who it is (RFC 6749 §2.3)."""

    client_id: str
    method: str
    """Registered name of the method, e.g. `client_secret_basic`."""
    secret_id: str | None
    """Which of its secrets it presented, as `portula.plugin.secret_id` names them; None without one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginSucceeded(Event):
    """A person signed in."""

    subject: str
    amr: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginFailed(Event):
    """Someone failed to sign in under this name."""

    username: str
    reason: str
