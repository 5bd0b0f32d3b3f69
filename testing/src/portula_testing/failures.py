"""Runs a flow again and again, and lets another call of its provider fail each time.

A flow is what clients and people do at a provider, written as a subclass of `Flow`. `crossings` names the calls that
leave the provider's code in a healthy run: hooks, answers to slots, verbs of the store. `failing` lets one of them fail
and returns what is wrong afterwards: what was half done, what was remembered that was not kept, an error in a wrong
place or of a wrong kind, a request that does not succeed when it is sent again.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast, get_args

import pytest
from click.testing import CliRunner
from werkzeug.test import Client

from portula import Plugin
from portula.errors import StorageDown
from portula_testing.crossings import Bystander, Crossing, Crossings, DriverError, labels_of
from portula_testing.failure_answers import FAULTS as FAULT_ERRORS
from portula_testing.failure_answers import STATUSES, Outcome, outcome_of, problems_of
from portula_testing.plugins import Memory, MovableClock
from portula_testing.writing import add_to

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from click.testing import Result
    from werkzeug.test import TestResponse

    from portula import Provider
    from portula.plugin import RecordType

__all__ = ["Browser", "DriverError", "Flow", "cases", "crossings", "failing"]

T = TypeVar("T")

START = 1_700_000_000
Fault = Literal["glitch", "outage", "lost"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
MAX_CROSSINGS = 500
"""Of one flow; a longer one is better cut into several."""
_PAGE = 1000


class Browser(Client):
    """A client program or a person's browser: it outlives its provider, and sends again what met the fault."""

    def __init__(self, flow: Flow) -> None:
        """Take the flow whose provider answers."""
        self._flow = flow
        super().__init__(self._answer)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        return self._flow.provider.app.wsgi_app(environ, start_response)

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request; see werkzeug. Redirects are not followed."""
        kwargs.setdefault("base_url", self._flow.base_url)
        return self._flow.attempt(lambda: super(Browser, self).open(*args, **kwargs))


class Flow:
    """What clients and people do at a provider: subclass it, and override `start`, `prepare`, `run` and `check`.

    What it learns may be kept as attributes: each run is made by a copy of an object that was prepared once. `run` and
    `check` raise AssertionError when they do not see what they should.
    """

    name: ClassVar[str] = ""
    """Part of the names of tests."""
    may_stay: ClassVar[frozenset[str]] = frozenset()
    """Records that a request which failed may leave behind, e.g. `Artifact login-failure`."""
    may_change: ClassVar[frozenset[str]] = frozenset()
    """Records that it may change or use up as well."""

    provider: Provider
    base_url = "http://localhost"

    def __init__(self) -> None:
        """Begin with an empty store, and a clock that stands."""
        self.memory = Memory()
        self.clock = MovableClock(START)
        self.problems: list[str] = []
        """What was found to be wrong so far."""
        self.crossings = Crossings()
        self.outcomes: list[Outcome] = []
        """How each attempt ended, in order."""
        self.expected: Sequence[Outcome] = ()
        """How each ends when nothing fails."""
        self.fault: Fault | None = None
        """What happens to the call that fails."""
        self.refusals: list[Outcome] = []
        """How it ended where an answer was lost and what was asked for again is refused."""
        self._running = False
        self._started_anew = False

    # --- To override ---

    def start(self, *plugins: object) -> Provider:
        """Return the provider, made with these plugins besides its own; called again for each restart.

        The plugins bring the store, the clock, and one that implements every hook of a request.
        """
        raise NotImplementedError

    def prepare(self) -> None:
        """Do what comes before: clients, people. Nothing fails here."""

    def run(self) -> None:
        """Go through the flow, by `browser`, `command` and `attempt`."""
        raise NotImplementedError

    def start_over(self) -> None:
        """Begin again after an answer was lost, and what was asked for again is refused: the flow from its start."""
        self.run()

    def check(self) -> object:
        """Return what client and person see in the end; it must be the same after a restart."""
        return None

    # --- To use ---

    @property
    def answer_lost(self) -> bool:
        """Whether an answer was lost, so that something may have been made twice."""
        return self.fault == "lost" and self.crossings.failure() is not None

    def browser(self) -> Browser:
        """Return a browser without cookies."""
        return Browser(self)

    def command(self, *arguments: str) -> Result:
        """Run a command of a plugin, e.g. `self.command("cleartokens")`."""

        def invoke() -> Result:
            (found,) = [
                known
                for known in self.provider.hooks.collect(Plugin.portula_commands)
                if known.name == arguments[0]
            ]
            with self.provider.app.app_context():
                return CliRunner().invoke(found, list(arguments[1:]))

        return self.attempt(invoke)

    def attempt(self, action: Callable[[], T]) -> T:
        """Do something in which a fault may happen; if one does and is told, check how, and do it again."""
        if not self._running or self.crossings.failure() is not None:
            return action()
        before, first = records_of(self.provider), len(self.crossings.passed)
        refused, answer = True, cast("T", None)
        self._running = False
        try:
            with self.crossings.counting():
                answer = action()
        except Exception:
            if self.crossings.failure() is None:
                raise
        else:
            refused = self._tells_of_an_error(answer)
        finally:
            self._running = True
        failed = self.crossings.failure()
        if failed is None or not refused:
            return answer
        passed = self.crossings.passed[first : self.crossings.fail_at]
        is_down = self.crossings.error is StorageDown
        self.problems += problems_of(answer, self.provider, failed, passed, is_down=is_down)
        if self.fault == "lost":
            return self._ask_again(action)
        self.problems += self._changes(before)
        if self.fault == "outage":
            self.restart()
            self._started_anew = True
        return action()

    def restart(self) -> None:
        """Start the provider anew over what is stored: whatever it had in memory is gone."""
        self.provider = self.start(self.memory, self.clock, Bystander())
        self.provider.app.config["PROPAGATE_EXCEPTIONS"] = False  # answered as in production
        if self.provider.issuer:
            self.base_url = self.provider.root_of(self.provider.issuer)

    # --- Inside ---

    def play(self) -> None:
        """Run it once, and note what is wrong."""
        with self.crossings.watching():
            self.restart()
            self._running = True
            try:
                self.run()
            except _AskedInVain:
                self.start_over()
            finally:
                self._running = False
            seen = self.check()
            if not self._started_anew:  # since the fault: nothing of it is in memory then
                self.restart()
            again = self.check()
            if again != seen:
                self.problems.append(f"after a restart {again!r} is seen, before it was {seen!r}")

    def _tells_of_an_error(self, answer: object) -> bool:
        """Say whether an answer tells of an error that a healthy run does not have."""
        outcome, place = outcome_of(answer), len(self.outcomes)
        self.outcomes.append(outcome)
        return outcome.failed and outcome not in self.expected[place : place + 1]

    def _ask_again(self, action: Callable[[], T]) -> T:
        """Do again what was done already, by who does not know that; it may be refused, and is no fault then either."""
        answer = action()
        outcome = outcome_of(answer)
        if not outcome.failed or outcome in self.expected[len(self.outcomes) - 1 : len(self.outcomes)]:
            return answer
        if outcome.status in STATUSES or outcome.error in FAULT_ERRORS:
            self.problems.append(f"asked again, it is answered {outcome.status} {outcome.error}")
        self.refusals.append(outcome)
        raise _AskedInVain

    def _changes(self, before: Mapping[str, list[Any]]) -> Iterator[str]:
        after = records_of(self.provider)
        for kind in sorted({*before, *after} - self.may_change):
            had, has = before.get(kind, []), after.get(kind, [])
            if had != has and not (kind in self.may_stay and all(record in has for record in had)):
                yield f"the request failed, and yet changed: {kind}"


class _AskedInVain(Exception):
    """What was asked for again is refused, since it is done."""


@dataclass(frozen=True, slots=True)
class _Healthy:
    """A run in which nothing failed."""

    passed: tuple[Crossing, ...]
    labels: tuple[str, ...]
    counts: Mapping[str, int]
    outcomes: tuple[Outcome, ...]


_prepared: dict[type[Flow], tuple[Flow, Sequence[RecordType]]] = {}
"""Each flow before its run, and the types of its records."""
_healthy_runs: dict[type[Flow], _Healthy] = {}


def _copy(flow_class: type[Flow]) -> Flow:
    """Return a flow before its run: a copy, since it is prepared once."""
    if flow_class not in _prepared:
        flow = flow_class()
        flow.restart()
        flow.prepare()
        _prepared[flow_class] = flow, flow.provider.records
        del flow.provider
    flow, records = _prepared[flow_class]
    memory = Memory()
    store = memory.make(records)
    for record_type in records:
        for record in flow.memory.store.select(record_type.cls, limit=_PAGE):
            add_to(store, record)
    return copy.deepcopy(flow, {id(flow.memory): memory})


def _healthy_run(flow_class: type[Flow]) -> _Healthy:
    if flow_class in _healthy_runs:
        return _healthy_runs[flow_class]
    flow = _copy(flow_class)
    flow.play()
    if flow.problems:
        raise AssertionError(f"{flow_class.name}: {'; '.join(flow.problems)}, although nothing failed")
    passed = tuple(flow.crossings.passed)
    run = _Healthy(passed, tuple(labels_of(passed)), record_counts(flow.provider), tuple(flow.outcomes))
    return _healthy_runs.setdefault(flow_class, run)


def crossings(flow_class: type[Flow]) -> tuple[str, ...]:
    """Return the labels of the calls in a healthy run, in order; each is another."""
    return _healthy_run(flow_class).labels


def failing(
    flow_class: type[Flow],
    at: str | int,
    error: type[Exception] | None = None,
    *,
    fault: Fault | None = None,
) -> list[str]:
    """Let one call of a flow fail; return what is wrong afterwards, nothing if all is well.

    Args:
        flow_class: the flow.
        at: label or place of the call, from `crossings`.
        error: what it raises; None for `DriverError` where it is a store's, else RuntimeError. `StorageDown`
            has to be answered 503, with `temporarily_unavailable` and the time to come again.
        fault: `glitch`: this call alone fails, and the same provider is asked again. `outage`: who was called stays
            away until the provider is started anew, and that one is asked. `lost`: a write is kept, but its answer is
            lost; who asks again gets the same or a refusal, after which the flow begins again. None for all that the
            call can meet, a run each.
    """
    healthy = _healthy_run(flow_class)
    place = healthy.labels.index(at) if isinstance(at, str) else at
    found: dict[str, None] = {}
    for kind in FAULTS if fault is None else (fault,):
        if kind == "lost" and not healthy.passed[place].writes:
            continue
        flow = _copy(flow_class)
        flow.fault = kind
        flow.crossings = Crossings(place, error, lasting=kind == "outage", losing=kind == "lost")
        flow.expected = healthy.outcomes
        try:
            flow.play()
        except Exception as failure:  # noqa: BLE001 - whatever a flow stumbles over is what the fault led to
            flow.problems.append(f"{type(failure).__name__}: {str(failure).partition(chr(10))[0]}")
        else:
            if kind != "lost":
                flow.problems += _differences(healthy.counts, record_counts(flow.provider), flow)
        if flow.crossings.failure() is None:
            flow.problems.append("the call that should fail was not made")
        found.update(dict.fromkeys(f"{kind}: {problem}" for problem in flow.problems))
    return list(found)


def cases(*flow_classes: type[Flow], behind: int | None = None) -> list[Any]:
    """Return a parameter set of pytest for each call of each flow: the flow and the label.

    Args:
        flow_classes: the flows.
        behind: leave out calls that come behind the same calls as one before, in this flow or an earlier one; so many
            calls are compared, 0 for none. None leaves out nothing.
    """
    chosen, seen = [], set[tuple[str, ...]]()
    for flow_class in flow_classes:
        healthy = _healthy_run(flow_class)
        if len(healthy.labels) > MAX_CROSSINGS:
            raise ValueError(f"{flow_class.name}: {len(healthy.labels)} calls are too many for one flow")
        names = [crossing.label for crossing in healthy.passed]
        for place, label in enumerate(healthy.labels):
            context = tuple(names[max(0, place - (behind or 0)) : place + 1])
            if behind is None or context not in seen:
                chosen.append(pytest.param(flow_class, label, id=f"{flow_class.name}: {label}"))
            seen.add(context)
    return chosen


def records_of(provider: Provider) -> dict[str, list[Any]]:
    """Return all records by type and kind, in order of their keys."""
    found: dict[str, list[Any]] = {}
    for record_type in provider.records:
        for record in provider.storage.select(record_type.cls, limit=_PAGE):
            kind = getattr(record, "kind", "")
            found.setdefault(f"{record_type.cls.__name__} {kind}".strip(), []).append(record)
    return found


def record_counts(provider: Provider) -> Counter[str]:
    """Return how many records there are of each type and kind."""
    return Counter({kind: len(records) for kind, records in records_of(provider).items()})


def _differences(healthy: Mapping[str, int], found: Mapping[str, int], flow: Flow) -> Iterator[str]:
    for kind in sorted({*healthy, *found} - flow.may_stay - flow.may_change):
        if healthy.get(kind, 0) != found.get(kind, 0):
            yield f"{found.get(kind, 0)} {kind} are stored in the end, in a healthy run {healthy.get(kind, 0)}"
