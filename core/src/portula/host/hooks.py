"""Calls hooks, each kind by its own policy.

Slots are asked once, all of them, and the strongest tier wins. Denials are all heard, and none can be outvoted or
swallowed. Enrichments cannot overwrite. Outboxes fail the request. Events fail nobody. A hook is named by its
declaration, e.g. `provider.hooks.ask(Plugin.portula_login)`, and what it is called with and answers has its types.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError

from portula.host.answers import contribution_problem, problem_of
from portula.host.events import Event
from portula.host.joining import empty_requirement, join_denials, keys_of
from portula.host.kinds import PREFIX, HookFacts, HookKind
from portula.host.logs import log_event
from portula.host.plugins import Implementation, Plugins
from portula.host.signatures import return_type
from portula.model.errors import (
    BrokenPlugin,
    ConfigError,
    DuplicateContribution,
    EmptySlot,
    HookFailed,
    SlotConflict,
    StorageDown,
    Together,
    nearest,
)
from portula.model.failures import log_failure
from portula.model.sources import PluginSource
from portula.model.strict_json import json_problem

if TYPE_CHECKING:
    from portula.host.deployment import Deployment

log = logging.getLogger("portula")

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")

ALL_EVENTS = "portula_event"
"""The hook that is told every event, besides the one that the event has of its own."""


class RuleFailed(AccessDeniedError):  # type: ignore[misc] # oauthlib has no types
    """A rule could not be applied, so the request is denied; no rule said so, and it may be sent again."""


@dataclass(frozen=True, slots=True)
class Ruling(Generic[T]):
    """Who answers a slot: the winner and those it outranks, strongest first."""

    slot: str
    answer: T | None
    winner: PluginSource | None
    outranked: tuple[PluginSource, ...] = ()


class Hooks:
    """The hooks of one provider. A call of the wrong kind is a TypeError."""

    def __init__(self, plugins: Plugins, provider: Deployment, choice: Mapping[str, str]) -> None:
        """Take the registered plugins and PLUGINS_CHOICE (slot name to plugin name)."""
        self._plugins = plugins
        self._provider = provider
        self._choice = choice
        self._rulings: dict[object, Ruling[Any]] = {}
        self._answers: dict[object, Any] = {}
        self._calls: dict[object, tuple[HookFacts, tuple[Implementation, ...]]] = {}

    def check_choice(self) -> None:
        """Refuse a PLUGINS_CHOICE for what is no slot: a misspelt choice would choose nothing."""
        known = [
            name.removeprefix(PREFIX)
            for name, facts in self._plugins.all_facts()
            if facts.kind is HookKind.SLOT
        ]
        findings = [
            f"PLUGINS_CHOICE: there is no slot {slot!r}{nearest(slot, known)}"
            for slot in self._choice
            if slot not in known and not slot.startswith("validator.")
        ]
        if findings:
            raise ConfigError(*findings)

    def settle(self) -> None:
        """Ask every slot, so that a conflict shows at start and no request meets it."""
        together = Together()
        for name, facts in self._plugins.all_facts():
            if facts.kind is HookKind.SLOT:
                with together.part():
                    self.ruling(self._plugins.declared[name])
        together.check()

    # --- At start ---

    def ask(self, slot: Callable[[Any, Any], T | None]) -> T:
        """Return the answer of a slot; it is asked for once.

        Raises:
            EmptySlot: nobody answers; the message says what to install, or to unblock.
            ConfigError: see `ruling`.
        """
        found = self._answers.get(slot)
        if found is None:
            ruling = self.ruling(slot)
            if ruling.answer is None:
                raise EmptySlot(f"slot {ruling.slot!r}: nothing answers; {self.remedy(slot)}")
            found = self._answers[slot] = ruling.answer
        return cast("T", found)

    def remedy(self, hook: Callable[..., Any]) -> str:
        """Return what to do where a slot or a contribution has no answer, such as installing a distribution."""
        return self._plugins.remedy(self._plugins.facts(hook.__name__).install)

    def ruling(self, slot: Callable[[Any, Any], T | None]) -> Ruling[T]:
        """Ask everyone who answers a slot and choose: the deployment's choice, else the strongest tier.

        Raises:
            SlotConflict: two plugins of the winning tier answer.
            BrokenPlugin: a plugin fails, or its answer is not of the type that the slot declares.
            ConfigError: PLUGINS_CHOICE names a plugin that does not answer this slot.
        """
        known = self._rulings.get(slot)
        if known is None:
            known = self._rulings[slot] = self._rule(slot)
        return known

    def _rule(self, slot: Callable[..., Any]) -> Ruling[Any]:
        _, implementations = self._look_up(slot, HookKind.SLOT)
        name, expected = slot.__name__.removeprefix(PREFIX), return_type(slot)
        answers: list[tuple[PluginSource, Any]] = []
        for implementation in implementations:
            answer = implementation.call_at_start(self._provider)
            if answer is not None:
                problem = problem_of(answer, expected)
                if problem:
                    raise BrokenPlugin(*self._wrong_answers(implementation.source))
                answers.append((implementation.source, answer))
        chosen = self._choice.get(name)
        if chosen is not None:
            answers.sort(key=lambda entry: entry[0].name != chosen)
            if not answers or answers[0][0].name != chosen:
                names = [source.name for source, _ in answers]
                raise ConfigError(
                    f"PLUGINS_CHOICE: {chosen!r} does not answer the slot {name!r}; those that do: "
                    f"{', '.join(sorted(names)) or 'none'}{nearest(chosen, names)}"
                )
        elif len(answers) > 1 and answers[0][0].tier == answers[1][0].tier:
            first, second = answers[0][0], answers[1][0]
            raise SlotConflict(
                f"slot {name!r}: both {first} and {second} answer; settle it with "
                f'PLUGINS_CHOICE = {{"{name}": "{first.name}"}} or block one with PLUGINS_BLOCKED'
            )
        if not answers:
            return Ruling(name, None, None)
        return Ruling(name, answers[0][1], answers[0][0], tuple(source for source, _ in answers[1:]))

    def _wrong_answers(self, source: PluginSource) -> Iterator[str]:
        """Yield the answers of one plugin that are not of the type that their slots declare; no failures."""
        for name, facts in self._plugins.all_facts():
            for implementation in self._plugins.implementations(name) if facts.kind is HookKind.SLOT else ():
                if implementation.source == source:
                    with Together().part():
                        answer = implementation.call_at_start(self._provider)
                        problem = problem_of(answer, return_type(self._plugins.declared[name]) | None)
                        if problem:
                            yield f"{source}: {name} answers {problem}"

    def contributions(self, contribution: Callable[[Any, Any], T]) -> list[tuple[PluginSource, T]]:
        """Return what each plugin contributes, weakest tier first.

        Raises:
            BrokenPlugin: a plugin fails, or contributes a list for a mapping, or an entry of another type.
        """
        _, implementations = self._look_up(contribution, HookKind.CONTRIBUTION)
        expected = return_type(contribution)
        found: list[tuple[PluginSource, T]] = []
        together = Together()
        for implementation in reversed(implementations):
            with together.part():
                answer = implementation.call_at_start(self._provider)
                problem = None if answer is None else contribution_problem(answer, expected)
                if problem:
                    raise BrokenPlugin(f"{implementation.source}: {implementation.name} answers {problem}")
                found += [] if answer is None else [(implementation.source, cast("T", answer))]
        together.check()
        return found

    @overload
    def collect(self, contribution: Callable[[Any, Any], Mapping[K, V]]) -> dict[K, V]: ...
    @overload
    def collect(self, contribution: Callable[[Any, Any], Sequence[T]]) -> list[T]: ...

    def collect(self, contribution: Callable[[Any, Any], Any]) -> Any:
        """Join what all plugins contribute, weakest tier first.

        Raises:
            DuplicateContribution: two contribute under one key, or one under a key that is the host's own.
            BrokenPlugin: see `contributions`.
        """
        joined = [entry for _, entry in self.entries(contribution)]
        return dict(joined) if isinstance(_nothing(contribution), Mapping) else joined

    def entries(self, contribution: Callable[[Any, Any], Any]) -> list[tuple[PluginSource, Any]]:
        """Return what `collect` joins, each entry with the plugin that contributes it.

        Raises:
            DuplicateContribution, BrokenPlugin: see `collect`.
        """
        name, found = contribution.__name__, self.contributions(contribution)
        facts, _ = self._look_up(contribution, HookKind.CONTRIBUTION)
        owners: dict[object, object] = dict.fromkeys(facts.taken, "the host")
        joined: list[tuple[PluginSource, Any]] = []
        for source, members in found:
            entries = members.items() if isinstance(members, Mapping) else members
            for entry in entries:
                for key in keys_of(facts, entry, mapping=isinstance(members, Mapping)):
                    if key in owners:
                        raise DuplicateContribution(
                            f"{name}: {key!r} comes from {owners[key]} and from {source}; block one"
                        )
                    owners[key] = source
                joined.append((source, entry))
        return joined

    def all_entries(self, *contributions: Callable[[Any, Any], Any]) -> list[list[tuple[PluginSource, Any]]]:
        """Return the `entries` of each; what is wrong with several is raised together."""
        together, found = Together(), []
        for contribution in contributions:
            with together.part():
                found.append(self.entries(contribution))
        together.check()
        return found

    # --- At a request ---

    def has_implementations(self, hook: Callable[..., Any]) -> bool:
        """Say whether anybody implements a hook, for who would prepare for nothing what it is given."""
        _, implementations = self._calls.get(hook) or self._find(hook)
        return bool(implementations)

    def hear(self, veto: Callable[[Any, V], None], value: V) -> None:
        """Hear everyone; then raise the denials. What is not a denial but raises, or answers, denies too.

        Raises:
            OAuth2Error: the first denial; AccessDeniedError where a rule could not be applied.
            StorageDown: in place of that, the storage did not answer whoever came first.
            InvalidClientMetadata: in place of that, all denials of a veto that declares it.
            HookFailed: such a veto could not be applied.
        """
        facts, implementations = self._look_up(veto, HookKind.VETO)
        denials: list[Exception] = []
        for implementation in implementations:
            try:
                _attempt(implementation, value, None, facts.denial)
            except facts.denial as denial:
                denials.append(denial)
            except HookFailed as failure:
                denials.append(_rule_failure(failure) if issubclass(facts.denial, OAuth2Error) else failure)
            except StorageDown as down:
                denials.append(down)
        if denials:
            raise join_denials(denials)

    def require(self, requirement: Callable[[Any, V], T | None], value: V) -> T:
        """Ask everyone and join what they require; without any it is what the class of it is made without arguments.

        Raises:
            OAuth2Error: someone denies, or fails, or answers something else.
        """
        _, implementations = self._look_up(requirement, HookKind.REQUIREMENT)
        expected = return_type(requirement)
        joined: Any = None
        for implementation in implementations:
            try:
                required = _attempt(implementation, value, expected, OAuth2Error)
            except HookFailed as failure:
                raise _rule_failure(failure) from None
            if required is not None:
                joined = required if joined is None else joined | required
        return cast("T", empty_requirement(expected) if joined is None else joined)

    def shape(self, shape: Callable[[Any, V], None], value: V) -> V:
        """Let everyone change the documented fields of a value, strongest tier first, and return it.

        Raises:
            OAuth2Error: someone refuses.
            HookFailed: someone fails, or answers.
        """
        _, implementations = self._look_up(shape, HookKind.SHAPE)
        for implementation in implementations:
            _attempt(implementation, value, None, OAuth2Error)
        return value

    def enrich(self, enrichment: Callable[[Any, V], Mapping[str, T] | None], value: V) -> dict[str, T]:
        """Let everyone add members to the field that the hook names; those that stand already stay as they are.

        Raises:
            OAuth2Error: someone refuses.
            HookFailed: someone fails, or answers no mapping, a member that JSON has not, or one that is reserved.
        """
        facts, implementations = self._look_up(enrichment, HookKind.ENRICHMENT)
        enriched: dict[str, T] = dict(getattr(value, facts.adds_to))
        for implementation in implementations:
            shown = replace(cast("Any", value), **{facts.adds_to: dict(enriched)})
            added = _attempt(implementation, shown, Mapping | None, OAuth2Error)
            problem = json_problem(dict(added or {}))
            if problem:
                raise HookFailed(f"{implementation} answers what JSON has not: {problem}")
            for member, content in (added or {}).items():
                if member in facts.reserved:
                    raise HookFailed(f"{implementation} answers {member!r}, which no plugin may give")
                if enriched.setdefault(member, content) is not content:
                    log.debug(
                        "%s answers %r, which stands already and stays as it is", implementation, member
                    )
        return enriched

    def record(self, outbox: Callable[[Any, V], Iterable[object] | None], value: V) -> list[object]:
        """Return the records that everyone wants kept together with what happens.

        Raises:
            HookFailed: someone fails, with whatever exception; what happens is then refused.
        """
        _, implementations = self._look_up(outbox, HookKind.OUTBOX)
        records: list[object] = []
        for implementation in implementations:
            records += _attempt(implementation, value, Iterable | None) or ()
        return records

    def tell(self, event: Callable[[Any, V], None], value: V) -> None:
        """Log it; tell everyone apart, then those who listen to all events. A failure is logged and stops nobody."""
        _, implementations = self._look_up(event, HookKind.EVENT)
        if isinstance(value, Event):
            log_event(value)
        for implementation in implementations:
            try:
                implementation.call(value)
            except Exception as failure:  # noqa: BLE001 - it is logged
                log_failure(failure, "%s failed", implementation)

    # --- Inside ---

    def _look_up(
        self, hook: Callable[..., Any], kind: HookKind
    ) -> tuple[HookFacts, tuple[Implementation, ...]]:
        found = self._calls.get(hook) or self._find(hook)
        if found[0].kind is not kind:
            raise TypeError(f"{hook.__name__} is declared as {found[0].kind}; it is called as {kind}")
        return found

    def _find(self, hook: Callable[..., Any]) -> tuple[HookFacts, tuple[Implementation, ...]]:
        name = getattr(hook, "__name__", repr(hook))
        if self._plugins.declared.get(name) is not hook:
            raise TypeError(f"{name} is declared by no plugin that takes part")
        facts, implementations = self._plugins.facts(name), self._plugins.implementations(name)
        if facts.kind is HookKind.EVENT and name != ALL_EVENTS:
            implementations = [*implementations, *self._plugins.implementations(ALL_EVENTS)]
        self._calls[hook] = facts, tuple(implementations)
        return self._calls[hook]


def _nothing(contribution: Callable[..., Any]) -> object:
    """Return what the declared method itself answers: the empty contribution."""
    return contribution(None, None)


def _attempt(implementation: Implementation, value: object, expected: Any, *passed: type[Exception]) -> Any:
    """Call an implementation at a request; a wrong answer, and any exception that may not pass, is HookFailed.

    StorageDown always passes: it is no fault of the implementation's.
    """
    try:
        answer = implementation.call(value)
    except StorageDown:
        raise
    except passed:
        raise
    except Exception as error:
        raise HookFailed(f"{implementation} failed") from error
    problem = problem_of(answer, expected)
    if problem:
        raise HookFailed(f"{implementation} answers {problem}")
    return answer


def _rule_failure(failure: HookFailed) -> RuleFailed:
    """Log what could not be applied, and return what the client is told in its place."""
    log.error("%s; the request is refused", failure, exc_info=failure)
    return RuleFailed(description="A rule of this server could not be applied.")
