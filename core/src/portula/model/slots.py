"""Base classes of the single-choice things: what the answer to each slot must be able to do.

Neither Flask nor SQLAlchemy is imported here; pages are typed by the little of them that core touches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from portula.model.encryption import EncryptsTokens
from portula.model.errors import JoseError
from portula.model.http import Answer, Message
from portula.model.people import AuthenticatedUser, LoginSession, StoredPeople, User
from portula.model.plans import Counts, Plan
from portula.model.records import Application

if TYPE_CHECKING:
    from portula.model.storage import Storage

Clock = Callable[[], float]
"""Returns the time as Unix seconds, UTC. Everything that expires asks it."""


class ScopesBackend(ABC):
    """Which scopes exist (the interface of django-oauth-toolkit's BaseScopes)."""

    @abstractmethod
    def get_all_scopes(self) -> Mapping[str, str]:
        """Return every scope with the text a consent page shows for it."""

    def get_available_scopes(
        self, application: Application | None = None, request: object | None = None
    ) -> Sequence[str]:
        """Return the scopes this client may ask for: all, unless a backend knows better."""
        return list(self.get_all_scopes())

    @abstractmethod
    def get_default_scopes(
        self, application: Application | None = None, request: object | None = None
    ) -> Sequence[str]:
        """Return the scopes of a request that names none."""


class HashGenerator(ABC):
    """Makes client identifiers or client secrets (django-oauth-toolkit's BaseHashGenerator)."""

    @abstractmethod
    def hash(self) -> str:
        """Return a new value; printable ASCII (RFC 6749 Appendix A.1)."""


TokenGenerator = Callable[..., str]
"""Called with the oauthlib request; the refresh generator also with `refresh_token=True` where it takes that."""


class Login(ABC):
    """Signs people in. The host's own login answers this slot in an embedded provider."""

    @abstractmethod
    def current(self) -> AuthenticatedUser | None:
        """Return the person signed in at the browser of the current Flask request; None when nobody is."""

    @abstractmethod
    def login_url(self, next_url: str, client: Application | None = None) -> str:
        """Return the URL of the sign-in page, which sends the browser back to `next_url`, a relative URL.

        The page lets people sign in although somebody is signed in: an app may demand it. Hints of the app, such as
        `login_hint`, are added to the query of the URL (OpenID Connect Core §3.1.2.1). `signed_in_at` is the
        `auth_time` that does not suffice, where an app demands that who is signed in signs in again. `max_age` and
        `acr_values` say how lately and by which class; what `current` returns afterwards says whether that was met.
        """

    def account_url(self) -> str | None:
        """Return the URL of the person's account page, which asks them to sign in first; None where there is none."""
        return None

    def sign_out_url(self) -> str | None:
        """Return the URL of the page on which a person signs out; None where there is none."""
        return None

    @abstractmethod
    def sign_out(self) -> None:
        """Sign out the person at the browser of the current Flask request; an app asked for it, and was allowed to."""

    def sign_out_with(self, storage: Storage, plan: Plan) -> Counts:
        """Apply what else ends with the session, and sign out; return what `Storage.apply` returns.

        Here the plan comes first: a person whose sign-out fails afterwards is still signed in, and may try again. A
        login that keeps sessions in the storage ends them in this plan, whole or not at all; one that keeps them under
        a `sid` plans what `Plugin.portula_record_session_end` returns too, so that the other apps are told. The slot
        `sessions` does both.
        """
        counts = storage.apply(plan)
        self.sign_out()
        return counts

    @abstractmethod
    def find(self, subject: str) -> User | None:
        """Return a person by subject, None when there is none."""

    def stored_people(self) -> StoredPeople | None:
        """Return where in the storage `find` looks, so that people are read with what names them; None: elsewhere."""
        return None

    def authenticate(self, username: str, password: str, client_address: str) -> User | None:
        """Check a password for the password grant; None refuses, as it is unless a login can check one."""
        return None


@runtime_checkable
class NamesPeople(Protocol):
    """A login that also finds people by the name they sign in with; one need not, and pages then ask for subjects."""

    def find_by_name(self, username: str) -> User | None:
        """Return a person by user name, None when there is none."""
        ...


@runtime_checkable
class SuggestsNames(Protocol):
    """A login that can say which names there are; without it an error about an unknown name suggests none."""

    def names_near(self, username: str) -> Sequence[str]:
        """Return a bounded number of names among which the one that was meant may be."""
        ...


@runtime_checkable
class AddsPeople(Protocol):
    """A login that keeps people itself, and takes in those who have had an account elsewhere."""

    def plan_person(self, person: User, password_hash: str | None) -> Plan:
        """Return a plan that adds a person, under the subject by which apps know them already.

        Args:
            person: as another provider knew them; a claim `email` is their address.
            password_hash: as `SecretHasher.verify_foreign` reads it; with None no password is theirs yet.

        Raises:
            InvalidPerson: name or subject are taken, or something about them is refused.
        """
        ...


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A login session as its person is shown it on a list."""

    session: LoginSession
    started_at: int
    """When it began, Unix seconds; signing in again does not change it."""
    seen_at: int
    """When it was last in use, to a minute or so."""
    agent: str = ""
    """What the browser called itself (User-Agent), as long as it was printable."""
    address: str = ""
    """From where it was begun."""
    current: bool = False
    """Whether it is the one of the browser that asks."""


class Sessions(ABC):
    """Server-side login sessions; the cookie is only a pointer.

    A session that is ended, in whatever way but by time, is told to `Plugin.portula_record_session_end` once, and ends
    in one plan with what that returns. So does what a caller plans beside it.
    """

    @abstractmethod
    def current(self) -> LoginSession | None:
        """Return the live session of the current Flask request."""

    @abstractmethod
    def start(
        self, subject: str, username: str, amr: Sequence[str], plan: Plan | None = None
    ) -> LoginSession:
        """Begin a session under a new cookie, which goes with the response, and end the browser's old one.

        Somebody who signs in again keeps the `sid`, so that the apps they use still know the session by it. `plan`
        requires what the sign-in rests on. It is applied with the session: where it fails, nothing begins or ends.
        """

    @abstractmethod
    def end(self, plan: Plan | None = None) -> Counts:
        """End the browser's session, if there is one, and apply `plan` with it; return what `Storage.apply` returns."""

    @abstractmethod
    def end_one(self, subject: str, sid: str) -> bool:
        """End the session of a person that has this identifier, in whatever browser; False when there is none."""

    @abstractmethod
    def end_all(self, subject: str, plan: Plan | None = None, *, except_sid: str | None = None) -> int:
        """End every session of a person, but for the one with `except_sid`; return how many.

        `plan` is applied with them, and where there are more than fit into one plan, with the last of them. What began
        before it was applied ends too, also where that was while the others were ended.
        """

    @abstractmethod
    def live_sessions(self, subject: str) -> Sequence[SessionSummary]:
        """Return the live sessions of a person, the one last in use first; a hundred at the most."""


@dataclass(frozen=True, slots=True)
class Jwt:
    """A JSON Web Token, taken apart (RFC 7519)."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)

    @property
    def typ(self) -> str:
        """The `typ` of the header as it is compared: in lower case, without `application/` (RFC 7515 §4.1.9)."""
        lowered = str(self.header.get("typ", "")).lower()
        short = lowered.removeprefix("application/")
        return lowered if "/" in short else short


class Jose(EncryptsTokens, ABC):
    """Signs and verifies JSON Web Tokens; whoever answers is the only one that holds private keys.

    What is verified is the form of a token, its algorithm, its `typ` and its signature. What its claims have to say,
    times among them, is judged by who asks.
    """

    @property
    def has_configured_keys(self) -> bool:
        """Whether signing keys are given by the configuration, so that none has to be made."""
        return False

    @abstractmethod
    def signing_algorithms(self) -> Sequence[str]:
        """Return the asymmetric algorithms that `sign` knows now (RFC 7518 §3.1), RS256 first where it is in use."""

    def signing_algorithms_for(self, client: Application) -> Sequence[str]:
        """Return those of `signing_algorithms` that are in use for a client, whose profile may allow fewer."""
        return self.signing_algorithms()

    def algorithms_for_clients(self) -> Sequence[str]:
        """Return the algorithms that a client may be registered with: with secrets of clients too, where that is on."""
        return [*self.signing_algorithms(), "HS256", "HS384", "HS512"]

    def default_algorithm(self, client: Application) -> str:
        """Return what signs for a client that is registered with none: RS256 (OpenID Connect Registration §2).

        Where RS256 is not in use for this client, it is the first of those that are.

        Raises:
            JoseError: it is known that none is.
        """
        known = self.signing_algorithms_for(client)
        return "RS256" if not known or "RS256" in known else known[0]

    @abstractmethod
    def sign(
        self,
        claims: Mapping[str, Any],
        *,
        typ: str,
        algorithm: str = "RS256",
        client: Application | None = None,
    ) -> str:
        """Return a signed token in compact form, with `kid` and `typ` in its header.

        HS256, HS384 and HS512 sign with the secret of `client`, which has to be kept encrypted.

        Raises:
            JoseError: the algorithm is not known here, or the client has no secret that can be read.
        """

    def signer_of(
        self, key: str, *, algorithm: str | None = None, kid: str | None = None
    ) -> Callable[[Mapping[str, Any], str], str]:
        """Return what signs claims, given them and a `typ`, with a private key that is not this provider's.

        Args:
            key: in PEM (RFC 7468), of a client that authenticates by it elsewhere (RFC 7523 §2.2).
            algorithm: asymmetric; None for the first that the key fits, RS256 for RSA.
            kid: what headers name as the key; None for none.

        Raises:
            JoseError: it is no private key that fits the algorithm, or nothing here signs so.
        """
        raise JoseError("nothing here signs with a key that it is given")

    @abstractmethod
    def verify_own(self, token: str, *, typ: Collection[str], client: Application | None = None) -> Jwt:
        """Return a token that this provider signed, with a key it still publishes or with a client's secret.

        Args:
            token: in compact form.
            typ: what the header's `typ` may be, compared without case; `""` lets it be absent.
            client: whose secret counts for HS256, HS384 and HS512; without it these are refused.

        Raises:
            UntrustedToken: it is not ours, or not of this type.
        """

    @abstractmethod
    def verify_of_client(
        self, token: str, client: Application, *, algorithms: Collection[str], typ: Collection[str]
    ) -> Jwt:
        """Return a token that a client signed, with a key of its `jwks` or `jwks_uri`, or with its secret.

        Args:
            token: in compact form.
            client: who should have signed it.
            algorithms: what is allowed for this use; `none` only if named here.
            typ: see `verify_own`.

        Raises:
            UntrustedToken: it is not the client's, or the client has no keys. KeysUnavailable, which is one, where they
                are elsewhere and cannot be had now.
        """

    @abstractmethod
    def read(self, token: str) -> Jwt:
        """Return header and claims of a token without verifying it, to learn whose it claims to be.

        Raises:
            UntrustedToken: it is no token, or larger than one may be.
        """

    @abstractmethod
    def half_digest(self, value: str, algorithm: str) -> str:
        """Return the left half of the digest of a value under the hash of an algorithm, as base64url.

        It is what at_hash and c_hash are (OpenID Connect Core §3.1.3.6), and s_hash of FAPI.
        """

    @abstractmethod
    def publish(self, message: Message) -> Answer:
        """Answer a request for the JWK Set (RFC 7517 §5): public members only, cacheable."""
