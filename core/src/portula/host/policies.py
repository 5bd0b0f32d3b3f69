"""How each kind of hook is called, and the promise each kind keeps.

Slots are asked once, all of them, and the strongest tier wins. Denials are all heard, and none can be outvoted or
swallowed. Enrichments cannot overwrite. Outboxes fail the request. Events fail nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError

from portula.flow.interaction import Demands
from portula.host.defaults import SLOT_REMEDIES
from portula.host.plugins import Implementation, Plugins
from portula.model.clients import InvalidClientMetadata
from portula.model.errors import (
    ConfigError,
    DuplicateContribution,
    EmptySlot,
    HookFailed,
    SlotConflict,
    nearest,
)
from portula.model.sources import Source

if TYPE_CHECKING:
    from portula.flow.messages import OAuthRequest
    from portula.web.provider import Provider

log = logging.getLogger("portula")


@dataclass(frozen=True, slots=True)
class Ruling:
    """Who answered a slot: the winner and those it outranked, strongest first."""

    slot: str
    answer: Any
    winner: Source | None
    outranked: tuple[Source, ...] = ()


class Policies:
    """How each kind of hook is called; `portula.plugin.Hooks` has a method or property for each hook."""

    def __init__(self, plugins: Plugins, provider: Provider, choice: Mapping[str, str]) -> None:
        """Take the registered plugins and PLUGINS_CHOICE (slot name to plugin name)."""
        self._plugins = plugins
        self._provider = provider
        self._choice = choice
        self._rulings: dict[str, Ruling] = {}
        self._ordered: dict[str, tuple[Implementation, ...]] = {}

    def check_choice(self) -> None:
        """Refuse a PLUGINS_CHOICE for what is no slot: a misspelt choice would choose nothing."""
        known = [name for name in self._plugins.hook_names() if not callable(getattr(type(self), name, None))]
        findings = [
            f"PLUGINS_CHOICE: there is no slot {slot!r}{nearest(slot, known)}"
            for slot in self._choice
            if slot not in known and not slot.startswith("validator.")
        ]
        if findings:
            raise ConfigError(*findings)

    def settle(self) -> None:
        """Ask every slot, so that a conflict shows at start and no request meets it."""
        for name, member in vars(type(self)).items():
            if isinstance(member, cached_property):
                self.ruling(name)

    def _implementations(self, hook: str) -> tuple[Implementation, ...]:
        found = self._ordered.get(hook)
        if found is None:
            found = self._ordered[hook] = tuple(self._plugins.implementations(hook))
        return found

    def ruling(self, slot: str) -> Ruling:
        """Ask everyone who answers a slot and choose: the deployment's choice, else the strongest tier.

        Raises:
            SlotConflict: two plugins of the winning tier answer.
            ConfigError: PLUGINS_CHOICE names a plugin that does not answer this slot.
        """
        known = self._rulings.get(slot)
        if known is not None:
            return known
        answers = [
            (implementation.source, answer)
            for implementation in self._implementations(f"portula_{slot}")
            if (answer := implementation.call({"provider": self._provider})) is not None
        ]
        chosen = self._choice.get(slot)
        if chosen is not None:
            answers.sort(key=lambda entry: entry[0].name != chosen)
            if not answers or answers[0][0].name != chosen:
                names = [source.name for source, _ in answers]
                raise ConfigError(
                    f"PLUGINS_CHOICE: {chosen!r} does not answer the slot {slot!r}; those that do: "
                    f"{', '.join(sorted(names)) or 'none'}{nearest(chosen, names)}"
                )
        elif len(answers) > 1 and answers[0][0].tier == answers[1][0].tier:
            first, second = answers[0][0], answers[1][0]
            raise SlotConflict(
                f"slot {slot!r}: both {first} and {second} answer; settle it with "
                f'PLUGINS_CHOICE = {{"{slot}": "{first.name}"}} or block one with PLUGINS_BLOCKED'
            )
        ruling = (
            Ruling(slot, answers[0][1], answers[0][0], tuple(source for source, _ in answers[1:]))
            if answers
            else Ruling(slot, None, None)
        )
        self._rulings[slot] = ruling
        return ruling

    def heard(self, hook: str) -> bool:
        """Say whether anybody implements a hook, for who would prepare for nothing what it is told."""
        return bool(self._implementations(hook))

    def _slot(self, slot: str) -> Any:
        ruling = self.ruling(slot)
        if ruling.winner is None:
            raise EmptySlot(
                f"slot {slot!r}: nothing answers; install {SLOT_REMEDIES.get(slot, 'a plugin that does')}"
            )
        return ruling.answer

    def _collect(self, hook: str, arguments: dict[str, Any]) -> list[tuple[Source, Any]]:
        """Call all, weakest tier first, and keep the answers that are not None."""
        return [
            (implementation.source, answer)
            for implementation in reversed(self._implementations(hook))
            if (answer := implementation.call(arguments)) is not None
        ]

    def _merge(self, hook: str) -> dict[str, Any]:
        """Join mappings; one key from two plugins is an error."""
        merged: dict[str, Any] = {}
        owners: dict[str, Source] = {}
        for source, mapping in self._collect(hook, {"provider": self._provider}):
            for key, value in mapping.items():
                if key in merged:
                    raise DuplicateContribution(
                        f"{hook}: {key!r} comes from {owners[key]} and from {source}; block one"
                    )
                merged[key], owners[key] = value, source
        return merged

    def _join(
        self, hook: str, keys: Callable[[Any], Sequence[str | None]], taken: Collection[str] = ()
    ) -> list[Any]:
        """Join sequences; two members with one key, or one with a key that is the host's, are an error."""
        owners: dict[str, object] = dict.fromkeys(taken, "the host")
        joined: list[Any] = []
        for source, members in self._collect(hook, {"provider": self._provider}):
            for member in members:
                for key in map(str, keys(member)):
                    if key in owners:
                        raise DuplicateContribution(
                            f"{hook}: {key!r} comes from {owners[key]} and from {source}; block one"
                        )
                    owners[key] = source
                joined.append(member)
        return joined

    def _veto(self, hook: str, request: OAuthRequest) -> None:
        """Hear everyone; then raise the first denial. What is not a denial but raises is one too."""
        denials: list[OAuth2Error] = []
        for implementation in self._implementations(hook):
            try:
                answer = implementation.call({"provider": self._provider, "request": request})
            except OAuth2Error as denial:
                denials.append(denial)
            except Exception:
                log.exception("%s failed in %s; the request is refused", hook, implementation.source)
                denials.append(AccessDeniedError(description="A rule of this server could not be applied."))
            else:
                if answer is not None:
                    log.error("%s of %s returned a value; a veto returns None", hook, implementation.source)
                    denials.append(
                        AccessDeniedError(description="A rule of this server could not be applied.")
                    )
        if denials:
            raise denials[0]

    def rules(self, hook: str, arguments: Mapping[str, Any]) -> None:
        """Hear every rule on clients; raise all their words as one InvalidClientMetadata.

        A room asks it for a hook of its own too.

        Raises:
            InvalidClientMetadata: some rule denies.
            HookFailed: some rule could not be applied, which denies as well.
        """
        denials: list[InvalidClientMetadata] = []
        for implementation in self._implementations(hook):
            try:
                answer = implementation.call({**arguments, "provider": self._provider})
            except InvalidClientMetadata as denial:
                denials.append(denial)
                continue
            except Exception as error:
                raise HookFailed(f"{hook} failed in {implementation.source}") from error
            if answer is not None:
                raise HookFailed(f"{hook} of {implementation.source} returned a value")
        if denials:
            raise InvalidClientMetadata("; ".join(str(denial) for denial in denials), denials[0].error)

    def _demands(self, hook: str, arguments: dict[str, Any]) -> Demands:
        """Ask everyone and join what they demand. An OAuth2Error denies, and so does what is neither."""
        joined = Demands()
        for implementation in self._implementations(hook):
            try:
                demanded = implementation.call({**arguments, "provider": self._provider})
                joined |= Demands() if demanded is None else demanded
            except OAuth2Error:
                raise
            except Exception:
                log.exception("%s failed in %s; the request is refused", hook, implementation.source)
                raise AccessDeniedError(description="A rule of this server could not be applied.") from None
        return joined

    def _enrich(
        self, hook: str, arguments: dict[str, Any], response: Mapping[str, Any], name: str = "response"
    ) -> dict[str, Any]:
        """Let everyone add members; members that stand already stay as they are. `name` is what the hook calls them."""
        enriched = dict(response)
        for implementation in self._implementations(hook):
            added = implementation.call({**arguments, "provider": self._provider, name: dict(enriched)})
            for member, value in (added or {}).items():
                enriched.setdefault(member, value)
        return enriched

    def _record(self, hook: str, event: object) -> list[object]:
        """Call all and join the records they return; whatever one raises refuses the request."""
        records: list[object] = []
        for implementation in self._implementations(hook):
            try:
                records += implementation.call({"provider": self._provider, "event": event}) or ()
            except Exception as error:
                raise HookFailed(f"{hook} failed in {implementation.source}") from error
        return records

    def _shape(self, hook: str, exchange: object) -> None:
        """Call all, weakest tier first; an OAuth2Error denies, and so does what is none."""
        for implementation in reversed(self._implementations(hook)):
            try:
                implementation.call({"provider": self._provider, "exchange": exchange})
            except OAuth2Error:
                raise
            except Exception as error:
                raise HookFailed(f"{hook} failed in {implementation.source}") from error

    def _event(self, hook: str, event: object) -> None:
        """Call each apart; a failure is logged and hurts nobody."""
        for implementation in self._implementations(hook):
            try:
                implementation.call({"provider": self._provider, "event": event})
            except Exception:
                log.exception("%s failed in %s", hook, implementation.source)
