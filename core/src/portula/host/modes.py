"""Context managers in which a provider starts in spite of what would stop it, for the commands that mend that."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

ONLY: ContextVar[tuple[str, ...] | None] = ContextVar("portula_only", default=None)
UNLOCKED: ContextVar[bool] = ContextVar("portula_unlocked", default=False)
DEFERRED: ContextVar[bool] = ContextVar("portula_storage_check_deferred", default=False)


@contextmanager
def _set(variable: ContextVar[T], value: T) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


@contextmanager
def third_party_plugins(names: tuple[str, ...] | None) -> Iterator[None]:
    """Let providers made in here take only these installed plugins beside ours, for who looks for a culprit."""
    with _set(ONLY, names):
        yield


@contextmanager
def lock_file_ignored(ignored: bool) -> Iterator[None]:
    """Let providers made in here start whatever their lock file says, for who writes it anew."""
    with _set(UNLOCKED, ignored):
        yield


@contextmanager
def storage_check_deferred() -> Iterator[None]:
    """Let providers made in here start although their storage is behind its schema, for who upgrades it."""
    with _set(DEFERRED, True):
        yield
