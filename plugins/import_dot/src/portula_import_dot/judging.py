"""Judges what each setting of the file becomes, by the settings that installed plugins declare."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import ConfigError
from portula.plugin import (
    AnswersSlot,
    DeclaredSetting,
    Settings,
    display_value,
    field_docs,
    import_object,
    nearest,
)
from portula_import_dot.no_counterpart import THEIR_DEFAULTS, reason
from portula_import_dot.reading import DICTIONARY, GivenSetting

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from portula import Provider

DJANGO = "oauth2_provider."
"""Beginning of import strings and model labels that name a default of django-oauth-toolkit."""


SPEAKS_OPENID = ("OIDC_ENABLED", "OIDC_RSA_PRIVATE_KEY")
"""Settings one of which switches OpenID Connect on there."""
ALWAYS_IN_OPENID = {"ID_TOKEN_WITH_SCOPE_CLAIMS": True}
"""What it then does there without a setting."""

CONTRIBUTED: dict[str, Any] = {
    "OIDC_RESPONSE_TYPES_SUPPORTED": Plugin.portula_response_types,
    "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": Plugin.portula_client_auth_methods,
}
"""Lists whose names plugins contribute, and how."""


class Outcome(StrEnum):
    """What becomes of a setting."""

    KEPT = "kept"
    """It is written as it is."""
    DEFAULT = "our default"
    """It names a default of django-oauth-toolkit; nothing need be written."""
    HAND = "your hand"
    """Somebody has to look at it."""
    GONE = "no counterpart"
    """There is no such setting."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One setting, and what becomes of it."""

    given: GivenSetting
    name: str
    """What it is called here."""
    outcome: Outcome
    text: str
    room: str = ""
    """Whose setting it is."""
    field: FieldInfo | None = None
    """Its declaration, if there is such a setting."""

    @property
    def display_value(self) -> str:
        """The value as reports show it; secrets are hidden."""
        return (
            f"({self.given.unread})"
            if self.given.unread
            else display_value(self.name, self.given.value, self.field)
        )


def judge(provider: Provider, found: Iterable[GivenSetting], *, importing: bool = False) -> list[Verdict]:
    """Return a verdict on each setting.

    Args:
        provider: whose plugins' settings there are.
        found: what the file sets.
        importing: whether import strings are followed, which runs the modules they name.
    """
    declared = {setting.name: setting for setting in provider.all_settings.declarations()}
    judged = [_judge(_plain(given), declared, importing=importing) for given in found]
    judged = [replace(one, text=_with_excluded(provider, one)) for one in judged]
    return _held_to_their_rules([*judged, *_judge_implied(judged, declared)], declared)


def _judge_implied(judged: Sequence[Verdict], declared: Mapping[str, DeclaredSetting]) -> Iterator[Verdict]:
    """Yield what the file need not say, since django-oauth-toolkit always does it."""
    speaks = any(one.name in SPEAKS_OPENID and (one.given.value or one.given.unread) for one in judged)
    named = {one.name for one in judged}
    for name, value in ALWAYS_IN_OPENID.items():
        if speaks and name in declared and name not in named:
            yield _judge(GivenSetting(name, None, value), declared, importing=False)


def _with_excluded(provider: Provider, verdict: Verdict) -> str:
    """Return the text of a verdict; of a list that excludes what it does not name, what that is."""
    possible: Collection[str] = ()
    if verdict.name in CONTRIBUTED:
        possible = [
            entry if isinstance(entry, str) else entry.name
            for entry in provider.hooks.collect(CONTRIBUTED[verdict.name])
        ]
    elif verdict.field is not None and isinstance(verdict.field.default, tuple):
        possible = verdict.field.default
    excluded = [name for name in possible if name not in (verdict.given.value or possible)]
    if verdict.outcome is not Outcome.KEPT or not excluded or "django-oauth-toolkit only" not in verdict.text:
        return verdict.text
    return f"{verdict.text} Excluded: {', '.join(map(repr, excluded))}."


def _plain(given: GivenSetting) -> GivenSetting:
    """Return a value as a configuration file can hold it."""
    value = given.value
    if isinstance(value, timedelta) and value == timedelta(seconds=int(value.total_seconds())):
        value = int(value.total_seconds())
    elif isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    return replace(given, value=value)


def _judge(given: GivenSetting, declared: Mapping[str, DeclaredSetting], *, importing: bool) -> Verdict:
    name = given.name.removeprefix(f"{DICTIONARY}_") or "?"
    setting = declared.get(name)
    outcome, text = _without_its_value(given, name, declared) or (
        _by_its_value(given.value, declared[name], importing=importing)
    )
    if setting is None:
        return Verdict(given, name, outcome, text)
    return Verdict(given, name, outcome, text, setting.owner.name, setting.field)


def _without_its_value(
    given: GivenSetting, name: str, declared: Mapping[str, DeclaredSetting]
) -> tuple[Outcome, str] | None:
    setting = declared.get(name)
    if not given.name:
        return Outcome.HAND, f"{given.unread}: see which settings come from there, or use --execute."
    if _is_default(given.value, setting):
        return Outcome.DEFAULT, "It names a default, which here is a plugin's; nothing need be written."
    recognizes, text = THEIR_DEFAULTS.get(name, (None, ""))
    if recognizes is not None and not given.unread and recognizes(given.value):
        return Outcome.DEFAULT, text
    if setting is None:
        return Outcome.GONE, (
            reason(name) or f"No installed plugin has this setting{nearest(name, declared)}"
        )
    if given.unread:
        return Outcome.HAND, f"It is not written out: {given.unread}. Write its value, or use --execute."
    return None


def _by_its_value(value: Any, setting: DeclaredSetting, *, importing: bool) -> tuple[Outcome, str]:
    if setting.name.endswith("_MODEL"):
        return Outcome.HAND, "Yours is a Django model. Write it as a class here, and give its import string."
    mark = next((mark for mark in setting.field.metadata if isinstance(mark, AnswersSlot)), None)
    if mark is not None and value is not None:
        return _about_a_class(value, setting.name, mark, importing=importing)
    if not _is_literal(value):
        return Outcome.HAND, "It is an object, which no file can hold. Give it in the configuration yourself."
    return Outcome.KEPT, _difference(setting) or "It means the same."


def _is_default(value: Any, setting: DeclaredSetting | None) -> bool:
    """Recognize a default of django-oauth-toolkit: as the setting knows it, else by its package."""
    marks = [mark for mark in (setting.field.metadata if setting else ()) if isinstance(mark, AnswersSlot)]
    if not isinstance(value, str):
        return False
    return any(value in mark.aliases for mark in marks) if marks else value.startswith(DJANGO)


def _about_a_class(value: Any, name: str, mark: AnswersSlot, *, importing: bool) -> tuple[Outcome, str]:
    if not importing and isinstance(value, str):
        return Outcome.HAND, (
            f"{value} is yours. Write it without Django, as `portula explain {name}` says; --execute tries it as it is."
        )
    try:
        mark.adapt(import_object(value))
    except Exception as error:  # noqa: BLE001 - it is somebody's module: anything may happen in it
        return Outcome.HAND, (
            f"{value} is yours and does not serve as it is: {type(error).__name__}: {error}; write it without "
            f"Django, as `portula explain {name}` says."
        )
    if not isinstance(value, str):
        return Outcome.HAND, "It fits, but it is an object: give its import string."
    return Outcome.KEPT, f"It imports, and fits the slot {mark.slot}."


def _is_literal(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_literal(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return all(map(_is_literal, value))
    return (
        value is None or type(value) in (str, bytes, int, bool) or (type(value) is float and isfinite(value))
    )


def _difference(setting: DeclaredSetting) -> str:
    """Return the sentences of a setting's documentation that say what is different here."""
    text = " ".join(field_docs(setting.model).get(setting.name, "").split())
    return " ".join(f"{part.rstrip('.')}." for part in text.split(". ") if "django-oauth-toolkit" in part)


def _held_to_their_rules(verdicts: list[Verdict], declared: Mapping[str, DeclaredSetting]) -> list[Verdict]:
    """Validate what is kept, all together as at a start, until nothing that is kept is refused."""
    models = list({setting.model: (setting.owner, setting.model) for setting in declared.values()}.values())
    refused: dict[str, str] = {}
    while True:
        kept = {
            verdict.name: verdict.given.value
            for verdict in verdicts
            if verdict.outcome is Outcome.KEPT and verdict.name not in refused
        }
        findings = _findings(lambda values=kept: Settings().load(models, values))  # type: ignore[misc]
        named = {finding.partition(":")[0].partition("[")[0]: finding for finding in findings}
        new = {name: finding for name, finding in named.items() if name in kept}
        if not new:
            break
        refused.update(new)
    return [
        replace(verdict, outcome=Outcome.HAND, text=_without_name(refused[verdict.name], verdict.name))
        if verdict.name in refused and verdict.outcome is Outcome.KEPT
        else verdict
        for verdict in verdicts
    ]


def _findings(check: Callable[[], None]) -> tuple[str, ...]:
    try:
        check()
    except ConfigError as error:
        return error.findings
    return ()


def _without_name(finding: str, name: str) -> str:
    return f"It is refused here: {finding.removeprefix(f'{name}: ')}"
