"""Clients that a process remembers for a moment (CLIENT_CACHE_SECONDS), and requests answered anew where one changed.

Nothing rests on a client that is remembered: a plan requires it to be as it was read, in the write that there is in any
case, a read that tells something brings it along, and before a request is refused it is read again. Where it is not so,
the request is answered anew with what is stored. Steps before the plan is applied write single uses, which hold for
both attempts, and counts of wrong secrets and guesses, of which one more does no harm; who writes more confirms the
client first.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from portula.model.errors import Conflict
from portula.model.plans import Change, ChangeAll, Remove
from portula.model.records import Application
from portula.model.storage import Pointer

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.model.plans import Condition, Counts, Plan

T = TypeVar("T")

COMPARED = ("version", "disabled", "created_at")
"""Fields by which a client is known to be as it was; one that was made anew under its name began at another version."""

MOST = 1000
"""Clients that a process remembers; beyond that it forgets all of them."""


class ClientChanged(Conflict):
    """A client that was remembered is not as it is stored: what was decided by it is void."""


@dataclass(slots=True)
class _Attempt:
    """A request that is answered, and answered anew where a client that was remembered had changed."""

    reads_cache: bool = True
    used: set[str] = field(default_factory=set)
    """Digests of what this attempt has used up."""
    used_before: set[str] = field(default_factory=set)
    """Digests of what an attempt used up that came to nothing, and that this one has not used yet."""


_ATTEMPT: ContextVar[_Attempt | None] = ContextVar("portula_attempt", default=None)


class ClientCache:
    """Clients as they were read a moment ago; with CLIENT_CACHE_SECONDS 0 as they are stored, at no cost.

    For requests of clients. Who writes because of one applies the plan by `apply` (`Exchange.apply`), who tells
    something reads it by `find_along` or confirms the client, and who refuses confirms it too.
    """

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider, whose storage is made."""
        self._provider = provider
        self._seconds = provider.core_settings.CLIENT_CACHE_SECONDS
        self._known: dict[str, tuple[int, Application]] = {}
        storage = provider.storage
        if self._seconds and storage.keeps(Application):
            self._classes = {Application, storage.model(Application)}
            storage.on_applied.append(self._forget_changed)

    def _forget_changed(self, plan: Plan) -> None:
        """Forget all clients where a plan of this process has changed some."""
        if any(
            isinstance(part, Change | ChangeAll | Remove) and part.cls in self._classes for part in plan.parts
        ):
            self._known.clear()

    def find(self, client_id: str) -> Application | None:
        """Return the client of this name as `Clients.find` does, maybe as it was CLIENT_CACHE_SECONDS ago.

        One that is disabled, and none at all, is not remembered: what is allowed anew holds at once.
        """
        clients = self._provider.clients
        if not self._seconds or clients.is_of_a_source(client_id):
            return clients.find(client_id)
        now = self._provider.now()
        known = self._known.get(client_id)
        if known is not None and known[0] <= now < known[0] + self._seconds and _reads_cache():
            return known[1]
        found = clients.find(client_id)
        self._known.pop(client_id, None)
        if found is not None and not found.disabled:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[client_id] = (now, found)
        return found

    def apply(self, plan: Plan, client: Application | None) -> Counts:
        """Apply the plan of a request of a client, if that is stored as it was found; an empty plan as well.

        Raises:
            ClientChanged: it is not, and nothing is applied.
            Exception: what else the plan fails with; see `Storage.apply`.
        """
        storage = self._provider.storage
        if client is None or not self._may_have_changed(client):
            return storage.apply(plan)
        if not plan:
            self.confirm(client)
            return storage.apply(plan)
        plan.require(client, **{name: getattr(client, name) for name in COMPARED})
        try:
            return storage.apply(plan)
        except Conflict as conflict:
            if conflict.cls is storage.model(Application):
                self._compare(client, conflict.record)
            raise

    def confirm(self, client: Application | None) -> None:
        """Read a client again that was remembered.

        Raises:
            ClientChanged: it is not stored as it was found.
        """
        if client is not None and self._may_have_changed(client):
            self._compare(client, self._provider.clients.find(client.client_id))

    def find_along(
        self, client: Application | None, cls: type[Any], /, *along: Pointer, **keys: Condition
    ) -> tuple[Any, ...] | None:
        """Return what `Storage.find_along` does; a client that was remembered is read with it.

        Where there is no such record, nobody knows about the client: `confirm` it before anything is told.

        Raises:
            ClientChanged: the client is not stored as it was found.
        """
        storage = self._provider.storage
        if client is None or not self._may_have_changed(client):
            return storage.find_along(cls, *along, **keys)
        pointer = Pointer("", Application, "client_id", value=client.client_id)
        found = storage.find_along(cls, *along, pointer, **keys)
        if found is None:
            return None
        self._compare(client, found[-1])
        return found[:-1]

    def answer(self, run: Callable[[], T]) -> T:
        """Answer a request of a client; anew, with clients as they are stored, where one had changed."""
        if not self._seconds:
            return run()
        attempt = _Attempt()
        token = _ATTEMPT.set(attempt)
        try:
            try:
                return run()
            except ClientChanged:
                attempt.reads_cache = False
                attempt.used, attempt.used_before = set(), attempt.used
                return run()
        finally:
            _ATTEMPT.reset(token)

    def _may_have_changed(self, client: Application) -> bool:
        """Say whether what is stored may differ from a client that `find` returned."""
        if not self._seconds or not _reads_cache():
            return False
        return not self._provider.clients.is_of_a_source(client.client_id)

    def _compare(self, client: Application, stored: Any) -> None:
        if stored is None or any(getattr(stored, name) != getattr(client, name) for name in COMPARED):
            self._known.pop(client.client_id, None)
            raise ClientChanged(Application, stored)


def note_use(digest: str) -> None:
    """Note that the request which is being answered has used something up."""
    attempt = _ATTEMPT.get()
    if attempt is not None:
        attempt.used.add(digest)


def used_before(digest: str) -> bool:
    """Say, once, whether the request which is being answered used it up itself, in an attempt that came to nothing."""
    attempt = _ATTEMPT.get()
    if attempt is None or digest not in attempt.used_before:
        return False
    attempt.used_before.remove(digest)
    return True


def _reads_cache() -> bool:
    attempt = _ATTEMPT.get()
    return attempt is None or attempt.reads_cache
