"""Checks the signatures of hook implementations at start."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, TypeVar, get_type_hints

FORBIDDEN_OPTIONS = ("wrapper", "hookwrapper", "tryfirst", "trylast")
"""Options of pluggy with which a package could swallow a denial, or beat the deployment."""

_ANYTHING = ("Any", "object")
_NOTHING = ("None", "NoReturn", "Never", *_ANYTHING)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of an implementation or a declaration; of a plain function it is worked out once."""
    return _signature_once(function) if inspect.isfunction(function) else inspect.signature(function)


_signature_once = lru_cache(1024)(inspect.signature)


def option_problems(name: str, options: Mapping[str, Any]) -> Iterator[str]:
    """Yield which options of an implementation are refused, each with the remedy."""
    for forbidden in FORBIDDEN_OPTIONS:
        if options.get(forbidden):
            yield f"{name} uses {forbidden}; the host orders and calls hooks itself, remove it"


def shape_problems(name: str, function: Callable[..., Any]) -> Iterator[str]:
    """Yield what keeps an implementation from being called with one value."""
    parameters = list(_signature(function).parameters.values())
    for parameter in parameters:
        if parameter.default is not parameter.empty or parameter.kind not in _POSITIONAL:
            yield (
                f"{name}: {parameter.name!r} has a default or is not positional; "
                "a hook is called with one value, by position"
            )
    if len(parameters) != 1:
        given = ", ".join(parameter.name for parameter in parameters) or "nothing"
        yield f"{name} takes {given}; every hook takes one value"


def annotation_problems(
    name: str, function: Callable[..., Any], declared: Callable[..., Any]
) -> Iterator[str]:
    """Yield annotations of an implementation that contradict the declaration of its hook."""
    given, names = _signature(function), getattr(inspect.unwrap(function), "__globals__", {})
    for parameter in list(given.parameters.values())[:1]:
        found, expected = _type_name(_resolve(parameter.annotation, names)), value_type(declared)
        if parameter.annotation is parameter.empty or expected is None or found in _ANYTHING:
            continue
        if found not in [base.__name__ for base in expected.__mro__]:
            yield f"{name} annotates {parameter.name!r} as {found}; the hook gives {expected.__name__}"
    returns_nothing = _type_name(_signature(declared).return_annotation) == "None"
    if returns_nothing and given.return_annotation is not given.empty:
        found = _type_name(given.return_annotation)
        if found not in _NOTHING:
            yield f"{name} is annotated to return {found}; the hook wants None"


@lru_cache(maxsize=1024)
def value_type(declared: Callable[..., Any]) -> type[Any] | None:
    """Return the class of what a hook is called with; None for hooks that are given the provider."""
    annotation = list(_signature(declared).parameters.values())[-1].annotation
    resolved = _evaluate(annotation, declared)
    return None if isinstance(resolved, TypeVar) or not inspect.isclass(resolved) else resolved


@lru_cache(maxsize=1024)
def return_type(declared: Callable[..., Any]) -> Any:
    """Return the evaluated return annotation of a declared hook.

    Raises:
        NameError: it names what its module does not import at run time.
    """
    return _evaluate(_signature(declared).return_annotation, declared)


def _evaluate(annotation: Any, function: Callable[..., Any]) -> Any:
    holder = SimpleNamespace(__annotations__={"value": annotation})
    return get_type_hints(holder, globalns=function.__globals__)["value"]


def _resolve(annotation: Any, names: Mapping[str, Any]) -> Any:
    """Return what a postponed annotation names, so that an alias is known; itself when it is not at hand."""
    if not isinstance(annotation, str):
        return annotation
    return names.get(annotation.strip("'\" "), annotation)


def _type_name(annotation: Any) -> str:
    """Return the last name of an annotation, whether it is a string or the object, without its parameters."""
    if annotation is None:
        return "None"
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    return text.strip("'\" ").partition("[")[0].rpartition(".")[2]
