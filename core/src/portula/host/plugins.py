"""The plugin manager: discovery, tiers, blocking, conflicts. The order is computed here, never left to discovery."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy
from pluggy import HookImpl, PluginValidationError

from portula.host.classes import FACTS, NEEDS_TRUST, HookFacts, facts_of
from portula.host.discovery import entry_points, load_file, plugin_files
from portula.host.hookspecs import SPECIFICATIONS
from portula.host.lock import LockedPlugin, LockFile, PluginRefused, digest_of_entry_point, digest_of_files
from portula.host.settings import slots_answered
from portula.host.signatures import problems
from portula.model.errors import BrokenPlugin, DuplicatePlugin, UnknownPlugin, nearest
from portula.model.sources import Source, Tier

if TYPE_CHECKING:
    from importlib_metadata import EntryPoint


SET_ASIDE = "set aside"
"""Said of a plugin that `--only` or `--no-plugins` leaves out."""


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
        self.absent: dict[Source, str] = {}
        """Installed plugins that do not take part, each with the reason."""
        self._digests: dict[str, Callable[[], str]] = {}

    def register(self, plugin: object, source: Source) -> None:
        """Register a plugin, or refuse it with its distribution and the remedy named.

        Raises:
            BrokenPlugin: an implementation breaks a rule of `portula.host.hooks`.
            DuplicatePlugin: the name is taken.
        """
        if source.name in self.sources:
            raise DuplicatePlugin(
                f"{source} and {self.sources[source.name]} have the same name; rename or block one"
            )
        instance = plugin() if inspect.isclass(plugin) else plugin
        found = list(self._problems(instance))
        if found:
            raise BrokenPlugin(*(f"{source}: {problem}" for problem in found))
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
            caller = getattr(self.manager.hook, options.get("specname") or name, None)
            yield from problems(name, getattr(plugin, name), options, _spec_of(caller))

    def add_hooks(self, lock: LockFile | None = None) -> None:
        """Let rooms bring specifications of their own; what was registered before is then held to these too.

        Raises:
            BrokenPlugin: an implementation breaks a rule, or `portula_addhooks` does more than add specifications.
            PluginRefused: the lock file does not allow a plugin to answer such a hook.
        """
        for implementation in self.implementations("portula_addhooks"):
            registered = self.manager.list_name_plugin()
            try:
                implementation.call({"pm": self.manager})
            except PluginValidationError as error:
                culprit = self.sources.get(self.manager.get_name(error.plugin) or "", implementation.source)
                raise BrokenPlugin(f"{culprit}: {error}") from error
            except ValueError as error:
                raise BrokenPlugin(f"{implementation.source}: portula_addhooks: {error}") from error
            if self.manager.list_name_plugin() != registered:
                raise BrokenPlugin(
                    f"{implementation.source}: portula_addhooks registers or removes plugins; "
                    "it may add specifications only"
                )
        found = [
            f"{implementation.source}: {problem}"
            for hook in sorted(self._room_hooks())
            for implementation in self.implementations(hook)
            for problem in problems(
                hook,
                implementation.hook.function,
                implementation.hook.opts,
                _spec_of(getattr(self.manager.hook, hook)),
            )
        ]
        if found:
            raise BrokenPlugin(*found)
        for source in self.sources.values():
            self._check_trust(source, lock)

    def _room_hooks(self) -> set[str]:
        """Return the names of specified hooks that are not core's."""
        return {name for name, caller in vars(self.manager.hook).items() if _spec_of(caller)} - set(FACTS)

    def retired(self) -> list[tuple[Source, str, Warning]]:
        """Return who implements which hook that is going away, with the words of its specification."""
        return [
            (implementation.source, name, caller.spec.warn_on_impl)
            for name, caller in vars(self.manager.hook).items()
            if isinstance(caller, pluggy.HookCaller) and caller.spec and caller.spec.warn_on_impl
            for implementation in self.implementations(name)
        ]

    def facts(self, hook: str) -> HookFacts:
        """Return kind, class and setting of a hook, core's or a room's."""
        return facts_of(hook, _spec_of(getattr(self.manager.hook, hook, None)))

    def powers(self, plugin: str) -> dict[str, HookFacts]:
        """Return the hooks that a plugin answers, with their facts; a slot that one of its settings answers is one."""
        slots: set[str] = set()
        for implementation in self.implementations("portula_settings"):
            if implementation.source.name == plugin:
                slots |= slots_answered(implementation.call({}) or ())
        hooks = {*self.hooks_of(plugin), *(f"portula_{slot}" for slot in slots)}
        return {hook: self.facts(hook) for hook in sorted(hooks)}

    def check_pending(self) -> None:
        """Refuse implementations of hooks that nobody specifies: misspelt names.

        Raises:
            BrokenPlugin: lists each of them with the nearest known hook.
        """
        known = [name for name, caller in vars(self.manager.hook).items() if _spec_of(caller)]
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
        """Return the names of all hooks without their prefix, in the order they fire; rooms' own come last."""
        known = [name for name, caller in vars(self.manager.hook).items() if _spec_of(caller)]
        firing = [name for module in SPECIFICATIONS for name in vars(module)]
        ordered = sorted(known, key=lambda name: firing.index(name) if name in firing else len(firing))
        return [name.removeprefix("portula_") for name in ordered]

    def implementations(self, hook: str) -> list[Implementation]:
        """Return the implementations of a hook, strongest tier first, by name within a tier."""
        caller: pluggy.HookCaller = getattr(self.manager.hook, hook)
        found = [
            Implementation(self.sources[implementation.plugin_name], implementation, position)
            for position, implementation in enumerate(caller.get_hookimpls())
        ]
        return sorted(found, key=lambda entry: (-entry.source.tier, entry.source.name))

    def hooks_of(self, plugin: str) -> list[str]:
        """Return the hooks that a registered plugin implements, by name."""
        callers = self.manager.get_hookcallers(self.manager.get_plugin(plugin)) or []
        return sorted(caller.name for caller in callers)

    def discover(
        self,
        blocked: Sequence[str] = (),
        optional: Sequence[str] = (),
        *,
        only: Sequence[str] | None = None,
        lock: LockFile | None = None,
    ) -> None:
        """Register every entry point of the group `portula`; what stays away is noted in `absent`.

        Args:
            blocked: names to leave out.
            optional: names that may fail to import.
            only: of those that are not ours, the names that may take part; None for all.
            lock: what may take part at all.

        Raises:
            DuplicatePlugin: two distributions claim one name.
            UnknownPlugin: a name given here is not installed.
            PluginRefused: the lock file does not allow a plugin.
            BrokenPlugin: a plugin that is not optional fails to import.
        """
        found = entry_points()
        given = (("PLUGINS_BLOCKED", blocked), ("PLUGINS_OPTIONAL", optional), ("--only", only or ()))
        findings = [
            f"{setting}: no plugin named {name!r} is installed{nearest(name, found)}"
            for setting, names in given
            for name in names
            if name not in found
        ]
        if findings:
            raise UnknownPlugin(*findings)
        for name, (entry_point, source) in sorted(found.items()):
            if name in blocked:
                self.absent[source] = "blocked"
            elif only is not None and source.tier is not Tier.DEFAULT and name not in only:
                self.absent[source] = SET_ASIDE
            else:
                self._admit(entry_point, source, lock, may_fail=name in optional)

    def _admit(
        self, entry_point: EntryPoint, source: Source, lock: LockFile | None, *, may_fail: bool
    ) -> None:
        """Load and register one entry point; under a lock file nothing of it runs before its files are known."""
        if lock is not None:
            digest = digest_of_entry_point(entry_point)
            _refuse(
                source, lock.problem(source.name, source.distribution or "", source.version or "", digest)
            )
        try:
            plugin = entry_point.load()
        except Exception as error:
            note = f"{source} fails to import: {type(error).__name__}: {error}"
            if not may_fail:
                raise BrokenPlugin(
                    f"{note}; mend it, uninstall it, or name it in PLUGINS_OPTIONAL"
                ) from error
            self.absent[source] = note
            return
        self.register(plugin, source)
        self._digests[source.name] = partial(digest_of_entry_point, entry_point)
        self._check_trust(source, lock)

    def register_directory(self, directory: Path, *, lock: LockFile | None = None) -> None:
        """Register each `*.py` of a folder, in order of name.

        Raises:
            ConfigError: there is no such folder.
            PluginRefused: the lock file does not allow a file.
            BrokenPlugin: a file fails to import.
        """
        for path, source in plugin_files(directory):
            if lock is not None:
                _refuse(source, lock.problem(source.name, "", "", digest_of_files([path])))
            self.register(load_file(path, source), source)
            self._digests[source.name] = partial(digest_of_files, [path])
            self._check_trust(source, lock)

    def _check_trust(self, source: Source, lock: LockFile | None) -> None:
        """Refuse what the lock file does not allow; a hook that a room specifies is judged once that room did."""
        if lock is None or source.name not in self._digests:
            return
        powerful = [
            hook
            for hook, facts in self.powers(source.name).items()
            if facts.hook_class in NEEDS_TRUST
            and (hook in FACTS or _spec_of(getattr(self.manager.hook, hook, None)))
        ]
        needing = [] if source.tier is Tier.DEFAULT else powerful
        _refuse(source, lock.check_hooks(source.name, self.hooks_of(source.name), needing))

    def lockable(self) -> list[LockedPlugin]:
        """Return the lines of a lock file for what was found installed or in PLUGINS_DIR, as it is now."""
        return [
            LockedPlugin(
                name=source.name,
                distribution=source.distribution or "",
                version=source.version or "",
                digest=self._digests[source.name](),
                hooks=tuple(self.hooks_of(source.name)),
            )
            for source in self.sources.values()
            if source.name in self._digests
        ]


def _refuse(source: Source, problem: str | None) -> None:
    if problem is not None:
        raise PluginRefused(f"{source} {problem}")


def _spec_of(caller: object) -> Callable[..., Any] | None:
    """Return the specification behind one of pluggy's callers, if there is one."""
    return caller.spec.function if isinstance(caller, pluggy.HookCaller) and caller.spec else None
