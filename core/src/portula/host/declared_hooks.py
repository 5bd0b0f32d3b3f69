"""Which hooks there are: the marked methods of the classes that declare them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any

from portula.host.kinds import AT_START, PREFIX, HookDeclarations, HookFacts, HookKind, facts_of
from portula.host.signatures import return_type, shape_problems, value_type

_TYPED_ANSWERS = (HookKind.SLOT, HookKind.REQUIREMENT)


class DeclaredHooks(Mapping[str, Callable[..., Any]]):
    """The declared methods by name, in order of declaration."""

    def __init__(self, classes: Sequence[type[HookDeclarations]]) -> None:
        """Take core's classes."""
        self._functions: dict[str, Callable[..., Any]] = {}
        for cls in classes:
            self._functions.update(_declarations_of(cls))
        self._cores = frozenset(self._functions)

    def __getitem__(self, name: str) -> Callable[..., Any]:
        """Return the declared method of a hook."""
        return self._functions[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._functions)

    def __len__(self) -> int:
        """Count the hooks."""
        return len(self._functions)

    @property
    def own(self) -> set[str]:
        """The names of hooks that are not core's."""
        return set(self._functions) - self._cores

    def facts(self, name: str) -> HookFacts:
        """Return what is said of a hook; KeyError when it is not declared."""
        return _facts(self._functions[name])

    def in_order(self) -> list[str]:
        """Return the names in the order in which hooks fire: those called at start first."""
        return sorted(self._functions, key=lambda name: self.facts(name).kind not in AT_START)

    def add(self, cls: type[HookDeclarations]) -> list[str]:
        """Add the hooks of a plugin's class, unless something is wrong with it; return what is wrong.

        Hooks that are declared already, because the class derives from one that was added, are passed over.
        """
        found = {
            name: function
            for name, function in _declarations_of(cls).items()
            if self._functions.get(name) is not function
        }
        problems = [problem for name, function in found.items() for problem in self._problems(name, function)]
        if not problems:
            self._functions.update(found)
        return problems

    def _problems(self, name: str, function: Callable[..., Any]) -> Iterator[str]:
        if not name.startswith(PREFIX):
            yield f"the hook {name} needs a name that begins with {PREFIX}"
        if name in self._functions:
            yield f"{name} is declared already, in {self._functions[name].__module__}"
        yield from shape_problems(name, inspect.unwrap(function).__get__(object()))
        try:
            value_type(function)
            if _facts(function).kind in _TYPED_ANSWERS:
                return_type(function)
        except (NameError, TypeError) as error:
            yield f"the annotations of {name} cannot be read at run time: {error}"


def _facts(function: Callable[..., Any]) -> HookFacts:
    facts = facts_of(function)
    if facts is None:
        raise TypeError(f"{function.__qualname__} declares no hook")
    return facts


def _declarations_of(cls: type[HookDeclarations]) -> dict[str, FunctionType]:
    """Return the marked methods of a class and its bases, those of bases first."""
    return {
        name: member
        for base in reversed(cls.__mro__)
        for name, member in vars(base).items()
        if isinstance(member, FunctionType) and facts_of(member) is not None
    }
