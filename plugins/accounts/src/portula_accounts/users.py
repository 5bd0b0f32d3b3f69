"""The user table: finding, making and changing people."""

from __future__ import annotations

import unicodedata
import uuid
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from portula import Plugin, plugin
from portula.errors import Conflict, DuplicateRecord, InvalidPerson
from portula.plugin import MAX_SUBJECT_LENGTH, Artifact, Plan, json_problem, plan_to_add, revoke_person
from portula_accounts.blocklist import Blocklist
from portula_accounts.passwords import Passwords, prepare
from portula_accounts.records import User
from portula_accounts.settings import AccountsSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portula import Provider

MAX_USERNAME_CHARACTERS = 255
"""What a text field of a record holds."""

_LINKS_OF = "password-link-subject"

BEHIND_SUBJECTS = "\x7f"
"""Comes behind every subject, all of which are printable ASCII."""

NO_PASSWORD = ""
"""Kept of a password where there is none: nothing verifies against it."""

SUGGESTED_FROM = 500
"""Names that are read to find the one that was meant."""

OWN_CLAIMS = frozenset({"sub", "email", "iss", "aud"})
"""Claims that are never given as further ones: each is a field of the account or the provider's word."""


class UserError(InvalidPerson):
    """An account cannot be made or changed as asked; the message says why and holds no password."""


class Users:
    """People with an account in this provider."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider; its storage is asked for later, when it stands."""
        self._provider = provider

    @cached_property
    def passwords(self) -> Passwords:
        """Hashing under PASSWORD_HASH_PROFILE."""
        hasher = self._provider.hooks.ruling(Plugin.portula_secret_hasher).answer
        return Passwords(self._provider.settings(AccountsSettings).PASSWORD_HASH_PROFILE, hasher)

    @cached_property
    def blocklist(self) -> Blocklist:
        """What nobody may choose, with PASSWORD_BLOCKLIST_FILE."""
        return Blocklist(self._provider.settings(AccountsSettings).PASSWORD_BLOCKLIST_FILE)

    def find(self, subject: str) -> User | None:
        """Return a person by subject."""
        return self._provider.storage.find(User, sub=subject)

    def find_by_name(self, username: str) -> User | None:
        """Return a person by name, in any case and width."""
        compared = comparable(username)
        return None if compared is None else self._provider.storage.find(User, username=compared)

    def create(
        self,
        username: str,
        password: str,
        *,
        subject: str | None = None,
        email: str | None = None,
        is_admin: bool = False,
        claims: Mapping[str, Any] | None = None,
    ) -> User:
        """Make an account; `claims` are further ones about the person (OpenID Connect Core §5.1).

        `subject` is one that apps know the person by already; None draws one that nobody had.

        Raises:
            UserError: the name or the subject is taken or cannot be one, or password or address are refused.
        """
        compared = _comparable_or_error(username)
        now = self._provider.now()
        user = User(
            sub=uuid.uuid4().hex if subject is None else _check_subject(subject),
            username=compared,
            display_username=username.strip(),
            password_hash=self._new_hash(password, username, email),
            email=None if email is None else _check_email(email),
            is_admin=is_admin,
            created_at=now,
            updated_at=now,
            claims=_check_claims(claims),
        )
        self._add(user)
        return user

    def _add(self, user: User) -> None:
        try:
            self._provider.storage.apply(plan_to_add(user))
        except DuplicateRecord:
            self._check_free(user)
            raise _taken_error(user.username) from None

    def _check_free(self, user: User) -> None:
        if self.find(user.sub) is not None:
            raise UserError(f"There is a user with the subject {user.sub!r} already.")
        if self.find_by_name(user.username) is not None:
            raise _taken_error(user.username)

    def plan_known(self, person: plugin.User, password_hash: str | None) -> Plan:
        """Return a plan that adds an account of somebody whom another provider knew, with the password they had there.

        Raises:
            UserError: as in `create`; without a password hash nobody signs in before a link sets one.
        """
        now, claims = self._provider.now(), dict(person.claims)
        email = claims.pop("email", None)
        user = User(
            sub=_check_subject(person.subject),
            username=_comparable_or_error(person.username),
            display_username=person.username.strip(),
            password_hash=password_hash or NO_PASSWORD,
            email=_check_email(email) if email else None,
            disabled=not person.active,
            created_at=now,
            updated_at=now,
            claims=_check_claims(claims),
        )
        self._check_free(user)
        return plan_to_add(user)

    def set_password(
        self,
        user: User,
        password: str,
        *,
        plan: Plan | None = None,
        except_sid: str | None = None,
        end_apps: bool = False,
    ) -> None:
        """Give a person another password; sessions and links that set one end, in one plan.

        Args:
            user: who gets it.
            password: the new one.
            plan: what else is written.
            except_sid: the session that goes on, if one does.
            end_apps: whether authorizations end too, and apps are forgotten.

        Raises:
            UserError: the password is refused.
            Exception: what `plan` fails with.
        """
        digest = self._new_hash(password, user.display_username, user.email)
        whole = self._plan_change(user, password_hash=digest)
        whole.extend(plan)
        whole.extend(self.plan_end_of_links(user))
        if end_apps:
            self._plan_forgetting(user, whole)
            self._end_everything(user, whole, except_sid)
        else:
            self._end_sessions(user, whole, except_sid)

    def family_of_links(self, user: User) -> str:
        """Return what joins the links with which a person may set a password."""
        return self._provider.keys.digest(_LINKS_OF, user.sub)

    def plan_end_of_links(self, user: User) -> Plan:
        """Return a plan that ends the links with which a person may set a password."""
        plan = Plan()
        plan.remove(Artifact, family=self._provider.keys.digests(_LINKS_OF, user.sub))
        return plan

    def update(
        self,
        user: User,
        *,
        username: str | None = None,
        email: str | None = None,
        is_admin: bool | None = None,
        claims: Mapping[str, Any] | None = None,
    ) -> User:
        """Change what is given of an account, and return it as it is then; sessions and tokens stay.

        Args:
            user: as it was read.
            username: another name; the subject stays.
            email: another address, `""` for none. A claim `email_verified` was about the old one and goes.
            is_admin: whether the person may administer the provider.
            claims: further ones, those of the account that are named here are replaced; None takes one away.

        Raises:
            UserError: a value is refused, the name is taken, or somebody else changes the account at this moment.
        """
        changed: dict[str, Any] = {"updated_at": self._provider.now()}
        if username is not None:
            changed |= {"username": _comparable_or_error(username), "display_username": username.strip()}
        current = dict(user.claims)
        if email is not None:
            changed["email"] = _check_email(email) if email else None
            if changed["email"] != user.email:
                current.pop("email_verified", None)
        if is_admin is not None:
            changed["is_admin"] = is_admin
        given = _check_claims(claims)
        joined = {name: value for name, value in {**current, **given}.items() if value is not None}
        if joined != user.claims:
            changed["claims"] = joined
        plan = Plan()
        plan.change(user, given={"updated_at": user.updated_at, "username": user.username}, **changed)
        try:
            self._provider.storage.apply(plan)
        except DuplicateRecord:
            raise _taken_error(changed["username"]) from None
        except Conflict:
            raise UserError("Somebody else changed this account at this moment; try again.") from None
        return replace(user, **changed)

    def disable(self, user: User) -> None:
        """Shut a person out (attack S27): no sign-in, and sessions and authorizations end, in one plan."""
        self._end_everything(user, self._plan_change(user, disabled=True))

    def enable(self, user: User) -> None:
        """Let a person in again; sessions and authorizations that ended stay ended."""
        self._provider.storage.apply(self._plan_change(user, disabled=False))

    def remove(self, user: User) -> None:
        """Remove an account with its sessions, authorizations and consents, in one plan."""
        plan = self.plan_end_of_links(user)
        plan.remove(User, sub=user.sub)
        self._plan_forgetting(user, plan)
        self._end_everything(user, plan)

    def promote(self, user: User) -> None:
        """Let a person administer the provider."""
        self._provider.storage.apply(self._plan_change(user, is_admin=True))

    def rehash(self, user: User, password: str) -> User:
        """Keep a password that was just verified as our own hash of today's profile, unless it has changed meanwhile.

        Returns:
            The person with the new hash, or with that of another sign-in which renewed it in this moment; as given
            where the password is not theirs any more.
        """
        if not self.passwords.needs_rehash(user.password_hash):
            return user
        plan, given = Plan(), {"password_hash": user.password_hash}
        digest = self.passwords.renew(password)
        plan.change(user, given=given, password_hash=digest)
        try:
            self._provider.storage.apply(plan)
        except Conflict:
            found = self.find(user.sub)
            same = found is not None and self.passwords.verify(password, found.password_hash)
            return found if found is not None and same else user
        return replace(user, password_hash=digest)

    def plan_same(self, user: User) -> Plan:
        """Return a plan that is applied only while a person has this password and may sign in."""
        plan = Plan()
        plan.require(user, password_hash=user.password_hash, disabled=False)
        return plan

    def page(self, *, limit: int, after: str | None = None) -> list[User]:
        """Return up to `limit` people behind the name `after`, in order of name, or of subject without walks."""
        storage = self._provider.storage
        if not storage.walks(User):
            last = None if after is None else self.find_by_name(after)
            return storage.select(User, limit=limit, after=last.sub if last else None)
        place = None if after is None else (comparable(after) or "", BEHIND_SUBJECTS)
        return storage.walk(User, "username", limit=limit, after=place)

    def near(self, username: str) -> list[str]:
        """Return names that begin as this one does, else the first there are: some hundreds at the most."""
        storage, compared = self._provider.storage, comparable(username) or ""
        if not storage.walks(User):
            found = storage.select(User, limit=SUGGESTED_FROM)
        else:
            found = storage.walk(User, "username", limit=SUGGESTED_FROM, prefix=compared[:1])
            found = found or storage.walk(User, "username", limit=SUGGESTED_FROM)
        return [user.display_username for user in found]

    def _plan_change(self, user: User, **values: object) -> Plan:
        plan = Plan()
        plan.change_all(User, {"sub": user.sub}, updated_at=self._provider.now(), **values)
        return plan

    def _plan_forgetting(self, user: User, plan: Plan) -> None:
        """Plan to forget what a person allowed apps, where that is kept."""
        consent = self._provider.hooks.ruling(Plugin.portula_consent).answer
        if consent is not None:
            consent.forget(user.sub, plan)

    def _end_sessions(self, user: User, plan: Plan, except_sid: str | None = None) -> int:
        sessions = self._provider.hooks.ask(Plugin.portula_sessions)
        return sessions.end_all(user.sub, plan, except_sid=except_sid)

    def _end_everything(self, user: User, plan: Plan, except_sid: str | None = None) -> None:
        def apply(whole: Plan) -> int:
            return self._end_sessions(user, whole, except_sid)

        revoke_person(self._provider, user.sub, plan, apply=apply)

    def _new_hash(self, password: str, username: str, email: str | None) -> str:
        """Return what is kept of a password that somebody chooses, unless the blocklist has it."""
        digest = self._hash(password)
        host = urlsplit(self._provider.issuer or "").hostname or ""
        names = [username, email or "", self._provider.core_settings.PROVIDER_NAME, host]
        problem = self.blocklist.problem(prepare(password) or "", names)
        if problem:
            raise UserError(problem)
        return digest

    def _hash(self, password: str) -> str:
        try:
            return self.passwords.hash(password)
        except ValueError as error:
            raise UserError(str(error)) from None


def comparable(username: str) -> str | None:
    """Return a name as it is compared (RFC 8265 §3.3 in spirit: NFKC, case folded), or None if it cannot be one."""
    typed = username.strip()
    if not 0 < len(typed) <= MAX_USERNAME_CHARACTERS or not typed.isprintable():
        return None
    compared = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).casefold())
    fits = 0 < len(compared) <= MAX_USERNAME_CHARACTERS and compared.isprintable()
    return compared if fits else None


def facts_of(user: User) -> dict[str, Any]:
    """Return what is shown of an account: everything but the password."""
    return {
        "sub": user.sub,
        "username": user.display_username,
        "email": user.email,
        "is_admin": user.is_admin,
        "disabled": user.disabled,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "claims": user.claims,
    }


def _comparable_or_error(username: str) -> str:
    compared = comparable(username)
    if compared is None:
        raise UserError("A user name has 1 to 255 characters, none of them invisible.")
    return compared


def _check_subject(subject: str) -> str:
    """Refuse what is no subject: one has up to 255 ASCII characters (OpenID Connect Core §2, `sub`)."""
    if not 0 < len(subject) <= MAX_SUBJECT_LENGTH or any(not "!" <= each <= "~" for each in subject):
        raise UserError(
            f"A subject has 1 to {MAX_SUBJECT_LENGTH} printable ASCII characters, none of them a space."
        )
    return subject


def _check_email(email: str) -> str:
    local, at, domain = email.rpartition("@")
    plausible = bool(local and at and domain) and len(email) <= 254 and email.isprintable()
    if not plausible or " " in email:
        raise UserError("This is no e-mail address.")
    return email


def _check_claims(claims: Mapping[str, Any] | None) -> dict[str, Any]:
    own = OWN_CLAIMS.intersection(claims or ())
    if own:
        raise UserError(f"The claim {min(own)!r} is not among those given: the account itself says it.")
    problem = json_problem(dict(claims or {}))
    if problem:
        raise UserError(f"The claims cannot be kept as JSON: {problem}.")
    return dict(claims or {})


def _taken_error(compared: str) -> UserError:
    return UserError(f"There is a user named {compared!r} already.")
