"""Translates pydantic's errors into words of people who configure: no tuples, no patterns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from portula.model.errors import nearest

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_KINDS = {
    "bool": "True or False",
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "tuple": "a list",
    "list": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "a dictionary",
    "mapping": "a dictionary",
    "callable": "a function",
    "time_delta": "a timedelta",
    "none": "None",
}
"""What is needed, by what the names of pydantic's errors begin with."""

_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "greater_than": ("more than", "gt"),
    "less_than": ("less than", "lt"),
}
_LENGTHS = {
    "string_too_short": ("at least {} character{}", "min_length"),
    "string_too_long": ("at most {} character{}", "max_length"),
    "too_short": ("at least {} entr{}", "min_length"),
    "too_long": ("at most {} entr{}", "max_length"),
}


def problems_in_words(problems: list[ErrorDetails], field: FieldInfo | None) -> str:
    """Return what is needed in place of one value, or what its model says of it.

    Args:
        problems: what pydantic says, one for each kind of value that it tried.
        field: the setting; its `examples` are shown where a text has another form.
    """
    bounds = [problem for problem in problems if problem["type"] in _BOUNDS]
    if bounds:  # it is of a kind that may stand here, so the other kinds are left out
        numbers = [problem for problem in bounds if isinstance(_bound(problem), int | float)]
        problems = numbers[:1] or bounds[:1]
    needed = list(dict.fromkeys(filter(None, (_requirement(problem, field) for problem in problems))))
    said = [
        problem["msg"].removeprefix("Value error, ")
        for problem in problems
        if _requirement(problem, field) is None
    ]
    joined = [f"{' or '.join(needed)} is needed"] if needed else []
    return "; or: ".join(dict.fromkeys(said + joined)) + _suggestion(problems)


def _bound(problem: ErrorDetails) -> object:
    return problem.get("ctx", {})[_BOUNDS[problem["type"]][1]]


def _requirement(problem: ErrorDetails, field: FieldInfo | None) -> str | None:
    """Return what is needed; None for what is said in words of its own."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind][0], _bound(problem)
        return f"a number of {words} {bound}" if isinstance(bound, int | float) else f"{words} {bound}"
    if kind in _LENGTHS:
        words, member = _LENGTHS[kind]
        count = context[member]
        plural = ("y" if count == 1 else "ies") if "entr" in words else ("" if count == 1 else "s")
        return words.format(count, plural)
    if kind == "literal_error":
        return str(context["expected"])
    if kind == "string_pattern_mismatch":
        examples = " or ".join(map(repr, (field.examples if field else None) or ()))
        return f"a text like {examples}" if examples else f"a text of the form {context['pattern']}"
    return next((words for start, words in _KINDS.items() if kind.startswith(f"{start}_")), None)


def _suggestion(problems: list[ErrorDetails]) -> str:
    """Return the nearest of the words that are allowed."""
    allowed = [
        word
        for problem in problems
        if problem["type"] == "literal_error"
        for word in re.findall(r"'([^']*)'", str(problem.get("ctx", {}).get("expected")))
    ]
    given = problems[0]["input"]
    return nearest(given, allowed) if isinstance(given, str) else ""


def has_kinds(model: type[BaseModel], name: str) -> bool:
    """Say whether pydantic names the kind of value it tried, next to the setting; it does so for more than one."""
    fields: Mapping[str, Any] = model.model_fields
    field = fields.get(name)
    kinds = get_args(field.annotation) if field and get_origin(field.annotation) in (Union, UnionType) else ()
    return len([kind for kind in kinds if kind is not NoneType]) > 1
