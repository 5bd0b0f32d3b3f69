"""The plugin manager: discovery, tiers, blocking, conflicts. The order is computed here, never left to discovery."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import importlib_metadata
import pluggy
from pluggy import HookImpl, PluginValidationError

from portula.defaults import DEFAULT_ROOMS
from portula.errors import BrokenPlugin, ConfigError, DuplicatePlugin, UnknownPlugin, nearest
from portula.hookspecs import SPECIFICATIONS

ENTRY_POINT_GROUP = "portula"


class Tier(IntEnum):
    """Where a plugin came from, weakest first: a deployment always beats what an installation brought."""

    DEFAULT = 1
    INSTALLED = 2
    DIRECTORY = 3
    DEPLOYMENT = 4
    SETTING = 5


@dataclass(frozen=True, slots=True)
class Source:
    """A registered plugin and where it came from."""

    name: str
    tier: Tier
    distribution: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        """Name the plugin and its distribution, for error messages."""
        if self.distribution:
            return f"plugin {self.name!r} of distribution {self.distribution} {self.version}"
        return f"plugin {self.name!r}"


@dataclass(frozen=True, slots=True)
class Implementation:
    """One implementation of a hook, with its source."""

    source: Source
    hook: HookImpl
    order: int

    def call(self, arguments: dict[str, Any]) -> Any:
        """Call it with those of the arguments that it takes."""
        return self.hook.function(*[arguments[name] for name in self.hook.argnames])


class Plugins:
    """One pluggy PluginManager and the sources of everything registered in it."""

    def __init__(self) -> None:
        """Make an empty manager that knows core's hooks."""
        self.manager = pluggy.PluginManager("portula")
        for module in SPECIFICATIONS:
            self.manager.add_hookspecs(module)
        self.sources: dict[str, Source] = {}

    def register(self, plugin: object, source: Source) -> None:
        """Register a plugin, or refuse it with its distribution and the remedy named.

        Raises:
            BrokenPlugin: an implementation breaks a rule of `portula.hooks`.
            DuplicatePlugin: the name is taken.
        """
        if source.name in self.sources:
            raise DuplicatePlugin(
                f"{source} and {self.sources[source.name]} have the same name; rename or block one"
            )
        instance = plugin() if inspect.isclass(plugin) else plugin
        problems = list(self._problems(instance))
        if problems:
            raise BrokenPlugin(*(f"{source}: {problem}" for problem in problems))
        try:
            self.manager.register(instance, source.name)
        except (PluginValidationError, ValueError) as error:
            raise BrokenPlugin(f"{source}: {error}") from error
        self.sources[source.name] = source

    def _problems(self, plugin: object) -> Iterable[str]:
        for name in dir(plugin):
            options = self.manager.parse_hookimpl_opts(plugin, name)
            if options is None:
                continue
            for forbidden in ("wrapper", "hookwrapper", "tryfirst", "trylast"):
                if options.get(forbidden):
                    yield f"{name} uses {forbidden}; the host orders and calls hooks itself, remove it"
            for parameter in inspect.signature(getattr(plugin, name)).parameters.values():
                if parameter.default is not parameter.empty or parameter.kind is parameter.KEYWORD_ONLY:
                    yield f"{name} gives {parameter.name!r} a default or makes it keyword-only; hooks are positional"

    def check_pending(self) -> None:
        """Refuse implementations of hooks that nobody specifies: misspelt names.

        Raises:
            BrokenPlugin: lists each of them with the nearest known hook.
        """
        known = [name for name, caller in vars(self.manager.hook).items() if _has_spec(caller)]
        findings = [
            f"{self.sources[implementation.plugin_name]}: there is no hook {name!r}{nearest(name, known)}"
            for name, caller in vars(self.manager.hook).items()
            if isinstance(caller, pluggy.HookCaller) and not caller.has_spec()
            for implementation in caller.get_hookimpls()
            if not implementation.optionalhook
        ]
        if findings:
            raise BrokenPlugin(*findings)

    def hook_names(self) -> list[str]:
        """Return the names of all specified hooks, rooms' own included, without their prefix."""
        hooks = vars(self.manager.hook).items()
        return [name.removeprefix("portula_") for name, caller in hooks if _has_spec(caller)]

    def implementations(self, hook: str) -> list[Implementation]:
        """Return the implementations of a hook, strongest tier first, by name within a tier."""
        caller: pluggy.HookCaller = getattr(self.manager.hook, hook)
        found = [
            Implementation(self.sources[implementation.plugin_name], implementation, position)
            for position, implementation in enumerate(caller.get_hookimpls())
        ]
        return sorted(found, key=lambda entry: (-entry.source.tier, entry.source.name))

    def discover(self, blocked: Sequence[str], optional: Sequence[str]) -> list[str]:
        """Register every entry point of the group `portula`; return the notes on optional ones left out.

        Raises:
            DuplicatePlugin: two distributions claim one name.
            UnknownPlugin: `blocked` or `optional` names something that is not installed.
            BrokenPlugin: a plugin that is not optional fails to import.
        """
        found = self._entry_points()
        findings = [
            f"{setting}: no plugin named {name!r} is installed{nearest(name, found)}"
            for setting, names in (("PLUGINS_BLOCKED", blocked), ("PLUGINS_OPTIONAL", optional))
            for name in names
            if name not in found
        ]
        if findings:
            raise UnknownPlugin(*findings)
        left_out: list[str] = []
        for name, (entry_point, source) in sorted(found.items()):
            if name in blocked:
                continue
            try:
                plugin = entry_point.load()
            except Exception as error:
                note = f"{source} fails to import: {type(error).__name__}: {error}"
                if name not in optional:
                    raise BrokenPlugin(
                        f"{note}; mend it, uninstall it, or name it in PLUGINS_OPTIONAL"
                    ) from error
                left_out.append(note)
                continue
            self.register(plugin, source)
        return left_out

    def _entry_points(self) -> dict[str, tuple[importlib_metadata.EntryPoint, Source]]:
        found: dict[str, tuple[importlib_metadata.EntryPoint, Source]] = {}
        for entry_point in importlib_metadata.entry_points(group=ENTRY_POINT_GROUP):
            distribution = entry_point.dist.name if entry_point.dist else "unknown"
            version = entry_point.dist.version if entry_point.dist else ""
            ours = DEFAULT_ROOMS.get(entry_point.name) == _normal(distribution)
            tier = Tier.DEFAULT if ours else Tier.INSTALLED
            source = Source(entry_point.name, tier, distribution, version)
            earlier = found.get(entry_point.name)
            if earlier and _normal(earlier[1].distribution or "") != _normal(distribution):
                raise DuplicatePlugin(
                    f"the plugin name {entry_point.name!r} is claimed by two distributions, "
                    f"{earlier[1].distribution} and {distribution}; uninstall one of them"
                )
            found[entry_point.name] = (entry_point, source)
        return found

    def register_directory(self, directory: Path) -> None:
        """Register each `*.py` of a folder, in order of name.

        Raises:
            ConfigError: there is no such folder.
            BrokenPlugin: a file fails to import.
        """
        if not directory.is_dir():
            raise ConfigError(f"PLUGINS_DIR: {str(directory)!r} is not a folder")
        for path in sorted(directory.glob("*.py")):
            source = Source(path.stem, Tier.DIRECTORY)
            spec = importlib.util.spec_from_file_location(f"portula_plugins_dir_{path.stem}", path)
            if spec is None or spec.loader is None:
                raise BrokenPlugin(f"{source}: {path.name} cannot be imported")
            module = importlib.util.module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            except Exception as error:
                raise BrokenPlugin(f"{source}: {path.name} fails: {type(error).__name__}: {error}") from error
            self.register(module, source)


def _normal(distribution: str) -> str:
    return distribution.lower().replace("_", "-")


def _has_spec(caller: object) -> bool:
    return isinstance(caller, pluggy.HookCaller) and caller.has_spec()
