"""The user table: finding, making and changing people."""

from __future__ import annotations

import unicodedata
import uuid
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import Conflict, DuplicateRecord, PortulaError
from portula.plugin import Plan, added
from portula_accounts.passwords import Passwords
from portula_accounts.records import User
from portula_accounts.settings import AccountsSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portula import Provider

MAX_USERNAME_CHARACTERS = 255
"""What a text field of a record holds."""

OWN_CLAIMS = frozenset({"sub", "email", "iss", "aud"})
"""Claims that are never given as further ones: each is a field of the account or the provider's word."""


class UserError(PortulaError):
    """An account cannot be made or changed as asked; the message says why and holds no password."""


class Users:
    """People with an account in this provider."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider; its storage is asked for later, when it stands."""
        self._provider = provider

    @cached_property
    def passwords(self) -> Passwords:
        """Hashing under PASSWORD_HASH_PROFILE."""
        return Passwords(self._provider.settings(AccountsSettings).PASSWORD_HASH_PROFILE)

    def find(self, subject: str) -> User | None:
        """Return a person by subject."""
        return self._provider.storage.find(User, sub=subject)

    def named(self, username: str) -> User | None:
        """Return a person by name, in any case and width."""
        compared = comparable(username)
        return None if compared is None else self._provider.storage.find(User, username=compared)

    def create(
        self,
        username: str,
        password: str,
        *,
        email: str | None = None,
        is_admin: bool = False,
        claims: Mapping[str, Any] | None = None,
    ) -> User:
        """Make an account; `claims` are further ones about the person (OpenID Connect Core §5.1).

        Raises:
            UserError: the name is taken or cannot be one, or name, password or address are refused.
        """
        compared = comparable(username)
        if compared is None:
            raise UserError("A user name has 1 to 255 characters, none of them invisible.")
        if email is not None and not _plausible_address(email):
            raise UserError("This is no e-mail address.")
        kept = OWN_CLAIMS.intersection(claims or ())
        if kept:
            raise UserError(f"The claim {min(kept)!r} is not among those given: the account itself says it.")
        now = self._provider.now()
        user = User(
            sub=uuid.uuid4().hex,
            username=compared,
            display_username=username.strip(),
            password_hash=self._hash(password),
            email=email,
            is_admin=is_admin,
            created_at=now,
            updated_at=now,
            claims=dict(claims or {}),
        )
        try:
            self._provider.storage.apply(added(user))
        except DuplicateRecord:
            raise UserError(f"There is a user named {compared!r} already.") from None
        return user

    def set_password(self, user: User, password: str) -> None:
        """Give a person another password and end their sessions.

        Raises:
            UserError: the password is refused.
        """
        self._change(user, password_hash=self._hash(password))

    def disable(self, user: User) -> None:
        """Shut a person out: no sign-in, no session, no token works any more (attack S27)."""
        self._change(user, disabled=True)

    def promote(self, user: User) -> None:
        """Let a person administer the provider."""
        self._change(user, is_admin=True)

    def rehash(self, user: User, password: str) -> None:
        """Keep a password that was just verified under today's profile, unless it has changed meanwhile."""
        if self.passwords.outdated(user.password_hash):
            plan, given = Plan(), {"password_hash": user.password_hash}
            plan.change(user, given=given, password_hash=self._hash(password))
            with suppress(Conflict):
                self._provider.storage.apply(plan)

    def _change(self, user: User, **values: object) -> None:
        plan = Plan()
        plan.change_all(User, {"sub": user.sub}, updated_at=self._provider.now(), **values)
        self._provider.storage.apply(plan)
        self._provider.hooks.ask(Plugin.portula_sessions).end_all(user.sub)

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


def _plausible_address(email: str) -> bool:
    local, at, domain = email.rpartition("@")
    return bool(local and at and domain) and len(email) <= 254 and email.isprintable() and " " not in email
