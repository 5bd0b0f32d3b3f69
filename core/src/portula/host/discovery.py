"""Finding plugins: entry points of installed distributions, and files of a folder. Nothing is ordered here."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import importlib_metadata

from portula.host.defaults import DEFAULT_ROOMS
from portula.host.kinds import PREFIX, HookDeclarations, facts_of
from portula.model.errors import BrokenPlugin, ConfigError, DuplicatePlugin
from portula.model.sources import PluginSource, Tier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

ENTRY_POINT_GROUP = "portula"


def entry_points() -> dict[str, tuple[importlib_metadata.EntryPoint, PluginSource]]:
    """Return the entry points of the group `portula` by name, none of them loaded.

    They are read again when a folder of `sys.path` has changed, as Python's own finders of modules do.

    Raises:
        DuplicatePlugin: two distributions claim one name; one would silently shadow the other.
    """
    return dict(_entry_points(tuple((path, _changed_at(path or ".")) for path in sys.path)))


def _changed_at(folder: str) -> int | None:
    """Return when a folder changed, in nanoseconds; None if there is none."""
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return None


@lru_cache(maxsize=8)
def _entry_points(
    _folders: tuple[tuple[str, int | None], ...],
) -> dict[str, tuple[importlib_metadata.EntryPoint, PluginSource]]:
    found: dict[str, tuple[importlib_metadata.EntryPoint, PluginSource]] = {}
    for entry_point in importlib_metadata.entry_points(group=ENTRY_POINT_GROUP):
        distribution = entry_point.dist.name if entry_point.dist else "unknown"
        version = entry_point.dist.version if entry_point.dist else ""
        ours = DEFAULT_ROOMS.get(entry_point.name) == _normal(distribution)
        source = PluginSource(
            entry_point.name, Tier.DEFAULT if ours else Tier.INSTALLED, distribution, version
        )
        earlier = found.get(entry_point.name)
        if earlier and _normal(earlier[1].distribution or "") != _normal(distribution):
            raise DuplicatePlugin(
                f"the plugin name {entry_point.name!r} is claimed by two distributions, "
                f"{earlier[1].distribution} and {distribution}; uninstall one of them"
            )
        found[entry_point.name] = (entry_point, source)
    return found


def plugin_files(directory: Path) -> Iterator[tuple[Path, PluginSource]]:
    """Yield each `*.py` of a folder in order of name, none of them loaded.

    Raises:
        ConfigError: there is no such folder.
    """
    if not directory.is_dir():
        raise ConfigError(f"PLUGINS_DIR: {str(directory)!r} is not a folder")
    for path in sorted(directory.glob("*.py")):
        yield path, PluginSource(path.stem, Tier.DIRECTORY)


def load_file(path: Path, source: PluginSource) -> ModuleType:
    """Run a file as a module of its own.

    Raises:
        BrokenPlugin: it fails to import.
    """
    spec = importlib.util.spec_from_file_location(f"portula_plugins_dir_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise BrokenPlugin(f"{source}: {path.name} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Flask looks there for its folder, and dataclasses for names
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        raise BrokenPlugin(f"{source}: {path.name} fails: {type(error).__name__}: {error}") from error
    return module


def plugin_classes(module: ModuleType) -> list[type[object]]:
    """Return the classes of plugins that a module or package makes itself, apart from those that declare hooks."""
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and f"{value.__module__}.".startswith(f"{module.__name__}.")
        and issubclass(value, HookDeclarations)
        and not any(facts_of(attribute) for attribute in vars(value).values())
    ]


def silent_parts(plugin: object, implemented: Collection[str], *, given: bool = False) -> Iterator[str]:
    """Yield what in a plugin looks like an implementation and is none, and whether there is none at all.

    Args:
        plugin: a module or an object.
        implemented: names of its attributes that implement a hook.
        given: the application gives it itself, and may do so for what it is besides a plugin.
    """
    holder = plugin if isinstance(plugin, ModuleType) else type(plugin)
    unmarked = [
        name
        for name, value in vars(holder).items()
        if name.startswith(PREFIX) and inspect.isfunction(value) and name not in implemented
    ]
    if not isinstance(plugin, HookDeclarations):
        yield from (f"{name} is not marked, so nobody calls it; mark it with @hookimpl" for name in unmarked)
    if implemented or unmarked or given:
        return
    names = [found.__name__ for found in plugin_classes(plugin)] if isinstance(plugin, ModuleType) else []
    if names:
        yield (
            f"it has several classes of plugins, {', '.join(names)}, and no hook of its own; "
            "leave one, or give each a file or an entry point"
        )
    else:
        yield "it implements no hook; derive a class from portula.Plugin, or mark a function with @hookimpl"


def _normal(distribution: str) -> str:
    """Return the name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()
