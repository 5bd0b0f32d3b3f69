"""Names that may be used once, such as the `jti` of a JWT (RFC 7519 §4.1.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.flow.client_cache import note_use, used_before
from portula.model.errors import DuplicateRecord
from portula.model.keys import unkeyed_digest
from portula.model.plans import plan_to_add
from portula.model.records import Artifact

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer


def use_once(
    provider: AuthorizationServer, kind: str, name: str, *, until: int, client_id: str | None = None
) -> bool:
    """Use a name up, in all processes together, whatever becomes of the request; False when it was used before.

    Its digest depends on no key of SECRET_KEYS: while these change, some processes have the next ones already.

    Args:
        provider: whose storage remembers it.
        kind: of the artifact that stands for it.
        name: unique among those of the kind; only its digest is stored.
        until: Unix seconds from which on it need not be remembered.
        client_id: whose it is, if a client's.
    """
    used = Artifact(
        digest=unkeyed_digest(f"{provider.keys.namespace}\0{kind}\0{name}"),
        kind=kind,
        payload={},
        issued_at=provider.now(),
        client_id=client_id,
        expires_at=until,
    )
    try:
        provider.storage.apply(plan_to_add(used))
    except DuplicateRecord:
        return used_before(used.digest)
    note_use(used.digest)
    return True
