"""Where a provider calls out: hooks, answers to slots, stores. Each such call is a crossing, and one of them can fail.

Crossings are watched from within `Crossings.watching`: a provider that is made there hands out stand-ins for its stores
and for the answers to its slots, and every hook is called through one. What a stand-in calls inside itself is not seen.
"""

from __future__ import annotations

import functools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from portula import Plugin
from portula.host.kinds import AT_START, facts_of
from portula.host.plugins import Implementation, Plugins
from portula.plugin import HookKind, Plan

MESSAGE = "a fault made by a test"
"""What the exception says; no answer may repeat it."""

_UNWATCHED = frozenset({"portula_clock"})
_STORES = "portula_stores"
_READS = ("find", "select", "walk", "count_expired")


class DriverError(Exception):
    """Stands for what the driver of a database raises."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """One call that left the code of the provider."""

    label: str
    kind: HookKind | None = None
    """Of the hook, None for a call to a slot or a store."""
    writes: bool = False
    """Whether a store has kept something when it returns."""

    @property
    def callee(self) -> str:
        """What was called: a hook of a plugin, a slot, or the store."""
        return self.label.partition(".")[0]


class Crossings:
    """The calls of one run, in order, of which at most one fails."""

    def __init__(
        self,
        fail_at: int | None = None,
        error: type[Exception] | None = None,
        *,
        lasting: bool = False,
        losing: bool = False,
    ) -> None:
        """Take the place in that order which fails, and what it raises: by default what fits the callee.

        With `lasting` the calls that follow fail too, where the same hook, slot or store is called. With `losing` the
        call is made, and then fails: what it did is done, and who called does not learn of it.
        """
        self.passed: list[Crossing] = []
        self._failed: Crossing | None = None
        self.fail_at = fail_at
        self.error = error
        self._lasting = lasting
        self._losing = losing
        self._thread: int | None = None

    def failure(self) -> Crossing | None:
        """Return the call that has failed, None as long as none has."""
        return self._failed

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count, and fail, the calls that this thread makes within."""
        self._thread = threading.get_ident()
        try:
            yield
        finally:
            self._thread = None

    @contextmanager
    def cross(
        self, label: str, error: type[Exception], kind: HookKind | None = None, *, writes: bool = False
    ) -> Iterator[None]:
        """Note a call, which is made within; raise, before or after it, if it is the one to fail."""
        if self._thread != threading.get_ident():
            yield
            return
        crossing = Crossing(label, kind, writes)
        self.passed.append(crossing)
        failed = self._failed
        if len(self.passed) - 1 == self.fail_at:
            self._failed = crossing
        elif failed is None or not self._lasting or failed.callee != crossing.callee:
            yield
            return
        if self._losing:
            yield
        raise (self.error or error)(MESSAGE)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the providers that are made and used within."""
        original = Plugins.implementations

        def implementations(plugins: Plugins, hook: str) -> list[Implementation]:
            kind = plugins.facts(hook).kind
            return [
                _Implementation(found.name, found.source, found.hook, kind, self)
                for found in original(plugins, hook)
            ]

        with patch.object(Plugins, "implementations", implementations):
            yield


def labels_of(crossings: Sequence[Crossing]) -> list[str]:
    """Return the labels; the second and later ones of a name with their number, so that each is another."""
    seen: Counter[str] = Counter()
    labels = []
    for crossing in crossings:
        seen[crossing.label] += 1
        number = seen[crossing.label]
        labels.append(crossing.label if number == 1 else f"{crossing.label} ({number})")
    return labels


@dataclass(frozen=True, slots=True)
class _Implementation(Implementation):
    """Calls a hook, and puts stand-ins in place of what a slot or a store is."""

    kind: HookKind
    crossings: Crossings

    def call(self, value: object) -> Any:
        """Call it, as a crossing where it is called in the course of requests."""
        if self.name == _STORES:
            made = Implementation.call(self, value) or {}
            return {name: self._factory(make) for name, make in made.items()}
        if self.kind is HookKind.SLOT:
            answer = Implementation.call(self, value)
            return answer if self.name in _UNWATCHED else self._slot(answer)
        if self.kind is not HookKind.CONTRIBUTION:
            with self.crossings.cross(f"{self.name} of {self.source.name}", RuntimeError, self.kind):
                return Implementation.call(self, value)
        return Implementation.call(self, value)

    def _slot(self, answer: Any) -> Any:
        if answer is None or isinstance(answer, type | str):
            return answer
        label = f"slot {self.name.removeprefix('portula_')}"
        if hasattr(answer, "__code__"):
            return _as_crossing(answer, lambda *_: label, self.crossings, RuntimeError)
        return _StandIn(answer, label, self.crossings)

    def _factory(self, make: Callable[..., Any]) -> Callable[..., Any]:
        return lambda records: _Store(make(records), "store", self.crossings)


def _as_crossing(
    function: Callable[..., Any],
    label: Callable[..., str],
    crossings: Crossings,
    error: type[Exception],
    writes: Callable[[], bool] = lambda: False,
) -> Callable[..., Any]:
    """Return the function as a crossing; `label` is given its arguments, `writes` says of each call whether it does."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with crossings.cross(label(*args), error, writes=writes()):
            return function(*args, **kwargs)

    return call


class _StandIn:
    """Stands for an object: it has the class and the members of that, and its public methods are crossings."""

    _error: type[Exception] = RuntimeError

    def __init__(self, original: Any, label: str, crossings: Crossings) -> None:
        self._original = original
        self._label = label
        self._crossings = crossings

    @property  # type: ignore[misc] # isinstance asks here, and nobody sets it
    def __class__(self) -> type[Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        return type(self._original)

    @property
    def __wrapped__(self) -> Any:
        """What `inspect.signature` looks at."""
        return self._original

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._original, name)
        if name.startswith("_") or isinstance(value, type) or not callable(value):
            return value
        label, writes = functools.partial(self._crossing_name, name), functools.partial(self._writes, name)
        return _as_crossing(value, label, self._crossings, self._error, writes)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with self._crossings.cross(self._label, self._error):
            return self._original(*args, **kwargs)

    def _crossing_name(self, name: str, *args: Any) -> str:
        return f"{self._label}.{name}"

    def _writes(self, name: str) -> bool:
        return False


class _Store(_StandIn):
    """Stands for a store."""

    _error = DriverError

    def _crossing_name(self, name: str, *args: Any) -> str:
        return " ".join(word for word in (f"store.{name}", *_subject(args)) if word)

    def _writes(self, name: str) -> bool:
        return name not in _READS


def _subject(args: tuple[Any, ...]) -> Iterator[str]:
    """Name what a verb of a store is about: a class of records, or those of a plan."""
    if args and isinstance(args[0], Plan):
        yield _parts(args[0])
    elif args:
        yield args[0].__name__


def _parts(plan: Plan) -> str:
    """Name what a plan is about: classes of records, artifacts with their kind, in its order."""
    names = []
    for part in plan.parts:
        record = getattr(part, "record", None)
        cls = type(record) if record is not None else getattr(part, "cls", None)
        names.append(" ".join(filter(None, (getattr(cls, "__name__", ""), getattr(record, "kind", "")))))
    return ", ".join(dict.fromkeys(names))


class Bystander(Plugin):
    """Implements every hook that is called in the course of requests, and does nothing: each call is a crossing."""


def _do_nothing(self: Bystander, value: object) -> None:
    """Answer nothing."""


for _name in dir(Plugin):
    _facts = facts_of(getattr(Plugin, _name))
    if _facts is not None and _facts.kind not in AT_START:
        setattr(Bystander, _name, _do_nothing)
