"""Authorizations in the pages of administrators, on that of their person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from portula import hookimpl
from portula.plugin import AdminAction, AdminResult, Authorization, RecordsOfPerson
from portula_oauth2.token_commands import facts_of, revoke_one

if TYPE_CHECKING:
    from portula import Provider

REVOKE = AdminAction(
    name="revoke",
    description="Revoke",
    danger=True,
    hint="All tokens of this authorization stop working at once. This cannot be undone.",
)


class AuthorizationRecords(RecordsOfPerson):
    """What a person's apps may do."""

    slug = "authorizations"
    title = "Authorization"
    title_plural = "Authorizations"
    columns: ClassVar[Mapping[str, str]] = {
        "id": "ID",
        "client_id": "Client ID",
        "scope": "Scope",
        "issued_at": "Issued",
        "state": "State",
    }

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider

    @override
    def page_of(self, subject: str, *, limit: int, after: str | None = None) -> Sequence[Mapping[str, Any]]:
        storage = self._provider.storage
        if storage.walks(Authorization):
            last = None if after is None else storage.find(Authorization, id=after)
            place = None if last is None else (last.issued_at, last.id)
            walk = storage.walk
            found = walk(
                Authorization, "issued_at", descending=True, limit=limit, after=place, subject=subject
            )
        else:
            found = storage.select(Authorization, limit=limit, after=after, subject=subject)
        return [facts_of(self._provider, each) for each in found]

    @override
    def find(self, identifier: str) -> Mapping[str, Any] | None:
        found = self._provider.storage.find(Authorization, id=identifier)
        return facts_of(self._provider, found) if found else None

    @override
    def actions(self, facts: Mapping[str, Any]) -> Sequence[AdminAction]:
        return [] if facts["state"] == "revoked" else [REVOKE]

    @override
    def act(self, name: str, facts: Mapping[str, Any]) -> AdminResult:
        found = self._provider.storage.find(Authorization, id=facts["id"])
        if found is not None:
            revoke_one(self._provider, found)
        return AdminResult(text="The authorization was revoked.", identifier=facts["id"])


@hookimpl
def portula_admin_records(provider: Provider) -> list[AuthorizationRecords]:
    """Contribute what a person's apps may do."""
    return [AuthorizationRecords(provider)]
