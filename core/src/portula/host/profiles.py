"""Profiles: under one name, what settings and clients may be, for a whole server or for single clients."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portula.model.records import Application

PROFILE_MEMBER = "profile"
"""Member of client metadata: the profile that a client is held to, besides those of the server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What a setting may be under a profile. A setting that no installed plugin declares is passed over."""

    setting: str
    allows: Callable[[Any], bool]
    """Takes the value in force."""
    allowed: str
    """What is allowed, as text for errors."""
    default: Any
    """The value where none is set and the plain default is not allowed; or a callable that is given a function, which
    returns the value of a setting by name, None for one that nobody declares."""

    @classmethod
    def exactly(cls, setting: str, value: Any) -> Floor:
        """Return a floor that allows one value."""
        return cls(
            setting=setting, allows=lambda found: bool(found == value), allowed=repr(value), default=value
        )

    @classmethod
    def among(cls, setting: str, values: Collection[Any], default: Any = None) -> Floor:
        """Return a floor of a setting that is a list, each member of which is one of these values."""
        return cls(
            setting=setting,
            allows=lambda found: isinstance(found, tuple) and set(values).issuperset(found),
            allowed=f"only {', '.join(map(str, values))}",
            default=tuple(values) if default is None else default,
        )

    @classmethod
    def at_most(cls, setting: str, limit: int, default: int) -> Floor:
        """Return a floor of a setting that is a number, not a callable."""
        return cls(
            setting=setting,
            allows=lambda found: isinstance(found, int) and found <= limit,
            allowed=f"a number up to {limit}",
            default=default,
        )

    @classmethod
    def between(cls, setting: str, least: int, most: int, default: int) -> Floor:
        """Return a floor of a setting that is a number, not a callable, and has a bound on both sides."""
        return cls(
            setting=setting,
            allows=lambda found: isinstance(found, int) and least <= found <= most,
            allowed=f"a number from {least} to {most}",
            default=default,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredSetting:
    """What a server has to have for a profile: one of these settings, by which a plugin says that it is installed."""

    text: str
    settings: tuple[str, ...]
    """One is enough that is declared, and neither off nor empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileViolation:
    """What of a client, or of a server, is not as a profile asks."""

    field: str
    """The member of client metadata, or the setting."""
    value: str
    allowed: str

    def __str__(self) -> str:
        """Return a sentence without the name of the profile."""
        return f"{self.field}: {self.value} is not allowed; allowed: {self.allowed}"


def _nothing(_application: Application) -> Iterable[ProfileViolation]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile, by its name."""

    name: str
    """As PROFILE and the client metadata `profile` name it."""
    floors: tuple[Floor, ...] = ()
    needs: tuple[RequiredSetting, ...] = ()
    client: Callable[[Application], Iterable[ProfileViolation]] = _nothing
    """Yields what of a client is not allowed, when it is saved and each time it authenticates."""


class Profiles:
    """The profiles that plugins contribute, and those of them that PROFILE names."""

    def __init__(self, contributed: Iterable[Profile] = (), named: object = None) -> None:
        """Take all profiles, and the value of PROFILE, which may be wrong."""
        self.known = {profile.name: profile for profile in contributed}
        listed = named if isinstance(named, list | tuple) else [named]
        names = [name for name in listed if isinstance(name, str)]
        self.unknown = [name for name in names if name not in self.known]
        self.in_force = tuple(self.known[name] for name in names if name in self.known)

    @property
    def settings(self) -> frozenset[str]:
        """The settings about which the profiles in force say something: validators are given it as their context."""
        return frozenset(floor.setting for profile in self.in_force for floor in profile.floors)

    def of(self, application: Application) -> list[Profile]:
        """Return the profiles that a client is held to: those of the server, and its own."""
        own = self.own(application)
        return [*self.in_force, *([own] if own is not None and own not in self.in_force else ())]

    def own(self, application: Application) -> Profile | None:
        """Return the profile that a client's metadata name, if they name one that is known."""
        return self.known.get(str(application.metadata.get(PROFILE_MEMBER)))

    def defaults(
        self, values: Mapping[str, Any], look_up: Callable[[str], Any]
    ) -> Iterator[tuple[str, Any, str]]:
        """Yield setting, default and profile, where a profile does not allow the plain default among these values."""
        found = dict(values)
        for profile in self.in_force:
            for floor in profile.floors:
                name = floor.setting
                if name in found and not floor.allows(found[name]):
                    default = floor.default(look_up) if callable(floor.default) else floor.default
                    found[name] = default
                    yield name, default, profile.name
