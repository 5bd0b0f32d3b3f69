"""pluggy's manager with portula's idea of what implements a hook."""

import inspect
from types import FunctionType, MethodType
from weakref import WeakKeyDictionary

import pluggy
from pluggy import HookimplOpts

from portula.host.kinds import PREFIX, HookDeclarations, facts_of

_known_opts: WeakKeyDictionary[object, dict[str, HookimplOpts]] = WeakKeyDictionary()
"""What each module and class implements: a process with many providers looks once."""


class Manager(pluggy.PluginManager):
    """pluggy's manager, which also knows the methods by which a plugin overrides those of its declarations."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> HookimplOpts | None:
        """Return the options of an implementation; None for what is none, a declaration that is inherited among it."""
        holder = plugin if inspect.ismodule(plugin) else type(plugin)
        if holder is not plugin and name in getattr(plugin, "__dict__", ()):
            return self._attribute_opts(plugin, name)
        if holder not in _known_opts:
            found = {attribute: self._attribute_opts(plugin, attribute) for attribute in dir(holder)}
            _known_opts[holder] = {name: options for name, options in found.items() if options is not None}
        return _known_opts[holder].get(name)

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
