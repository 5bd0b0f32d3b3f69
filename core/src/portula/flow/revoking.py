"""Ending tokens before their time, the same way whoever does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.model.records import AccessToken, RefreshToken

if TYPE_CHECKING:
    from portula.model.plans import Condition
    from portula.model.storage import Storage


def revoke_tokens(storage: Storage, now: int, **where: Condition) -> None:
    """Revoke every token that matches, those too that a refresh under way adds while this waits for its row.

    A revoked refresh token is of no more use to anybody, so it expires too and is purged; an access token does so by
    itself, soon.

    Args:
        storage: of the provider.
        now: Unix seconds, UTC.
        where: as for `Store.change`, e.g. `family=…`; the same fields of both kinds of token.
    """
    live = {**where, "revoked_at": None}
    with storage.transaction():
        while storage.change(RefreshToken, live, revoked_at=now, expires_at=now):
            pass
        storage.change(AccessToken, live, revoked_at=now)
