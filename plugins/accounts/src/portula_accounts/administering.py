"""People in the pages of administrators."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override
from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from portula.errors import AdminRefused
from portula.plugin import AdminAction, AdminRecords, AdminResult, PageForm
from portula_accounts.password_links import PasswordLinks
from portula_accounts.records import User
from portula_accounts.users import MAX_USERNAME_CHARACTERS, UserError, Users, facts_of

if TYPE_CHECKING:
    from portula import Provider

DISABLE = AdminAction(
    name="disable",
    description="Disable",
    danger=True,
    hint="No sign-in, no session and no token works from now on. Who is enabled again signs in anew.",
)
ENABLE = AdminAction(name="enable", description="Enable", hint="The person may sign in again.")
LINK = AdminAction(
    name="link",
    description="Make a link that sets a password",
    hint="The link sets a password once. An earlier one that was not used ends.",
)
REMOVE = AdminAction(
    name="remove",
    description="Remove",
    danger=True,
    hint="The account goes for good, with sessions, tokens and connected apps.",
)


class UserForm(PageForm):
    """What is known of a person."""

    username = StringField("User name", [InputRequired(), Length(max=MAX_USERNAME_CHARACTERS)])
    email = StringField("E-mail address", [Length(max=254)])
    is_admin = BooleanField("May administer this provider")
    claims = TextAreaField("Further claims", [Length(max=16384)], description="A JSON object.")


class UserRecords(AdminRecords):
    """People with an account."""

    slug = "users"
    title = "User"
    title_plural = "Users"
    description = "The people with an account here, where they are signed in, and what their apps may do."
    columns: ClassVar[Mapping[str, str]] = {
        "username": "Name",
        "email": "E-mail",
        "is_admin": "Admin",
        "disabled": "Disabled",
        "created_at": "Created",
    }
    form = UserForm
    edits = True

    def __init__(self, provider: Provider, users: Users) -> None:
        """Take the provider and its people."""
        self._provider = provider
        self._users = users
        self._links = PasswordLinks(provider, users)

    @override
    def page(
        self, *, limit: int, after: str | None = None, subject: str | None = None
    ) -> Sequence[Mapping[str, Any]]:
        last = None if after is None else self._users.find(after)
        found = self._users.page(limit=limit, after=last.username if last else None)
        return [_facts(user) for user in found]

    @override
    def find(self, identifier: str) -> Mapping[str, Any] | None:
        user = self._users.find(identifier) or self._users.find_by_name(identifier)
        return _facts(user) if user else None

    @override
    def actions(self, facts: Mapping[str, Any]) -> Sequence[AdminAction]:
        return [ENABLE, REMOVE] if facts["disabled"] else [LINK, DISABLE, REMOVE]

    @override
    def act(self, name: str, facts: Mapping[str, Any]) -> AdminResult:
        user = self._user(facts)
        if name == "link":
            return self._link(user, "A link that sets a password")
        if name == "remove":
            self._users.remove(user)
            return AdminResult(text=f"{user.display_username} was removed.")
        if name == "disable":
            self._users.disable(user)
        else:
            self._users.enable(user)
        return AdminResult(text=f"{user.display_username} was {name}d.", identifier=user.sub)

    @override
    def form_data(self, facts: Mapping[str, Any] | None) -> Mapping[str, Any]:
        if facts is None:
            return {}
        return {**facts, "claims": json.dumps(facts["claims"], indent=2, ensure_ascii=False)}

    @override
    def save(self, facts: Mapping[str, Any] | None, form: PageForm) -> AdminResult:
        given = {name: value for name, value in form.data.items() if name != "csrf_token"}
        claims, email = _read_claims(given["claims"] or "{}"), (given["email"] or "").strip()
        try:
            if facts is None:
                made = self._users.create(
                    given["username"],
                    secrets.token_urlsafe(),
                    email=email or None,
                    is_admin=given["is_admin"],
                    claims=claims,
                )
                return self._link(made, "The account was made; this link sets its password")
            user = self._user(facts)
            gone = dict.fromkeys(user.claims.keys() - claims.keys())
            changed = self._users.update(
                user,
                username=given["username"],
                email=email,
                is_admin=given["is_admin"],
                claims={**claims, **gone},
            )
        except UserError as error:
            raise AdminRefused(str(error)) from None
        return AdminResult(text="The changes were saved.", identifier=changed.sub)

    @override
    def subject(self, facts: Mapping[str, Any]) -> str:
        return str(facts["sub"])

    def _user(self, facts: Mapping[str, Any]) -> User:
        user = self._users.find(facts["sub"])
        if user is None:
            raise AdminRefused("The account is gone.")
        return user

    def _link(self, user: User, text: str) -> AdminResult:
        origin = self._provider.root_of(self._provider.current_issuer())
        return AdminResult(text=text, identifier=user.sub, secret=self._links.create(user, origin))


def _facts(user: User) -> dict[str, Any]:
    return {"id": user.sub, **facts_of(user)}


def _read_claims(text: str) -> dict[str, Any]:
    try:
        claims = json.loads(text)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise AdminRefused("The further claims are no JSON object.")
    return claims
