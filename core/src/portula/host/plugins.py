"""The plugin manager: discovery, tiers, blocking, conflicts. The order is computed here, never left to discovery."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy
from pluggy import HookImpl, HookimplOpts, PluginValidationError

from portula.host.answers import contribution_problem
from portula.host.declared_hooks import DeclaredHooks
from portula.host.discovery import entry_points, load_file, plugin_classes, plugin_files, silent_parts
from portula.host.kinds import NEEDS_TRUST, PREFIX, HookDeclarations, HookFacts, facts_of
from portula.host.lock import (
    LockedPlugin,
    LockFile,
    PluginRefused,
    digest_of_entry_point,
    digest_of_plugin_file,
)
from portula.host.manager import Manager
from portula.host.markers import hookimpl
from portula.host.settings import AnswersSlot, slots_answered
from portula.host.signatures import annotation_problems, option_problems, shape_problems
from portula.model.errors import BrokenPlugin, ConfigError, DuplicatePlugin, UnknownPlugin, nearest
from portula.model.sources import PluginSource, Tier

if TYPE_CHECKING:
    from importlib_metadata import EntryPoint

    from portula.host.deployment import Deployment


BLOCKED = "blocked"
"""Said of a plugin that PLUGINS_BLOCKED names."""

SET_ASIDE = "set aside"
"""Said of a plugin that `--only` or `--no-plugins` leaves out."""

HOOK_CUTOFF = 0.85
"""How near a hook has to come to be the one that was meant: all their names begin alike."""

UNDECLARED = "; if a room declares it, that is blocked or not installed"
"""Said of a hook that comes near to none."""

DECLARATIONS = "portula_declarations"
"""The hook by which a plugin brings hooks of its own."""


@dataclass(frozen=True, slots=True)
class Implementation:
    """One implementation of a hook, with its source."""

    name: str
    """The hook."""
    source: PluginSource
    hook: HookImpl

    def call(self, value: object) -> Any:
        """Call it with the one value that it takes."""
        return self.hook.function(value)

    def call_at_start(self, provider: Deployment) -> Any:
        """Call it with the provider.

        Raises:
            ConfigError: it says what is wrong with the configuration.
            BrokenPlugin: it fails in any other way; the message names plugin, distribution and hook.
        """
        try:
            return self.call(provider)
        except ConfigError:
            raise
        except Exception as error:
            raise BrokenPlugin(
                f"{self.source}: {self.name} failed: {type(error).__name__}: {error}"
            ) from error

    def __str__(self) -> str:
        """Name hook, plugin and distribution, for messages."""
        return f"{self.name} of {self.source}"


class Plugins:
    """One pluggy PluginManager, the hooks that are declared, and the sources of everything registered."""

    def __init__(self, declarations: Sequence[type[HookDeclarations]], provider: Deployment) -> None:
        """Take the classes that declare core's hooks, and the provider that the plugins are for."""
        self._provider = provider
        self.manager = Manager("portula")
        self.declared = DeclaredHooks(declarations)
        self.sources: dict[str, PluginSource] = {}
        self.absent: dict[PluginSource, str] = {}
        """Installed plugins that do not take part, each with the reason."""
        self.locked_out = False
        """Whether nothing is discovered, since the lock file that would judge it cannot be read."""
        self._digests: dict[str, Callable[[], str]] = {}

    def register(self, plugin: object, source: PluginSource) -> None:
        """Register a plugin, or refuse it with its distribution and the remedy named.

        Raises:
            BrokenPlugin: an implementation breaks a rule of `portula.host.signatures`.
            DuplicatePlugin: the name is taken.
        """
        if source.name in self.sources:
            raise DuplicatePlugin(
                f"{source} and {self.sources[source.name]} have the same name; rename or block one"
            )
        if inspect.ismodule(plugin) and not self.manager.hookimpls_of(plugin):
            classes = plugin_classes(plugin)
            plugin = classes[0] if len(classes) == 1 else plugin
        try:
            instance = plugin() if inspect.isclass(plugin) else plugin
        except Exception as error:
            raise BrokenPlugin(
                f"{source}: its class, which is called without arguments, fails: {type(error).__name__}: {error}"
            ) from error
        implemented = [
            (name, options.get("specname") or name, options)
            for name, options in self.manager.hookimpls_of(instance).items()
        ]
        found = list(self._problems(instance, implemented))
        if source.tier is not Tier.SETTING:
            found += silent_parts(
                instance, self.manager.hookimpls_of(instance), given=source.tier is Tier.DEPLOYMENT
            )
        if found:
            raise BrokenPlugin(*(f"{source}: {problem}" for problem in found))
        try:
            self.manager.register(instance, source.name)
        except (PluginValidationError, ValueError) as error:
            raise BrokenPlugin(f"{source}: {error}") from error
        self.sources[source.name] = source
        self._warn_of_retired(hook for _, hook, _ in implemented)

    def _problems(
        self, plugin: object, implemented: Iterable[tuple[str, str, HookimplOpts]]
    ) -> Iterable[str]:
        for name, hook, options in implemented:
            method = getattr(plugin, name)
            yield from option_problems(hook, options)
            yield from shape_problems(hook, method)
            if hook in self.declared:
                yield from annotation_problems(hook, method, self.declared[hook])

        for name in dir(type(plugin)) if isinstance(plugin, HookDeclarations) else ():
            if name.startswith(PREFIX) and _is_redeclared(type(plugin), name):
                yield f"{name} has the decorator of a declaration; an implementation has none, remove it"

    def _warn_of_retired(self, hooks: Iterable[str]) -> None:
        for hook in hooks:
            retired = self.declared.facts(hook).retired if hook in self.declared else None
            if retired:
                warnings.warn(retired, DeprecationWarning, stacklevel=3)

    def declare_hooks(self, lock: LockFile | None = None) -> None:
        """Let plugins declare hooks of their own; what was registered before is then held to these too.

        Raises:
            BrokenPlugin: a declaration or an implementation breaks a rule.
            PluginRefused: the lock file does not allow a plugin to answer such a hook.
        """
        for implementation in self.implementations(DECLARATIONS):
            classes = implementation.call_at_start(self._provider) or ()
            wrong = contribution_problem(classes, Sequence[type[HookDeclarations]])
            if wrong:
                raise BrokenPlugin(f"{implementation.source}: {DECLARATIONS} answers {wrong}")
            problems = [problem for cls in classes for problem in self.declared.add(cls)]
            if problems:
                raise BrokenPlugin(*(f"{implementation.source}: {problem}" for problem in problems))
        found = [
            f"{implementation.source}: {problem}"
            for hook in sorted(self.declared.own)
            for implementation in self.implementations(hook)
            for problem in annotation_problems(hook, implementation.hook.function, self.declared[hook])
        ]
        if found:
            raise BrokenPlugin(*found)
        self._warn_of_retired(hook for hook in sorted(self.declared.own) if self.implementations(hook))
        for source in self.sources.values():
            self._check_trust(source, lock)

    def retired_hooks(self) -> list[tuple[PluginSource, str, str]]:
        """Return who implements which hook that is going away, with the words of its declaration."""
        return [
            (implementation.source, name, facts.retired)
            for name, facts in self.all_facts()
            if facts.retired
            for implementation in self.implementations(name)
        ]

    def facts(self, hook: str) -> HookFacts:
        """Return what is said of a hook, core's or a room's; KeyError when it is not declared."""
        return self.declared.facts(hook)

    def all_facts(self) -> list[tuple[str, HookFacts]]:
        """Return all hooks with what is said of them, in the order in which they fire."""
        return [(name, self.declared.facts(name)) for name in self.declared.in_order()]

    def powers(self, plugin: str) -> dict[str, HookFacts]:
        """Return the hooks that a plugin answers, with their facts; a slot that one of its settings answers is one.

        A hook that nobody declares is passed over: what implements one does not start.
        """
        slots: set[str] = set()
        for implementation in self.implementations("portula_settings"):
            if implementation.source.name == plugin:
                slots |= slots_answered(implementation.call_at_start(self._provider) or ())
        hooks = {*self.hooks_of(plugin), *(f"{PREFIX}{slot}" for slot in slots)}
        return {hook: self.declared.facts(hook) for hook in sorted(hooks) if hook in self.declared}

    def check_pending(self) -> None:
        """Refuse implementations of hooks that nobody declares: misspelt names.

        Raises:
            BrokenPlugin: lists each of them with the nearest known hook.
        """
        findings = [
            f"{self.sources[implementation.plugin_name]}: there is no hook {name!r}"
            f"{nearest(name, self.declared, HOOK_CUTOFF) or UNDECLARED}"
            for name, caller in vars(self.manager.hook).items()
            if isinstance(caller, pluggy.HookCaller) and name not in self.declared
            for implementation in caller.get_hookimpls()
            if not implementation.optionalhook
        ]
        if findings:
            raise BrokenPlugin(*findings)

    def implementations(self, hook: str) -> list[Implementation]:
        """Return the implementations of a hook, strongest tier first, by name within a tier."""
        caller = getattr(self.manager.hook, hook, None)
        found = [
            Implementation(hook, self.sources[implementation.plugin_name], implementation)
            for implementation in (caller.get_hookimpls() if isinstance(caller, pluggy.HookCaller) else ())
        ]
        return sorted(found, key=lambda entry: (-entry.source.tier, entry.source.name))

    def remedy(self, install: str) -> str:
        """Return what to do where nobody answers: `install`, unless what it names is there and was left out."""
        distribution = install.partition(",")[0]
        for source, reason in self.absent.items():
            if source.distribution == distribution:
                blocked = f"PLUGINS_BLOCKED names {source.name!r}; take it out of there"
                return blocked if reason == BLOCKED else reason
        return f"install {install}"

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
        for name, (entry_point, source) in sorted(found.items()):
            if self.locked_out or (findings and source.tier is not Tier.DEFAULT):
                continue  # it may be the one that was to be kept away
            if name in blocked:
                self.absent[source] = BLOCKED
            elif only is not None and source.tier is not Tier.DEFAULT and name not in only:
                self.absent[source] = SET_ASIDE
            else:
                self._admit(entry_point, source, lock, may_fail=name in optional)
        if findings:
            raise UnknownPlugin(*findings)

    def _admit(
        self, entry_point: EntryPoint, source: PluginSource, lock: LockFile | None, *, may_fail: bool
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
                _refuse(source, lock.problem(source.name, "", "", digest_of_plugin_file(path)))
            self.register(load_file(path, source), source)
            self._digests[source.name] = partial(digest_of_plugin_file, path)
            self._check_trust(source, lock)

    def _check_trust(self, source: PluginSource, lock: LockFile | None) -> None:
        """Refuse what the lock file does not allow; a hook that a room specifies is judged once that room did."""
        if lock is None or source.name not in self._digests:
            return
        powerful = [
            hook for hook, facts in self.powers(source.name).items() if facts.hook_class in NEEDS_TRUST
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


def _is_redeclared(cls: type[object], name: str) -> bool:
    """Say whether a class decorates a method as a hook that a class behind it declares: nobody would call it."""
    found = [vars(base)[name] for base in cls.__mro__ if name in vars(base)]
    return len(found) > 1 and facts_of(found[0]) is not None


def _refuse(source: PluginSource, problem: str | None) -> None:
    if problem is not None:
        raise PluginRefused(f"{source} {problem}")


def slot_plugin(mark: AnswersSlot, answer: object) -> object:
    """Make a plugin that answers one slot with one object, while the setting applies."""

    def respond(self: object, provider: Deployment) -> object:
        return answer if mark.applies is None or mark.applies(provider) else None

    name = f"{PREFIX}{mark.slot}"
    return type("SettingPlugin", (), {name: hookimpl(respond)})()


def name_of(plugin: object, taken: Mapping[str, PluginSource]) -> str:
    """Return a name for a plugin that is given as an object: its own, with a number where that is taken."""
    name = getattr(plugin, "__name__", type(plugin).__name__)
    number = 2
    unique = name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return str(unique)
