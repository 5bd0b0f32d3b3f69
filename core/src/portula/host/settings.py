"""Settings: each room's pydantic model, filled from OAUTH2_PROVIDER; all findings are reported together.

A setting is declared once, in the room that owns it. A setting whose value is an import string answers a slot: it
becomes a plugin of the strongest tier.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args, get_origin

from pydantic import (
    BaseModel,
    Secret,
    SecretBytes,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo

from portula.host.core_settings import StandAlone
from portula.host.profiles import Profile, Profiles, ProfileViolation
from portula.host.wording import has_kinds, problems_in_words
from portula.model.errors import ConfigError, UnknownSetting, nearest
from portula.model.sources import PluginSource

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)

DICTIONARY = "OAUTH2_PROVIDER"
"""The key of `app.config` that holds the settings."""

ALIKE = 0.9
"""From which likeness on a name is a misspelling of OAUTH2_PROVIDER: one or two letters."""

_SECRET_WORDS = ("SECRET", "PASSWORD", "PRIVATE_KEY", "CREDENTIALS", "AUTH_TOKEN", "DATABASE_URL")
_HARMLESS_ENDINGS = ("_CLASS", "_ENABLED", "_LENGTH", "_PROFILE")


@dataclass(frozen=True, slots=True)
class OutsideName:
    """Marks a setting that may also stand by itself in `app.config`, beside OAUTH2_PROVIDER."""

    name: str


@dataclass(frozen=True, slots=True)
class AnswersSlot:
    """Marks a setting whose value, an import string or the object itself, answers a slot."""

    slot: str
    adapt: Callable[[Any], object] = lambda value: value
    """Turns the imported object into the slot's answer, e.g. a class into an instance; raises TypeError."""
    aliases: tuple[str, ...] = ()
    """Import strings that mean our default, e.g. those of a migrated django-oauth-toolkit configuration."""
    applies: Callable[[Any], bool] | None = None
    """Asked when the slot is: False makes the setting no answer. None: it always is one."""


def subclass_of(*bases: type) -> Callable[[Any], object]:
    """Return an `adapt` for AnswersSlot that lets pass subclasses of one of these classes; TypeError for all else."""

    def check(value: Any) -> object:
        if not isinstance(value, type) or not issubclass(value, bases):
            raise TypeError(f"a subclass of {' or '.join(base.__qualname__ for base in bases)} is needed")
        return value

    return check


@dataclass(frozen=True, slots=True)
class DeclaredSetting:
    """One setting: where it is declared and where its value came from."""

    name: str
    owner: PluginSource
    model: type[BaseModel]
    field: FieldInfo
    origin: str
    """`default`, `configured`, or the profile that changes the default, such as `profile strict`."""


class Settings:
    """The models of all rooms with their values."""

    def __init__(self) -> None:
        """Begin without models."""
        self._models: dict[type[BaseModel], BaseModel] = {}
        self._owners: dict[str, tuple[PluginSource, type[BaseModel], FieldInfo]] = {}
        self._given: Mapping[str, Any] = {}
        self._answers: list[tuple[str, AnswersSlot, object]] = []
        self.beside: tuple[str, ...] = ()
        """Names in `outside` that look as if they belonged into OAUTH2_PROVIDER, where alone they would be heard."""
        self.profiles = Profiles()
        self._of_profiles: dict[str, tuple[Any, str]] = {}
        self._held: dict[tuple[type[BaseModel], str], BaseModel] = {}

    def load(
        self,
        models: Sequence[tuple[PluginSource, type[BaseModel]]],
        given: Mapping[str, Any],
        also: Sequence[str] = (),
        *,
        strangers: bool = False,
        stand_alone: bool = False,
        outside: Mapping[str, Any] = MappingProxyType({}),
        profiles: Sequence[Profile] = (),
    ) -> None:
        """Validate OAUTH2_PROVIDER against all models; `also` are findings of others, to be said together.

        With `strangers`, settings that nobody declares are passed over: their plugins are set aside for once. With
        `stand_alone` the defaults are those of a provider that runs by itself. `outside` is searched for the names of
        settings marked with OutsideName. `profiles` are all that PROFILE may name.

        Raises:
            ConfigError: every finding, one a line, each with setting, value, what is allowed and the nearest name.
        """
        findings = list(also)
        for source, model in models:
            for name, info in model.model_fields.items():
                if name in self._owners:
                    findings.append(f"{name}: declared by {self._owners[name][0]} and again by {source}")
                self._owners[name] = (source, model, info)
        given = {**given, **self._settings_outside(given, outside, findings)}
        unknown = [] if strangers else [name for name in given if name not in self._owners]
        findings += [
            f"{name}: no installed plugin has this setting{nearest(str(name), self._owners)}"
            for name in unknown
        ]
        self.beside = self._misplaced_names(given, outside)
        if stand_alone:
            findings += [f"{name}: {_put_in(name)}" for name in self.beside]
        self._given = given
        self.profiles = Profiles(profiles, given.get("PROFILE"))
        for _, model in models:
            findings += self._fill(model, _stand_alone_defaults(model) if stand_alone else {})
        findings += self._against_profiles()
        findings += self._answer_slots()
        if findings:
            raise (UnknownSetting if len(unknown) == len(findings) else ConfigError)(*findings)

    def _fill(self, model: type[BaseModel], defaults: Mapping[str, Any]) -> list[str]:
        """Validate what is set of a model, over defaults other than its own; return what is wrong."""
        values = {**defaults, **self._profile_defaults(model, defaults)}
        values |= {name: self._given[name] for name in model.model_fields if name in self._given}
        try:
            self._models[model] = model.model_validate(values, context=self.profiles.settings)
        except ValidationError as error:
            return _readable(error, model)
        return []

    def _against_profiles(self) -> list[str]:
        """Return which profiles nobody has, and what the profiles in force do not allow."""
        unknown = [
            f"PROFILE: no installed plugin has the profile {name!r}{nearest(name, self.profiles.known)}"
            for name in self.profiles.unknown
        ]
        return unknown + [
            f"{found}; profile {profile.name}"
            for profile in self.profiles.in_force
            for found in self.violations(profile)
        ]

    def _settings_outside(
        self, given: Mapping[str, Any], outside: Mapping[str, Any], findings: list[str]
    ) -> dict[str, Any]:
        """Return the settings that stand beside OAUTH2_PROVIDER; what is said twice must be the same."""
        found: dict[str, Any] = {}
        for name, (_, _, info) in self._owners.items():
            for mark in info.metadata:
                if isinstance(mark, OutsideName) and mark.name in outside:
                    found[name] = outside[mark.name]
                    if given.get(name, found[name]) != found[name]:
                        findings.append(
                            f"{name}: {display_value(name, given[name], info)} in OAUTH2_PROVIDER, but {mark.name} is "
                            f"{display_value(name, found[name], info)}; keep one of them"
                        )
        return found

    def _misplaced_names(self, given: Mapping[str, Any], outside: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names beside OAUTH2_PROVIDER that are settings, unless said in it too, or are nearly its own."""
        marks = [mark for _, _, info in self._owners.values() for mark in info.metadata]
        heard = {DICTIONARY, *(mark.name for mark in marks if isinstance(mark, OutsideName))}
        return tuple(
            name
            for name in outside
            if name not in heard
            and (_nearly_the_dictionary(name) or (name in self._owners and given.get(name) != outside[name]))
        )

    def _profile_defaults(self, model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the defaults that the profiles in force change; what is set is not looked at."""
        plain = {
            name: info.get_default(call_default_factory=True)
            for name, info in model.model_fields.items()
            if name not in self._given
            and not info.is_required()
            and not getattr(info, "default_factory_takes_validated_data", False)  # since pydantic 2.10
        }
        changed = {
            name: (default, profile)
            for name, default, profile in self.profiles.defaults({**plain, **values}, self._before_profiles)
        }
        self._of_profiles |= changed
        return {name: default for name, (default, _) in changed.items()}

    def _before_profiles(self, name: str) -> Any:
        """Return what is set, or the plain default; None for a setting that nobody declares."""
        if name not in self._owners:
            return None
        return self._given.get(name, self._owners[name][2].get_default(call_default_factory=True))

    def missing(self, profile: Profile) -> list[ProfileViolation]:
        """Return what a profile needs of plugins and is not there, or off."""
        return [
            ProfileViolation(
                field="PROFILE",
                value=f"{profile.name} without {need.text}",
                allowed=f"with {' or '.join(need.settings)}",
            )
            for need in profile.needs
            if not any(self._is_on(name) for name in need.settings)
        ]

    def violations(self, profile: Profile) -> list[ProfileViolation]:
        """Return what is missing, and which values in force a profile does not allow."""
        return self.missing(profile) + [
            ProfileViolation(field=name, value=display_value(name, value, info), allowed=floor.allowed)
            for floor in profile.floors
            if (name := floor.setting) in self._owners
            for _, model, info in [self._owners[name]]
            if model in self._models and not floor.allows(value := self.value(name))
        ]

    def _is_on(self, name: str) -> bool:
        return name in self._owners and self._owners[name][1] in self._models and bool(self.value(name))

    def get(self, model: type[M], profile: Profile | None = None) -> M:
        """Return the settings of one room, as they are for a client that is held to a profile if one is named."""
        if model not in self._models:
            raise LookupError(f"{model.__name__} is contributed by no plugin (portula_settings)")
        found = self._models[model]
        if profile is None:
            return cast("M", found)
        if (model, profile.name) not in self._held:
            changed = {
                floor.setting: floor.default(self._before_profiles)
                if callable(floor.default)
                else floor.default
                for floor in profile.floors
                if floor.setting in model.model_fields and not floor.allows(getattr(found, floor.setting))
            }
            self._held[model, profile.name] = found.model_copy(update=changed)
        return cast("M", self._held[model, profile.name])

    def declarations(self) -> list[DeclaredSetting]:
        """Return every setting, by name."""
        return [
            DeclaredSetting(name, source, model, info, self._origin(name))
            for name, (source, model, info) in sorted(self._owners.items())
        ]

    def _origin(self, name: str) -> str:
        if name in self._given:
            return "configured"
        return f"profile {self._of_profiles[name][1]}" if name in self._of_profiles else "default"

    def value(self, name: str, *default: Any) -> Any:
        """Return the value of a setting by name, for reports and for who does not care which plugin has it.

        Args:
            name: of the setting.
            default: what to return when no plugin has it; without it, that is a KeyError.
        """
        if default and name not in self._owners:
            return default[0]
        return getattr(self._models[self._owners[name][1]], name)

    def slot_answers(self) -> list[tuple[str, AnswersSlot, object]]:
        """Return (setting, mark, adapted answer) of every configured setting that answers a slot.

        A default is no answer: it is the word of whoever declares the setting, not of the deployment (attack S74).
        """
        return self._answers

    def _answer_slots(self) -> list[str]:
        """Import what settings name; return what does not import or is of the wrong kind."""
        findings: list[str] = []
        for name, (_, _, info) in sorted(self._owners.items()):
            value = self._given.get(name)
            for mark in info.metadata:
                if not isinstance(mark, AnswersSlot) or value is None or value in mark.aliases:
                    continue
                try:
                    self._answers.append((name, mark, mark.adapt(import_object(value))))
                except (ImportError, AttributeError, TypeError, ValueError) as error:
                    findings.append(f"{name}: {display_value(name, value, info)}: {error}")
        return findings


def _nearly_the_dictionary(name: str) -> bool:
    return difflib.SequenceMatcher(None, name, DICTIONARY).ratio() >= ALIKE


def _put_in(name: str) -> str:
    """Say how a setting stands in the dictionary, or that its own name is misspelt."""
    if _nearly_the_dictionary(name):
        return f"nothing reads it; did you mean {DICTIONARY!r}?"
    return f"belongs into {DICTIONARY}, or FLASK_{DICTIONARY}__{name} into the environment"


def _stand_alone_defaults(model: type[BaseModel]) -> dict[str, Any]:
    return {
        name: mark.value
        for name, info in model.model_fields.items()
        for mark in info.metadata
        if isinstance(mark, StandAlone)
    }


def slots_answered(models: Sequence[type[BaseModel]]) -> set[str]:
    """Return the slots that settings of these models answer."""
    fields = [info for model in models for info in model.model_fields.values()]
    return {mark.slot for info in fields for mark in info.metadata if isinstance(mark, AnswersSlot)}


def import_object(value: object) -> object:
    """Return the object an import string names (`package.module.Name` or `package.module:Name`), or the object given.

    Raises:
        ImportError: the module cannot be imported, or fails at it, or the string has no dot.
        AttributeError: the module has no such name.
    """
    if not isinstance(value, str):
        return value
    module, _, name = value.rpartition(":" if ":" in value else ".")
    if not module or not name:
        raise ImportError("is not an import string such as 'package.module.Name'")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        if isinstance(error, ModuleNotFoundError) and f"{module}.".startswith(f"{error.name}."):
            raise ImportError(f"{error}; install it, or name its folder in PYTHONPATH") from error
        raise
    except Exception as error:
        raise ImportError(f"its module fails: {type(error).__name__}: {error}") from error


def display_value(name: str, value: object, field: FieldInfo | None = None) -> str:
    """Return a value as text for reports and errors; secrets are left out, and so are URLs that may hold one.

    Args:
        name: of the setting; some words in it mean a secret.
        value: what it is set to.
        field: its declaration, which makes it a secret by `Field(repr=False)` or a type such as `SecretStr`.
    """
    secret = any(word in name for word in _SECRET_WORDS) and not name.endswith(_HARMLESS_ENDINGS)
    secret = secret or (isinstance(value, str) and "@" in value.partition("://")[2])
    secret = secret or (field is not None and (field.repr is False or _holds_secrets(field.annotation)))
    if value is None or value in ("", ()) or not secret:
        return repr(value)
    return "<hidden>"


def _holds_secrets(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, Secret | SecretStr | SecretBytes):
        return True
    return any(
        map(_holds_secrets, (get_origin(annotation), *get_args(annotation)) if get_args(annotation) else ())
    )


def _readable(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return a line for each thing that is wrong; where a value may be of several kinds, one for all of them."""
    whole: list[str] = []
    findings: dict[str, list[ErrorDetails]] = {}
    for problem in error.errors(include_url=False):
        if not problem["loc"]:  # about the model as a whole: the input is every value, secrets among them
            whole.append(problem["msg"].removeprefix("Value error, "))
            continue
        if problem["type"] == "missing":  # here too
            whole.append(f"{problem['loc'][0]}: it is required, and not set")
            continue
        name = str(problem["loc"][0])
        parts = problem["loc"][2 if has_kinds(model, name) else 1 :]
        findings.setdefault(name + "".join(f"[{part!r}]" for part in parts), []).append(problem)
    lines = list(dict.fromkeys(whole))
    for where, problems in findings.items():
        name = str(problems[0]["loc"][0])
        field = model.model_fields.get(name)
        value = display_value(name, problems[0]["input"], field)
        lines.append(f"{where}: {value} is not allowed: {problems_in_words(problems, field)}")
    return lines
