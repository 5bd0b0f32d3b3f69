"""Protocols of the single-choice things: what the answer to each slot must be able to do.

Neither Flask nor SQLAlchemy is imported here; pages are typed by the little of them that core touches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from portula.records import Application

Clock = Callable[[], float]
"""Returns the time as Unix seconds, UTC. Everything that expires asks it."""


class ScopesBackend(Protocol):
    """Which scopes exist (the interface of django-oauth-toolkit's BaseScopes)."""

    def get_all_scopes(self) -> Mapping[str, str]:
        """Return every scope with the text a consent page shows for it."""
        ...

    def get_available_scopes(
        self, application: Application | None = None, request: object | None = None
    ) -> Sequence[str]:
        """Return the scopes this client may ask for."""
        ...

    def get_default_scopes(
        self, application: Application | None = None, request: object | None = None
    ) -> Sequence[str]:
        """Return the scopes of a request that names none."""
        ...


class HashGenerator(Protocol):
    """Makes client identifiers or client secrets (django-oauth-toolkit's BaseHashGenerator)."""

    def hash(self) -> str:
        """Return a new value; printable ASCII (RFC 6749 Appendix A.1)."""
        ...


TokenGenerator = Callable[..., str]
"""Called with the oauthlib request; the refresh generator also with `refresh_token=True` where it takes that."""


class SecretHasher(Protocol):
    """Keeps client secrets and passwords."""

    def hash_generated(self, secret: str) -> str:
        """Return what to store of a generated secret of full entropy: one keyed digest."""
        ...

    def hash_chosen(self, secret: str) -> str:
        """Return what to store of a secret chosen by a person: argon2id."""
        ...

    def seal(self, secret: str) -> str:
        """Return a secret encrypted, for the rare client whose secret must be read again (HMAC signatures)."""
        ...

    def verify(self, secret: str, stored: str) -> bool:
        """Compare in constant time; False for anything malformed."""
        ...

    def verify_nothing(self, secret: str) -> None:
        """Spend the time of a comparison, so that an unknown name is not faster than a wrong secret (S51)."""
        ...


@dataclass(frozen=True, slots=True)
class Authenticated:
    """Who sits at the browser."""

    subject: str
    """Stable identifier of the person within the provider, at most 255 characters; never an e-mail address."""
    username: str
    auth_time: int
    """When the person authenticated, Unix seconds."""
    amr: tuple[str, ...] = ()
    """How (RFC 8176)."""
    sid: str | None = None
    """Identifier of the login session, if the login keeps sessions."""


@dataclass(frozen=True, slots=True)
class User:
    """A person as the provider sees them."""

    subject: str
    username: str
    active: bool = True
    claims: Mapping[str, Any] = field(default_factory=dict)


class Login(Protocol):
    """Signs people in. The host's own login answers this slot in an embedded provider."""

    def current(self) -> Authenticated | None:
        """Say who sits at the browser of the current Flask request."""
        ...

    def login_url(self, next_url: str, client: Application | None = None) -> str:
        """Return where to send the browser to sign in; it comes back to `next_url`, a relative URL."""
        ...

    def find(self, subject: str) -> User | None:
        """Return a person by subject, None when there is none."""
        ...

    def authenticate(self, username: str, password: str, client_address: str) -> User | None:
        """Check a password for the password grant; None refuses."""
        ...


@dataclass(frozen=True, slots=True)
class ConsentQuestion:
    """What a person is asked to allow. Held on the server between the page and the answer."""

    interaction: str
    """Identifier of the stored authorization request."""
    client: Application
    user: Authenticated
    scopes: tuple[str, ...]
    redirect_uri: str
    action: str
    """URL the form posts to."""
    csrf_context: str
    """What the CSRF token of the form is bound to besides the browser."""


class Consent(Protocol):
    """Asks people, and remembers what they allowed."""

    def remembered(self, client: Application, subject: str) -> frozenset[str]:
        """Return the scopes this person allowed this client before."""
        ...

    def remember(self, client: Application, subject: str, scopes: Sequence[str]) -> None:
        """Keep that this person allowed these scopes, joined with those allowed before."""
        ...

    def page(self, question: ConsentQuestion) -> Any:
        """Return the consent page as a Flask response."""
        ...

    def answer(self, question: ConsentQuestion) -> bool | None:
        """Read the posted form: True for yes, False for no, None when the form is not ours (CSRF)."""
        ...


@dataclass(frozen=True, slots=True)
class LoginSession:
    """A login session on the server."""

    sid: str
    """Public identifier; not the cookie."""
    subject: str
    username: str
    auth_time: int
    amr: tuple[str, ...]
    expires_at: int


class Sessions(Protocol):
    """Server-side login sessions; the cookie is only a pointer."""

    def current(self) -> LoginSession | None:
        """Return the live session of the current Flask request."""
        ...

    def start(self, subject: str, username: str, amr: Sequence[str]) -> LoginSession:
        """Begin a session under a new identifier, ending the browser's old one; the cookie goes with the response."""
        ...

    def end(self) -> LoginSession | None:
        """End the browser's session and return it."""
        ...

    def end_all(self, subject: str) -> int:
        """End every session of a person; return how many."""
        ...
