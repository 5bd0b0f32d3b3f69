"""Joins what several plugins return for one hook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portula.host.kinds import HookFacts
from portula.model.errors import HookFailed, InvalidClientMetadata, StorageDown


def keys_of(facts: HookFacts, entry: Any, *, mapping: bool) -> list[object]:
    """Return the keys of an entry of a contribution; no two entries may share one."""
    if mapping:
        return [entry[0]]
    return [str(key) for key in facts.keys(entry)] if facts.keys else []


def join_denials(denials: Sequence[Exception]) -> Exception:
    """Return one exception for all denials.

    It is the first failure, else one InvalidClientMetadata with the words of all of these, else the first denial.
    """
    failures = [denial for denial in denials if isinstance(denial, HookFailed | StorageDown)]
    public = [denial for denial in denials if isinstance(denial, InvalidClientMetadata)]
    if failures or not public:
        return (failures or denials)[0]
    return InvalidClientMetadata("; ".join(map(str, public)), public[0].error)


def empty_requirement(expected: Any) -> Any:
    """Return an instance, made without arguments, of the class in the return annotation of a requirement.

    Raises:
        TypeError: the annotation names no class.
    """
    for member in getattr(expected, "__args__", (expected,)):
        if isinstance(member, type) and member is not type(None):
            return member()
    raise TypeError(f"{expected} names no class")
