"""Sessions in the pages of administrators, on that of their person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from typing_extensions import override

from portula.errors import AdminRefused
from portula.plugin import AdminAction, AdminResult, RecordsOfPerson
from portula_sessions.commands import facts_of
from portula_sessions.sessions import ServerSessions

BETWEEN = ":"
"""Stands between sid and subject in an identifier; no sid of ours has it."""
END = AdminAction(
    name="end",
    description="End",
    danger=True,
    hint="That browser is signed out, and apps that listen are told. Tokens are not touched.",
)


class SessionRecords(RecordsOfPerson):
    """Where a person is signed in."""

    slug = "sessions"
    title = "Session"
    title_plural = "Sessions"
    columns: ClassVar[Mapping[str, str]] = {
        "device": "Device",
        "address": "Address",
        "started_at": "Begun",
        "seen_at": "In use",
    }

    def __init__(self, sessions: ServerSessions) -> None:
        """Take the sessions."""
        self._sessions = sessions

    @override
    def page_of(self, subject: str, *, limit: int, after: str | None = None) -> Sequence[Mapping[str, Any]]:
        last = None if after is None else after.partition(BETWEEN)[0]
        return [_facts(subject, each) for each in self._sessions.page(subject, limit=limit, after=last)]

    @override
    def find(self, identifier: str) -> Mapping[str, Any] | None:
        sid, _, subject = identifier.partition(BETWEEN)
        found = self._sessions.find(subject, sid)
        return _facts(subject, found) if found else None

    @override
    def actions(self, facts: Mapping[str, Any]) -> Sequence[AdminAction]:
        return [END]

    @override
    def act(self, name: str, facts: Mapping[str, Any]) -> AdminResult:
        if not self._sessions.end_one(facts["subject"], facts["sid"]):
            raise AdminRefused("The session has ended already.")
        return AdminResult(text=f"The session of {facts['username']} was ended.")


def _facts(subject: str, seen: Any) -> dict[str, Any]:
    facts = facts_of(seen)
    return {"id": f"{facts['sid']}{BETWEEN}{subject}", **facts}
