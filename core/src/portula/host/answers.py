"""Checks that what a hook implementation returns is of the declared type."""

from __future__ import annotations

import collections.abc
from collections.abc import Callable
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Union, cast, get_args, get_origin

from portula.model.errors import with_article


def problem_of(answer: object, expected: Any) -> str | None:
    """Say what an answer is and what is needed; None when it is of the declared type.

    A class counts by its bases, not by the methods it happens to have: a text has `find` and is no login.
    """
    if _test_of(expected)(answer):
        return None
    given = answer.__qualname__ if isinstance(answer, type) else type(answer).__qualname__
    subject = f"the class {given}" if isinstance(answer, type) else with_article(given)
    return f"{subject}; {_type_words(expected)} is needed"


def contribution_problem(answer: object, expected: Any) -> str | None:
    """Say what a contribution is and what is needed; None when it and all its entries are of the declared type."""
    kind, members = get_origin(expected), get_args(expected)
    if not isinstance(answer, kind) or isinstance(answer, str):
        return f"{with_article(type(answer).__name__)}; a {kind.__name__.lower()} is needed"
    entries: list[tuple[str, object]]
    if isinstance(answer, collections.abc.Mapping):
        wrong_key = next(filter(None, (problem_of(key, members[0]) for key in answer)), None)
        if wrong_key:
            return f"under a key that is {wrong_key}"
        entries = [(f"under {key!r}", value) for key, value in answer.items()]
    else:
        entries = [
            (f"as entry {number}", entry)
            for number, entry in enumerate(cast("collections.abc.Sequence[object]", answer), 1)
        ]
    problems = ((place, problem_of(entry, members[-1])) for place, entry in entries)
    return next((f"{place} {problem}" for place, problem in problems if problem), None)


@cache
def _test_of(expected: Any) -> Callable[[object], bool]:
    """Return what says whether an answer is of a type: made once for each type that a hook declares."""
    origin, members = get_origin(expected), get_args(expected)
    if expected is None or expected is Any:
        return partial(_is_instance, NoneType if expected is None else object)
    if origin in (Union, UnionType):
        if all(isinstance(member, type) and get_origin(member) is None for member in members):
            return partial(_is_instance, members)
        tests = [_test_of(member) for member in members]
        return lambda answer: any(test(answer) for test in tests)
    if origin is type:
        base = object if members[0] is Any else members[0]
        return lambda answer: isinstance(answer, type) and issubclass(answer, base)
    if origin is collections.abc.Callable:
        return callable
    return partial(_is_instance, origin or expected)


def _is_instance(cls: Any, answer: object) -> bool:
    return isinstance(answer, cls)


def _type_words(expected: Any) -> str:
    origin, members = get_origin(expected), get_args(expected)
    if expected is None:
        return "None"
    if origin in (Union, UnionType):
        return " or ".join(_type_words(member) for member in members if member is not NoneType)
    if origin is type:
        return "a class" if members[0] is Any else f"a subclass of {members[0].__qualname__}"
    if origin is collections.abc.Callable:
        return "a callable"
    return f"an instance of {expected.__qualname__}"
