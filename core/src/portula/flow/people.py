"""The people whom codes and tokens name, read together with these where the login keeps people in the storage."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from portula.flow.service_hooks import ServiceHooks
from portula.model.people import User, person_of_login
from portula.model.requests import CurrentRequest, current_request
from portula.model.storage import Pointer

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.model.people import StoredPeople
    from portula.model.plans import Condition, Plan
    from portula.model.records import Application


class _ReadPerson(NamedTuple):
    """A person who was read a moment ago, and has not been asked for yet."""

    people: People
    request: CurrentRequest
    subject: str
    record: Any
    """None where nobody has the subject."""
    seen: Callable[[Any], User]


_READ: ContextVar[_ReadPerson | None] = ContextVar("portula_person", default=None)


class People:
    """Asks the login for people. One that was read with a token is asked for once, within the same request."""

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider; the login is asked when the first person is."""
        self._provider = provider
        provider.storage.on_applied.append(self._forget)

    @staticmethod
    def _forget(_: Plan) -> None:
        """Let a person be read anew whom a plan may have changed."""
        _READ.set(None)

    def _people_beside(self, cls: type[Any]) -> StoredPeople | None:
        """Return where people are, if that is where records of a class are and the store reads both at once."""
        login = self._provider.hooks.ruling(ServiceHooks.portula_login).answer
        stored = None if login is None else login.stored_people()
        return stored if stored is not None and self._provider.storage.joins(cls, stored.cls) else None

    def find_along(
        self, cls: type[Any], /, *along: Pointer, client: Application | None = None, **keys: Condition
    ) -> tuple[Any, ...] | None:
        """Return what `Storage.find_along` does; the person whom `subject` of the record names is read with it.

        Args:
            cls: class of the record, which has a field `subject`.
            along: to what else it points.
            client: see `ClientCache.find_along`.
            keys: what the record is found by.

        Raises:
            ClientChanged: see `ClientCache.find_along`.
        """
        cache, stored, request = self._provider.client_cache, self._people_beside(cls), current_request()
        if stored is None or request is None:
            return cache.find_along(client, cls, *along, **keys)
        pointer = Pointer("subject", stored.cls, stored.key)
        found = cache.find_along(client, cls, *along, pointer, **keys)
        if found is None:
            return None
        record, *others, person = found
        if record.subject is not None:
            _READ.set(_ReadPerson(self, request, record.subject, person, stored.seen))
        return record, *others

    def find(self, subject: str) -> User | None:
        """Return a person by subject; None when there is none."""
        read = _READ.get()
        if read is not None:
            _READ.set(None)
            if read.people is self and read.request is current_request() and read.subject == subject:
                return None if read.record is None else read.seen(read.record)
        return person_of_login(
            self._provider.hooks.ask(ServiceHooks.portula_login).find(subject), User, "find"
        )
