"""The HTTP request that is being answered: what logs and events say of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_CURRENT: ContextVar[CurrentRequest | None] = ContextVar("portula_request", default=None)


@dataclass(slots=True)
class CurrentRequest:
    """A request to this server."""

    id: str
    """Its identifier: from a trusted proxy, else made."""
    address: str = ""
    """Address of the client, behind TRUSTED_PROXIES proxies."""
    actor: str | None = None
    """Subject of the administrator who sends it, once they are known."""
    failure_is_logged: bool = False
    """Whether a failure of it has a line in the log."""


def current_request() -> CurrentRequest | None:
    """Return the request that this thread answers; None in commands and in the background."""
    return _CURRENT.get()


def begin_request(request: CurrentRequest | None) -> None:
    """Let a request be the one that this thread answers; None at its end."""
    _CURRENT.set(request)


@contextmanager
def answering(request: CurrentRequest) -> Iterator[None]:
    """Let a request be the one that is answered within."""
    token = _CURRENT.set(request)
    try:
        yield
    finally:
        _CURRENT.reset(token)
