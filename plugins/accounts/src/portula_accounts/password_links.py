"""Links with which a person sets a password: made by an administrator, used once, kept as digests."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula.errors import RecordReplayed
from portula.plugin import Artifact, Plan
from portula_accounts.records import User
from portula_accounts.settings import AccountsSettings
from portula_accounts.users import UserError, Users

if TYPE_CHECKING:
    from portula import Provider

KIND = "password-link"
TOKEN_BYTES = 32
PATH = "/set-password/"


@dataclass(frozen=True, slots=True)
class PasswordLink:
    """A link that counts, and whose it is."""

    artifact: Artifact
    user: User


class PasswordLinks:
    """The links of one provider."""

    def __init__(self, provider: Provider, users: Users) -> None:
        """Take the provider and its people."""
        self._provider = provider
        self._users = users

    def create(self, user: User, origin: str, lifetime: int | None = None) -> str:
        """Make a link for a person and return it, the only time; an earlier one that was not used ends.

        Args:
            user: who may set a password with it.
            origin: scheme and host of the provider.
            lifetime: seconds for which it counts; PASSWORD_LINK_SECONDS if None.
        """
        provider, now = self._provider, self._provider.now()
        settings = provider.settings(AccountsSettings)
        token, plan = secrets.token_urlsafe(TOKEN_BYTES), self._users.plan_end_of_links(user)
        plan.add(
            Artifact(
                digest=provider.keys.digest(KIND, token),
                kind=KIND,
                payload={"subject": user.sub},
                issued_at=now,
                expires_at=now + (lifetime or settings.PASSWORD_LINK_SECONDS),
                family=self._users.family_of_links(user),
            )
        )
        provider.storage.apply(plan)
        return f"{origin}{settings.ACCOUNTS_PATH}{PATH}?token={token}"

    def find(self, token: str) -> PasswordLink | None:
        """Return the link with this token, unless it was used or ended, or its person is gone or disabled."""
        storage = self._provider.storage
        found = storage.find(Artifact, digest=self._provider.keys.digests(KIND, token))
        if found is None or found.taken_at is not None or (found.expires_at or 0) <= self._provider.now():
            return None
        user = self._users.find(found.payload["subject"])
        return None if user is None or user.disabled else PasswordLink(found, user)

    def use(self, link: PasswordLink, password: str) -> None:
        """Set a password, which uses the link up and ends all sessions, in one plan.

        Raises:
            UserError: the password is refused; or somebody else used the link at this moment.
        """
        plan = Plan()
        plan.take(link.artifact, at=self._provider.now())
        try:
            self._users.set_password(link.user, password, plan=plan)
        except RecordReplayed:
            raise UserError("This link was used at this moment.") from None
