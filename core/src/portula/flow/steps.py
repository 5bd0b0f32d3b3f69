"""An endpoint is a list of steps: small functions of one exchange, in the order in which they run.

Each list stands in one file, core's as a room's; plugins insert steps by name. A step sets facts of the exchange or
refuses by raising an error, which `Steps.refuse` writes as an answer; it wraps no other step and calls none. The list
is joined with what plugins insert, and checked, when the provider starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from oauthlib.oauth2 import OAuth2Error

from portula.flow.client_cache import ClientChanged
from portula.flow.refusals import tell_refusal
from portula.model.errors import ConfigError, PortulaError, nearest
from portula.model.sources import PluginSource, Tier

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.model.http import Message

Run = Callable[[Any], None]

CORE = PluginSource("core", Tier.DEFAULT, "portula-core", "")

GIVEN = frozenset({"provider", "message", "issuer"})
"""Facts that an exchange has before its first step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of an endpoint."""

    name: str
    run: Run
    """Is given the exchange."""
    endpoint: str = ""
    """Name of the endpoint whose list a plugin inserts it into, e.g. `token`; without that endpoint it does nothing."""
    when: frozenset[str] = frozenset()
    """Variants of a request that it is for, e.g. grant types of the token endpoint; empty for all."""
    after: str | None = None
    """Name of the step behind which it stands."""
    before: str | None = None
    """Name of the step in front of which it stands; a plugin's step has one of the two."""
    reads: frozenset[str] = frozenset()
    """Facts of the exchange that an earlier step has to set."""
    sets: frozenset[str] = frozenset()
    """Facts of the exchange that it sets."""
    optional: bool = False
    """Whether its endpoint may well not be there, so that `portula check` says nothing of a step that never runs."""
    guards: bool = False
    """Whether it protects what is issued, so that a server class that runs no steps cannot stand in."""
    source: PluginSource = field(default=CORE)
    """Who contributes it."""

    @property
    def summary(self) -> str:
        """First line of its docstring."""
        return (self.run.__doc__ or "").strip().partition("\n")[0]


class HasAnswer(Protocol):
    """What steps are given: any exchange that an answer can be put on."""

    provider: Any
    answer: Any


E = TypeVar("E", bound=HasAnswer)


def step(run: Run, *, reads: str = "", sets: str = "", when: Iterable[str] = (), name: str = "") -> Step:
    """Return a step for the list of an endpoint: named as its function, with facts as words in one string."""
    return Step(
        name=name or run.__name__,
        run=run,
        reads=frozenset(reads.split()),
        sets=frozenset(sets.split()),
        when=frozenset(when),
    )


@dataclass(frozen=True, eq=False)
class Steps(Generic[E]):
    """The list of one endpoint."""

    endpoint: str
    """Name of the endpoint, as it is registered."""
    steps: Sequence[Step]
    _: KW_ONLY
    begin: Callable[[Any, Message], E] | None = None
    """Makes the exchange, given provider and message, e.g. `Exchange.of`; None where who runs the list makes it."""
    refuse: Callable[[E, Exception], Any] | None = None
    """Writes the answer to a request that an error ends; None is answered for errors that are no refusals."""
    variant: Callable[[E], str] | None = None
    """Names the variant of a request, for steps that are for some (`when`)."""
    variants: Sequence[str] = ()
    """Every variant there is; empty where there are others than some step is for."""
    given: str = ""
    """Facts that an exchange has before its first step, besides those that all have."""
    closed: tuple[str, str] | None = None
    """Two steps: between them nothing is inserted, nor after the one or before the other."""
    by_server: bool = False
    """Whether it is core's own, which a server class of oauthlib's own replaces."""

    def run(self, exchange: E) -> None:
        """Run the steps.

        Raises:
            Exception: what a step refuses with.
        """
        functions = self._functions
        variant = "" if self.variant is None else self.variant(exchange)
        run: Run | None = None
        try:
            for run in functions[variant if variant in functions else ""]:
                run(exchange)
        except (OAuth2Error, PortulaError):
            raise
        except Exception as error:
            failed = next(each for each in self.steps if each.run is run)
            if failed.source is not CORE:
                error.add_note(f"The step {failed.name!r} of {failed.source} failed in {self.endpoint}.")
            raise

    def run_from(self, name: str, exchange: E) -> None:
        """Run a step and those behind it that are for all variants, for an exchange that was judged elsewhere."""
        steps = [each for each in self.steps if not each.when]
        first = [each.name for each in steps].index(name)
        for each in steps[first:]:
            each.run(exchange)

    def answer(self, exchange: E) -> Any:
        """Run the steps and return the answer: the one they write, or that of `refuse`.

        Raises:
            Exception: a step failed, and it is no refusal.
        """
        try:
            self.run(exchange)
        except ClientChanged:
            raise
        except Exception as error:
            refusal = None if self.refuse is None else self.refuse(exchange, error)
            if refusal is None:
                raise
            exchange.provider.client_cache.confirm(getattr(exchange, "client", None))
            tell_refusal(exchange.provider, self.endpoint, error, exchange)
            return refusal
        return exchange.answer

    def handle(self, provider: AuthorizationServer, message: Message) -> Any:
        """Answer a message, with the header fields that stand on the exchange, if it has any.

        Raises:
            LookupError: the list does not say how its exchange begins.
        """
        if self.begin is None:
            raise LookupError(f"the steps of {self.endpoint} have no `begin`")
        return provider.client_cache.answer(lambda: self._answer_once(provider, message))

    def _answer_once(self, provider: AuthorizationServer, message: Message) -> Any:
        exchange = cast("Callable[[Any, Message], E]", self.begin)(provider, message)
        answer, headers = self.answer(exchange), getattr(exchange, "headers", None)
        return answer.with_headers(headers) if headers else answer

    def with_steps(self, contributed: Sequence[Step], source: PluginSource | None = None) -> Steps[E]:
        """Return the list with the steps that plugins contribute to it; `source` is whose list it is, None for core's.

        Raises:
            ConfigError: a name is taken, an anchor is unknown, missing or doubled, two plugins stand at one place,
                a step would stand where nothing may, or reads a fact that no step before it sets.
        """
        joined = [each if source is None else replace(each, source=source) for each in self.steps]
        waiting = [each for each in contributed if each.endpoint == self.endpoint]
        findings = _findings(self.endpoint, joined, waiting, self.variants)
        while waiting and not findings:
            ready = [each for each in waiting if _place(joined, each) is not None]
            if not ready:
                names = ", ".join(repr(each.name) for each in waiting)
                findings.append(f"steps of {self.endpoint}: {names} wait for each other")
            for each in ready:
                joined.insert(_place(joined, each) or 0, each)
                waiting.remove(each)
        if not findings:
            findings = self._closed_findings(joined) or self._unset_findings(joined)
        if findings:
            raise ConfigError(*findings)
        return replace(self, steps=joined)

    def _closed_findings(self, joined: Sequence[Step]) -> list[str]:
        if self.closed is None:
            return []
        names, own = [each.name for each in joined], {each.name for each in self.steps}
        unknown = [name for name in self.closed if name not in own]
        if unknown:
            return [f"steps of {self.endpoint}: {name!r} in `closed` does not exist" for name in unknown]
        first, last = (names.index(name) for name in self.closed)
        return [
            f"steps of {self.endpoint}: {each.name!r} of {each.source} stands between {self.closed[0]!r} and "
            f"{self.closed[1]!r}, where nothing may fail"
            for each in joined[first : last + 1]
            if each.name not in own
        ]

    def _unset_findings(self, joined: Sequence[Step]) -> list[str]:
        """Find steps that read, in some variant, what no step before them sets."""
        findings: dict[str, None] = {}
        for variant in self._variants(joined):
            known = {*GIVEN, *self.given.split()}
            for each in _of_variant(joined, variant):
                missing = sorted(each.reads - known)
                if missing:
                    finding = (
                        f"steps of {self.endpoint}: {each.name!r} of {each.source} reads {', '.join(missing)}, "
                        "which no step before it sets"
                    )
                    findings[finding] = None
                known |= each.sets
        return list(findings)

    @cached_property
    def _functions(self) -> Mapping[str, tuple[Run, ...]]:
        """The functions that run, by variant."""
        return {
            variant: tuple(each.run for each in _of_variant(self.steps, variant))
            for variant in self._variants(self.steps)
        }

    def _variants(self, steps: Sequence[Step]) -> Sequence[str]:
        """Return the variants that run different steps; the empty name stands for all that no step is for."""
        return self.variants or sorted({"", *(name for each in steps for name in each.when)})

    def __iter__(self) -> Iterator[Step]:
        """Go along the steps in order."""
        return iter(self.steps)


def _of_variant(steps: Sequence[Step], variant: str) -> list[Step]:
    return [each for each in steps if not each.when or variant in each.when]


def _findings(
    endpoint: str, own: Sequence[Step], waiting: Sequence[Step], variants: Sequence[str]
) -> list[str]:
    owners = {each.name: each.source for each in own}
    findings = [
        f"steps of {endpoint}: {each.name!r} of {each.source} is for {name!r}, which does not exist"
        f"{nearest(name, variants)}"
        for each in waiting
        for name in sorted(each.when.difference(variants) if variants else ())
    ]
    for each in waiting:
        if each.name in owners:
            findings.append(
                f"steps of {endpoint}: {each.name!r} of {each.source} has the name of a step of {owners[each.name]}"
            )
        owners.setdefault(each.name, each.source)
    places: dict[tuple[str | None, str | None], Step] = {}
    for each in waiting:
        if not callable(cast("object", each.run)):
            findings.append(
                f"steps of {endpoint}: {each.name!r} of {each.source} runs {each.run!r}, which is no function"
            )
        anchors = [anchor for anchor in (each.after, each.before) if anchor is not None]
        if len(anchors) != 1:
            findings.append(
                f"steps of {endpoint}: {each.name!r} of {each.source} names one of `after` and `before`"
            )
        elif anchors[0] not in owners:
            findings.append(
                f"steps of {endpoint}: {each.name!r} of {each.source} stands beside {anchors[0]!r}, which "
                f"does not exist{nearest(anchors[0], owners)}"
            )
        other = places.setdefault((each.after, each.before), each)
        if other.source.name != each.source.name:
            findings.append(
                f"steps of {endpoint}: {each.name!r} of {each.source} and {other.name!r} of {other.source} "
                "stand at one place; let one name the other"
            )
    return findings


def _place(joined: Sequence[Step], inserted: Step) -> int | None:
    for place, each in enumerate(joined):
        if each.name == inserted.before:
            return place
        if each.name == inserted.after:
            return place + 1
    return None
