"""pluggy's manager with portula's idea of what implements a hook."""

import inspect
from collections.abc import Iterable, Mapping
from types import FunctionType, MethodType
from weakref import WeakKeyDictionary

import pluggy
from pluggy import HookimplOpts

from portula.host.kinds import PREFIX, HookDeclarations, facts_of

_known: WeakKeyDictionary[object, dict[str, HookimplOpts]] = WeakKeyDictionary()
"""What each module and class implements: a process with many providers looks once."""


class Manager(pluggy.PluginManager):
    """pluggy's manager, which also knows the methods by which a plugin overrides those of its declarations."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> HookimplOpts | None:
        """Return the options of an implementation; None for what is none, a declaration that is inherited among it."""
        return self.hookimpls_of(plugin).get(name)

    def hookimpls_of(self, plugin: object) -> Mapping[str, HookimplOpts]:
        """Return the attributes of a plugin that implement a hook, each with its options."""
        holder = plugin if inspect.ismodule(plugin) else type(plugin)
        found = _known.get(holder)
        if found is None:
            found = _known[holder] = self._opts(plugin, dir(holder))
        own = {} if holder is plugin else getattr(plugin, "__dict__", {})
        if not own:
            return found
        return {name: opts for name, opts in found.items() if name not in own} | self._opts(plugin, own)

    def _opts(self, plugin: object, names: Iterable[str]) -> dict[str, HookimplOpts]:
        found = {name: self._attribute_opts(plugin, name) for name in names}
        return {name: options for name, options in found.items() if options is not None}

    def _attribute_opts(self, plugin: object, name: str) -> HookimplOpts | None:
        if name.startswith("__") or (inspect.ismodule(plugin) and not _is_function(vars(plugin).get(name))):
            return None
        if not name.startswith(PREFIX) or not isinstance(plugin, HookDeclarations):
            return super().parse_hookimpl_opts(plugin, name)
        method = getattr(plugin, name)
        if not inspect.isroutine(method) or facts_of(method) is not None:
            return None
        options = super().parse_hookimpl_opts(plugin, name)
        if options is not None:
            return options
        return HookimplOpts(
            wrapper=False,
            hookwrapper=False,
            optionalhook=False,
            tryfirst=False,
            trylast=False,
            specname=None,
        )


def _is_function(value: object) -> bool:
    """Say whether a module's attribute can be an implementation, without a look into what is none: a proxy, say."""
    return type(value) in (FunctionType, MethodType, staticmethod, classmethod)
