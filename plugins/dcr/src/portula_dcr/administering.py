"""Initial access tokens in the pages of administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from portula.errors import AdminRefused, DuplicateRecord
from portula.plugin import AdminAction, AdminRecords, AdminResult, PageForm, page_after
from portula_dcr.commands import MAX_NAME, WEEK, facts_of
from portula_dcr.initial_access import MAX_USES, InitialAccessTokens

if TYPE_CHECKING:
    from portula import Provider

MAX_DAYS = 3650
DAY = 24 * 3600
END = AdminAction(
    name="end",
    description="End",
    danger=True,
    hint="No further client is registered with it; those that were stay.",
)


class TokenForm(PageForm):
    """What a new token allows."""

    name = StringField("Name", [InputRequired(), Length(max=MAX_NAME)], description="Tells it from others.")
    uses = IntegerField(
        "Clients",
        [Optional(), NumberRange(1, MAX_USES)],
        description="How many may be registered with it; empty for any number.",
    )
    days = IntegerField(
        "Days",
        [Optional(), NumberRange(1, MAX_DAYS)],
        description="How long it counts; empty for ever.",
    )


class InitialAccessTokenRecords(AdminRecords):
    """The tokens with which clients may be registered."""

    slug = "initial-access-tokens"
    title = "Initial access token"
    title_plural = "Initial access tokens"
    description = "Who holds one may register clients (RFC 7591)."
    columns: ClassVar[Mapping[str, str]] = {
        "name": "Name",
        "state": "State",
        "uses": "Used",
        "max_uses": "Of",
        "expires_at": "Expires",
    }
    form = TokenForm

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider
        self._tokens = InitialAccessTokens(provider)

    @override
    def page(
        self, *, limit: int, after: str | None = None, subject: str | None = None
    ) -> Sequence[Mapping[str, Any]]:
        page = page_after(self._tokens.all(), after, limit=limit, key=lambda token: token.name)
        return [self._facts(facts_of(self._tokens, token, self._provider.now())) for token in page]

    @override
    def find(self, identifier: str) -> Mapping[str, Any] | None:
        token = self._tokens.find_by_name(identifier)
        return self._facts(facts_of(self._tokens, token, self._provider.now())) if token else None

    @override
    def actions(self, facts: Mapping[str, Any]) -> Sequence[AdminAction]:
        return [END]

    @override
    def act(self, name: str, facts: Mapping[str, Any]) -> AdminResult:
        token = self._tokens.find_by_name(facts["name"])
        if token is not None:
            self._tokens.revoke(token)
        return AdminResult(text=f"{facts['name']} was ended.")

    @override
    def form_data(self, facts: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return {"uses": 1, "days": WEEK // DAY}

    @override
    def save(self, facts: Mapping[str, Any] | None, form: PageForm) -> AdminResult:
        name, uses, days = (form.data[field] for field in ("name", "uses", "days"))
        if not name.strip() or not name.isprintable():
            raise AdminRefused("A name has printable characters only.")
        try:
            value = self._tokens.create(name, max_uses=uses, expires_in=None if days is None else days * DAY)
        except DuplicateRecord:
            raise AdminRefused("There is a token of this name already.") from None
        return AdminResult(text=f"The initial access token {name}", identifier=name, secret=value)

    @staticmethod
    def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": row["name"], **row}
