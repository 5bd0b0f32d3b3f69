"""The events of the protocol: immutable values that never carry a token, a code or a secret."""

# pyright: reportGeneralTypeIssues=false
# All fields are keyword-only, so one that is required may take the place of one that is not.

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from portula.host.events import Event
from portula.model.records import Authorization

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.model.records import AccessToken, RefreshToken


@dataclass(frozen=True, kw_only=True, slots=True)
class ProtocolEvent(Event):
    """Something that happened to a client, a person or a token."""

    provider: AuthorizationServer = field(repr=False, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenIssued(ProtocolEvent):
    """A token response is about to leave (outbox) or has been committed (event)."""

    client_id: str
    grant_type: str
    scopes: tuple[str, ...]
    authorization: str | None = None
    """Identifier of the authorization it is of; None for tokens of the client itself."""
    authorization_record: Authorization | None = field(default=None, repr=False, compare=False)
    """That authorization as the plan leaves it: for a room that keeps a record beside it for as long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizationGranted(ProtocolEvent):
    """A person's authorization request is about to be answered with what it asked for."""

    client_id: str
    subject: str
    sid: str | None
    """Identifier of the login session, if the login keeps sessions."""
    scopes: tuple[str, ...]
    known_as: str
    """The identifier by which the client knows the person (OpenID Connect Core §8)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionEnded(ProtocolEvent):
    """A login session is being ended: by signing out, by somebody else signing in, or from elsewhere; not by time."""

    subject: str
    sid: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRefused(ProtocolEvent):
    """The token endpoint refused a request."""

    grant_type: str | None
    error: str
    repeats: bool = False
    """Whether another event has told of it: of a replay, or a client that did not authenticate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRevoked(ProtocolEvent):
    """A client gave a token back (RFC 7009), or an account or an administrator took it."""

    client_id: str
    authorization: str | None
    """Identifier of the authorization."""

    @classmethod
    def of(
        cls, provider: AuthorizationServer, record: Authorization | AccessToken | RefreshToken
    ) -> TokenRevoked:
        """Return the event about what is revoked."""
        return cls(
            provider=provider,
            client_id=record.client_id,
            subject=record.subject,
            authorization=record.id if isinstance(record, Authorization) else record.authorization,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay(ProtocolEvent):
    """A single-use credential was used again, and its authorization is revoked."""

    log_level: ClassVar[int] = logging.WARNING
    client_id: str
    authorization: str | None
    """Identifier of the authorization."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeReplayed(Replay):
    """An authorization code was used again (RFC 6749 §4.1.2)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshTokenReplayed(Replay):
    """A superseded refresh token was used again (RFC 9700 §4.14.2)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentGiven(ProtocolEvent):
    """A person allowed a client these scopes."""

    client_id: str
    subject: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientSaved(ProtocolEvent):
    """A client was created or changed."""

    client_id: str
    created: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientAuthenticated(ProtocolEvent):
    """A client proved who it is (RFC 6749 §2.3). Its line in the log is for DEBUG: what follows has one of its own."""

    log_level: ClassVar[int] = logging.DEBUG
    client_id: str
    method: str
    """Registered name of the method, e.g. `client_secret_basic`."""
    secret_id: str | None
    """Which of its secrets it presented, as `portula.plugin.secret_id` names them; None without one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientAuthenticationFailed(ProtocolEvent):
    """A client did not prove who it is (RFC 6749 §2.3). `client_id` is whom it says to be, known here or not."""

    log_level: ClassVar[int] = logging.WARNING
    method: str | None
    """Registered name of the method that it tried; None when it tried none, or several."""
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizationRequestRefused(ProtocolEvent):
    """An authorization request ended with an error: on a page, at the redirect URI, or where the client sent it."""

    error: str
    redirected: bool
    """Whether the client heard of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestRefused(ProtocolEvent):
    """An endpoint refused a request: for its access token, say, or its client metadata.

    The token and authorization endpoints have events of their own, but for what they refuse before it is read.
    """

    endpoint: str
    """Name of the endpoint, as `portula explain` takes it, or of a view of the application's own that is guarded."""
    error: str
    """What the client was told; `missing_token` where it was only asked for a token (RFC 6750 §3.1)."""
    repeats: bool = False
    """Whether another event has told of it, as of a client that did not authenticate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginSucceeded(ProtocolEvent):
    """A person signed in."""

    subject: str
    amr: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginFailed(ProtocolEvent):
    """Someone failed to sign in under this name. `subject` is the person of that name, None when there is none."""

    log_level: ClassVar[int] = logging.WARNING
    username: str
    reason: str

    @override
    def log_facts(self) -> dict[str, Any]:
        """Leave out a name that is nobody's: now and then it is a password, typed into the wrong field."""
        facts = ProtocolEvent.log_facts(self)
        if self.subject is None:
            facts.pop("username", None)
        return facts
