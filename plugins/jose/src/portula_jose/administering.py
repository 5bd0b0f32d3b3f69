"""Keys in the pages of administrators; private parts are in none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from portula.plugin import AdminAction, AdminRecords, AdminResult, page_after
from portula_jose.commands import rows_of
from portula_jose.stored_keys import State

if TYPE_CHECKING:
    from portula_jose.jose import SigningRoom

ROTATE = AdminAction(
    name="rotate",
    description="Make the next key",
    hint="It is published now, and takes over when everybody has seen it. Nothing happens if one waits already.",
)


class KeyRecords(AdminRecords):
    """Keys that sign tokens, and that decrypt them."""

    slug = "keys"
    title = "Key"
    title_plural = "Keys"
    description = (
        "The keys that sign tokens or decrypt them, which of them do now, and until when the others are kept."
    )
    columns: ClassVar[Mapping[str, str]] = {
        "kid": "Key",
        "algorithms": "Algorithms",
        "state": "State",
        "from": "From",
        "until_at": "Until",
    }

    def __init__(self, jose: SigningRoom) -> None:
        """Take what signs."""
        self._jose = jose

    @override
    def page(
        self, *, limit: int, after: str | None = None, subject: str | None = None
    ) -> Sequence[Mapping[str, Any]]:
        rows = [_facts(row) for row in rows_of(self._jose)]
        return page_after(rows, after, limit=limit, key=lambda row: row["id"])

    @override
    def find(self, identifier: str) -> Mapping[str, Any] | None:
        return next((_facts(row) for row in rows_of(self._jose) if row["kid"] == identifier), None)

    @override
    def actions(self, facts: Mapping[str, Any]) -> Sequence[AdminAction]:
        return [ROTATE] if self._jose.ring is not None and facts["state"] == State.ACTIVE.value else []

    @override
    def act(self, name: str, facts: Mapping[str, Any]) -> AdminResult:
        assert self._jose.ring is not None  # noqa: S101 - the action is offered with a ring only
        made = self._jose.ring.rotate(facts["algorithms"][0])
        return AdminResult(text="The next key was made.", identifier=made.public.kid)


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["kid"],
        "kid": row["kid"],
        "algorithms": row["algorithms"],
        "state": row["state"],
        "from": row["from"],
        "made_at": row["made_at"],
        "signs_from_at": row["signs_from"],
        "until_at": row["until"],
    }
