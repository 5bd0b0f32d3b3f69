"""What an implementation of a hook may look like: refused here, it cannot break a promise later."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

FORBIDDEN_OPTIONS = ("wrapper", "hookwrapper", "tryfirst", "trylast")
"""Options of pluggy with which a package could swallow a denial, or beat the deployment."""

_ANYTHING = ("Any", "object")
_NOTHING = ("None", "NoReturn", "Never", *_ANYTHING)


def problems(
    name: str, function: Callable[..., Any], options: Mapping[str, Any], spec: Callable[..., Any] | None
) -> Iterator[str]:
    """Yield what is wrong with an implementation, each with the remedy."""
    for forbidden in FORBIDDEN_OPTIONS:
        if options.get(forbidden):
            yield f"{name} uses {forbidden}; the host orders and calls hooks itself, remove it"
    signature = inspect.signature(function)
    for parameter in signature.parameters.values():
        if parameter.default is not parameter.empty or parameter.kind is parameter.KEYWORD_ONLY:
            yield f"{name} gives {parameter.name!r} a default or makes it keyword-only; hooks are positional"
    if spec is not None:
        names = getattr(inspect.unwrap(function), "__globals__", {})
        yield from _contradictions(name, signature, inspect.signature(spec), names)


def _contradictions(
    name: str, given: inspect.Signature, specified: inspect.Signature, names: Mapping[str, Any]
) -> Iterator[str]:
    """Yield annotations that name another type than the specification; `names` are those of the module."""
    for parameter in given.parameters.values():
        expected = specified.parameters.get(parameter.name)
        if expected is None or parameter.annotation is parameter.empty:
            continue
        annotation = _resolved(parameter.annotation, names)
        wanted, found = _type_name(expected.annotation), _type_name(annotation)
        if found != wanted and found not in _ANYTHING and not _is_base(annotation, wanted):
            yield f"{name} annotates {parameter.name!r} as {found}; the hook gives {wanted}"
    returns_nothing = _type_name(specified.return_annotation) == "None"
    if returns_nothing and given.return_annotation is not given.empty:
        found = _type_name(given.return_annotation)
        if found not in _NOTHING:
            yield f"{name} is annotated to return {found}; the hook wants None"


def _resolved(annotation: Any, names: Mapping[str, Any]) -> Any:
    """Return what a postponed annotation names, so that an alias or a base is known; itself when it is not at hand."""
    if not isinstance(annotation, str):
        return annotation
    return names.get(annotation.strip("'\" "), annotation)


def _type_name(annotation: Any) -> str:
    """Return the last name of an annotation, whether it is a string or the object, without its parameters."""
    if annotation is None:
        return "None"
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return text.strip("'\" ").partition("[")[0].rpartition(".")[2]


def _is_base(annotation: Any, wanted: str) -> bool:
    """Say whether a class that stands as annotation is a base of the specified one: a wider type is fine."""
    return inspect.isclass(annotation) and any(wanted == cls.__name__ for cls in _all_subclasses(annotation))


def _all_subclasses(cls: type[Any]) -> Iterator[type[Any]]:
    below: list[type[Any]] = type.__subclasses__(cls)
    for subclass in below:
        yield subclass
        yield from _all_subclasses(subclass)
