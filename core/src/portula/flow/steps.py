"""An endpoint is a list of steps: small functions of one exchange, in the order in which they run.

Core writes each list in one file; plugins insert steps by name. A step sets facts of the exchange or refuses by raising
an OAuth2Error; it wraps no other step, calls none, and does not answer. The list is compiled when the provider starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from portula.model.errors import ConfigError, nearest
from portula.model.sources import Source, Tier

Run = Callable[[Any], None]

CORE = Source("core", Tier.DEFAULT, "portula-core", "")

GIVEN = frozenset({"provider", "message", "issuer"})
"""Facts that an exchange has before its first step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of an endpoint."""

    name: str
    run: Run
    """Is given the exchange."""
    endpoint: str = ""
    """Name of the endpoint whose list a plugin inserts it into, e.g. `token`."""
    when: frozenset[str] = frozenset()
    """Grant types (of the token endpoint) that it is for; empty for all."""
    after: str | None = None
    """Name of the step behind which it stands."""
    before: str | None = None
    """Name of the step in front of which it stands; a plugin's step has one of the two."""
    reads: frozenset[str] = frozenset()
    """Facts of the exchange that an earlier step has to set."""
    sets: frozenset[str] = frozenset()
    """Facts of the exchange that it sets."""
    guards: bool = False
    """Whether it protects what is issued, so that a server class that runs no steps cannot stand in."""
    source: Source = field(default=CORE)
    """Who contributes it."""

    @property
    def summary(self) -> str:
        """First line of its docstring."""
        return (self.run.__doc__ or "").strip().partition("\n")[0]


def step(run: Run, *, reads: str = "", sets: str = "", when: Iterable[str] = (), name: str = "") -> Step:
    """Return a step of core's own: named as its function, with facts as words in one string."""
    return Step(
        name=name or run.__name__,
        run=run,
        reads=frozenset(reads.split()),
        sets=frozenset(sets.split()),
        when=frozenset(when),
    )


class Steps:
    """The list of one endpoint."""

    def __init__(self, endpoint: str, steps: Sequence[Step], closed: tuple[str, str] | None = None) -> None:
        """Take core's steps; between the two that `closed` names nothing can be inserted."""
        self.endpoint = endpoint
        self.steps = tuple(steps)
        self._closed = closed

    def with_steps(self, contributed: Sequence[Step]) -> Steps:
        """Return the list with the steps that plugins contribute to it.

        Raises:
            ConfigError: a name is taken, an anchor is unknown, missing or doubled, two plugins stand at one place,
                or a step would stand where nothing may.
        """
        joined = list(self.steps)
        waiting = [each for each in contributed if each.endpoint == self.endpoint]
        findings = self._findings(waiting)
        places: dict[tuple[str | None, str | None], Step] = {}
        for each in waiting:
            other = places.setdefault((each.after, each.before), each)
            if other is not each and other.source.name != each.source.name:
                findings.append(
                    f"steps of {self.endpoint}: {each.name!r} of {each.source} and {other.name!r} of {other.source} "
                    "stand at one place; let one name the other"
                )
        while waiting and not findings:
            ready = [each for each in waiting if self._place(joined, each) is not None]
            if not ready:
                names = ", ".join(repr(each.name) for each in waiting)
                findings.append(f"steps of {self.endpoint}: {names} wait for each other")
            for each in ready:
                joined.insert(self._place(joined, each) or 0, each)
                waiting.remove(each)
        if not findings:
            findings = self._closed_findings(joined)
        if findings:
            raise ConfigError(*findings)
        return Steps(self.endpoint, joined, self._closed)

    def _findings(self, waiting: Sequence[Step]) -> list[str]:
        owners = {each.name: each.source for each in self.steps}
        findings = []
        for each in waiting:
            if each.name in owners:
                findings.append(
                    f"steps of {self.endpoint}: {each.name!r} of {each.source} has the name of a step of "
                    f"{owners[each.name]}"
                )
            owners.setdefault(each.name, each.source)
        for each in waiting:
            anchors = [anchor for anchor in (each.after, each.before) if anchor is not None]
            if len(anchors) != 1:
                findings.append(
                    f"steps of {self.endpoint}: {each.name!r} of {each.source} names one of `after` and `before`"
                )
            elif anchors[0] not in owners:
                findings.append(
                    f"steps of {self.endpoint}: {each.name!r} of {each.source} stands beside {anchors[0]!r}, which "
                    f"does not exist{nearest(anchors[0], owners)}"
                )
        return findings

    @staticmethod
    def _place(joined: Sequence[Step], inserted: Step) -> int | None:
        for place, each in enumerate(joined):
            if each.name == inserted.before:
                return place
            if each.name == inserted.after:
                return place + 1
        return None

    def _closed_findings(self, joined: Sequence[Step]) -> list[str]:
        if self._closed is None:
            return []
        names = [each.name for each in joined]
        first, last = names.index(self._closed[0]), names.index(self._closed[1])
        return [
            f"steps of {self.endpoint}: {each.name!r} of {each.source} stands between {self._closed[0]!r} and "
            f"{self._closed[1]!r}, where nothing may fail"
            for each in joined[first : last + 1]
            if each.source is not CORE
        ]

    def compile(self, variant: str = "") -> tuple[Run, ...]:
        """Return the functions that run for one grant type.

        Raises:
            ConfigError: a step reads a fact that no step before it sets.
        """
        known, functions, findings = set(GIVEN), [], []
        for each in self.steps:
            if each.when and variant not in each.when:
                continue
            missing = sorted(each.reads - known)
            if missing:
                findings.append(
                    f"steps of {self.endpoint}: {each.name!r} of {each.source} reads {', '.join(missing)}, which no "
                    "step before it sets"
                )
            known |= each.sets
            functions.append(each.run)
        if findings:
            raise ConfigError(*findings)
        return tuple(functions)

    def __iter__(self) -> Any:
        """Go along the steps in order."""
        return iter(self.steps)
