"""Whether an answer is of the type that a hook declares."""

from __future__ import annotations

import collections.abc
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin


def problem_of(answer: object, expected: Any) -> str | None:
    """Say what is wrong with an answer; None when it is of the declared type.

    A class counts by its bases, not by the methods it happens to have: a text has `find` and is no login.
    """
    if _fits(answer, expected):
        return None
    given = answer.__qualname__ if isinstance(answer, type) else type(answer).__qualname__
    return (
        f"answers {'the class ' if isinstance(answer, type) else 'a '}{given}; {_named(expected)} is needed"
    )


def _fits(answer: object, expected: Any) -> bool:
    origin, members = get_origin(expected), get_args(expected)
    if expected is None:
        return answer is None
    if expected is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(answer, member) for member in members)
    if origin is type:
        return isinstance(answer, type) and (members[0] is Any or issubclass(answer, members[0]))
    if origin is collections.abc.Callable:
        return callable(answer)
    return isinstance(answer, origin or expected)


def _named(expected: Any) -> str:
    origin, members = get_origin(expected), get_args(expected)
    if expected is None:
        return "None"
    if origin in (Union, UnionType):
        return " or ".join(_named(member) for member in members if member is not NoneType)
    if origin is type:
        return "a class" if members[0] is Any else f"a subclass of {members[0].__qualname__}"
    if origin is collections.abc.Callable:
        return "a callable"
    return f"an instance of {expected.__qualname__}"
