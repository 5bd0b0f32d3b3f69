"""The login slot, answered with users of our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from flask import request

from portula import Plugin, plugin
from portula.errors import Conflict
from portula.plugin import Application, AuthenticatedUser, Login, LoginFailed, LoginSucceeded, StoredPeople
from portula_accounts.limits import FailureLimit
from portula_accounts.records import User
from portula_accounts.users import Users, comparable

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Counts, Plan, Storage

KEPT_IN_URLS = "!#$%&'()*+,/:;=?@[]~"
"""RFC 3986 §2: characters that mean something in a URL; clients send others raw in a query, which we then encode."""
STORED = StoredPeople(User, "sub", lambda user: user.as_seen())
PASSWORD = ("pwd",)
"""RFC 8176 §2: password-based authentication."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a name and a password."""

    user: User | None = None
    retry_after: int = 0
    """Seconds to wait, when too many attempts failed; the password was not looked at."""


class AccountsLogin(Login):
    """Signs people in with name and password."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider; nothing is read before it stands."""
        self._provider = provider
        self._limit = FailureLimit(provider)
        self._cached = f"portula.{provider.name}.accounts"
        self.users = Users(provider)

    def current(self) -> AuthenticatedUser | None:
        """Return who is signed in; None where the person was disabled or removed since."""
        session = self._provider.hooks.ask(Plugin.portula_sessions).current()
        if session is None:
            return None
        user = self._read_once(session.subject)
        if user is None or not user.active:
            return None
        return AuthenticatedUser(
            subject=user.subject,
            username=user.username,
            auth_time=session.auth_time,
            amr=session.amr,
            sid=session.sid,
            authentication=session.authentication,
        )

    def login_url(self, next_url: str, client: Application | None = None) -> str:
        """Return the sign-in page, which sends the browser back to `next_url`."""
        named = {} if client is None else {"client_id": client.client_id}
        return self._provider.url_for("accounts.login", next=quote(next_url, safe=KEPT_IN_URLS), **named)

    def account_url(self) -> str:
        """Return the page of the person's account."""
        return self._provider.url_for("accounts.account")

    def sign_out_url(self) -> str:
        """Return the page that asks whether to sign out."""
        return self._provider.url_for("accounts.logout")

    def sign_out(self) -> None:
        """End the browser's session."""
        self._provider.hooks.ask(Plugin.portula_sessions).end()

    def sign_out_with(self, storage: Storage, plan: Plan) -> Counts:
        """End the browser's session in one plan with what else ends."""
        return self._provider.hooks.ask(Plugin.portula_sessions).end(plan)

    def find(self, subject: str) -> plugin.User | None:
        """Return a person by subject."""
        user = self.users.find(subject)
        return user.as_seen() if user else None

    def stored_people(self) -> StoredPeople | None:
        """Return where `find` looks; None where a deployment has put another in its place."""
        ours = ((self.find, AccountsLogin.find), (self.users.find, Users.find))
        return STORED if all(getattr(find, "__func__", None) is own for find, own in ours) else None

    def find_by_name(self, username: str) -> plugin.User | None:
        """Return a person by name."""
        user = self.users.find_by_name(username)
        return user.as_seen() if user else None

    def plan_person(self, person: plugin.User, password_hash: str | None) -> Plan:
        """Plan an account for somebody whom another provider knew."""
        return self.users.plan_known(person, password_hash)

    def names_near(self, username: str) -> list[str]:
        """Return names among which the one that was meant may be."""
        return self.users.near(username)

    def authenticate(self, username: str, password: str, client_address: str) -> plugin.User | None:
        """Check a password for the password grant, under the limits of the sign-in page."""
        user = self.verify(username, password, client_address).user
        if user is None:
            return None
        self._tell_success(user, client_address)
        return user.as_seen()

    def verify(
        self, username: str, password: str, client_address: str, browser: str | None = None
    ) -> Verdict:
        """Judge a name and a password of somebody who signs in as `judge` does, and renew the hash where it is due."""
        verdict = self.judge(username, password, client_address, browser)
        return verdict if verdict.user is None else Verdict(self.users.rehash(verdict.user, password))

    def begin_session(self, user: User, client_address: str) -> bool:
        """Begin a session of a person whose password was verified; not if another was set meanwhile, or they are out.

        A comparison takes its time, and many wait for theirs: what was true before it need not be afterwards. The
        listeners are told of either end.
        """
        sessions = self._provider.hooks.ask(Plugin.portula_sessions)
        try:
            sessions.start(user.sub, user.display_username, PASSWORD, self.users.plan_same(user))
        except Conflict:
            self._tell_failure(user.username, "the account changed meanwhile", client_address, user)
            return False
        self._tell_success(user, client_address)
        return True

    def judge(self, username: str, password: str, client_address: str, browser: str | None = None) -> Verdict:
        """Judge a name and a password under the limits, and tell the listeners of a failure.

        Args:
            username: as typed.
            password: as typed.
            client_address: of the browser.
            browser: one at which the person signed in before; None for any other.

        An unknown name, a wrong password and a disabled account take the same time and look alike (attack S51).
        """
        attempt = self._limit.begin(comparable(username) or "", client_address, browser)
        if attempt.retry_after:
            self._tell_failure(username, "too many failures", client_address)
            return Verdict(retry_after=attempt.retry_after)
        user = self.users.find_by_name(username)
        right = self.users.passwords.verify(password, user.password_hash if user else None)
        if user is None or not right or user.disabled:
            reason = "disabled" if user and right else "wrong credentials"
            self._tell_failure(username, reason, client_address, user)
            return Verdict()
        self._limit.forgive(attempt)
        return Verdict(user)

    def _tell_success(self, user: User, client_address: str) -> None:
        event = LoginSucceeded(
            provider=self._provider, subject=user.sub, amr=PASSWORD, address=client_address
        )
        self._provider.hooks.tell(Plugin.portula_login_succeeded, event)

    def _tell_failure(
        self, username: str, reason: str, client_address: str, user: User | None = None
    ) -> None:
        event = LoginFailed(
            provider=self._provider,
            username=username,
            reason=reason,
            address=client_address,
            subject=user.sub if user else None,
        )
        self._provider.hooks.tell(Plugin.portula_login_failed, event)

    def _read_once(self, subject: str) -> plugin.User | None:
        """Read the person once a request, if not together with the session."""
        known = cast("plugin.User | None", request.environ.get(self._cached))
        if known is None or known.subject != subject:
            known = request.environ[self._cached] = self._provider.people.find(subject)
        return known
