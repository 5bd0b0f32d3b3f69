"""Consents in the pages of administrators, on that of their person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from portula.plugin import AdminAction, AdminResult, Artifact, RecordsOfPerson
from portula_consent.commands import facts_of
from portula_consent.memory import ConsentMemory

if TYPE_CHECKING:
    from portula import Provider

BETWEEN = " "
"""Stands between client and subject in an identifier; no client_id has it."""
REMOVE = AdminAction(
    name="remove",
    description="Disconnect",
    danger=True,
    hint="The app loses all tokens that it has for this person, and has to ask the person again.",
)


class ConsentRecords(RecordsOfPerson):
    """What a person allowed apps."""

    slug = "consents"
    title = "Connected app"
    title_plural = "Connected apps"
    columns: ClassVar[Mapping[str, str]] = {
        "client_id": "Client ID",
        "client_name": "Name",
        "scopes": "Scopes",
        "given_at": "Given",
    }

    def __init__(self, provider: Provider, memory: ConsentMemory) -> None:
        """Take the provider and what it remembers."""
        self._provider = provider
        self._memory = memory

    @override
    def page_of(self, subject: str, *, limit: int, after: str | None = None) -> Sequence[Mapping[str, Any]]:
        last = None if after is None else after.partition(BETWEEN)[0]
        return self._facts(subject, self._memory.page(subject, limit=limit, after=last))

    @override
    def find(self, identifier: str) -> Mapping[str, Any] | None:
        client_id, _, subject = identifier.partition(BETWEEN)
        found = self._memory.find(subject, client_id)
        return self._facts(subject, [found])[0] if found else None

    @override
    def actions(self, facts: Mapping[str, Any]) -> Sequence[AdminAction]:
        return [REMOVE]

    @override
    def act(self, name: str, facts: Mapping[str, Any]) -> AdminResult:
        self._memory.withdraw(facts["subject"], facts["client_id"])
        return AdminResult(text=f"{facts['client_id']} was disconnected.")

    def _facts(self, subject: str, consents: list[Artifact]) -> list[dict[str, Any]]:
        rows = facts_of(self._provider, subject, consents)
        return [{"id": f"{row['client_id']}{BETWEEN}{subject}", "subject": subject, **row} for row in rows]
