"""How what several plugins answer becomes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portula.host.kinds import HookFacts
from portula.model.errors import HookFailed, InvalidClientMetadata, StorageDown


def keys_of(facts: HookFacts, entry: Any, *, mapping: bool) -> list[object]:
    """Return the keys of an entry that is contributed: no two may share one."""
    if mapping:
        return [entry[0]]
    return [str(key) for key in facts.keys(entry)] if facts.keys else []


def joined(denials: Sequence[Exception]) -> Exception:
    """Return one denial for all: a failure first, the words of all rules on clients, else the first."""
    failures = [denial for denial in denials if isinstance(denial, HookFailed | StorageDown)]
    public = [denial for denial in denials if isinstance(denial, InvalidClientMetadata)]
    if failures or not public:
        return (failures or denials)[0]
    return InvalidClientMetadata("; ".join(map(str, public)), public[0].error)


def made(expected: Any) -> Any:
    """Return an instance of the class that a requirement declares, made without arguments."""
    for member in getattr(expected, "__args__", (expected,)):
        if isinstance(member, type) and member is not type(None):
            return member()
    raise TypeError(f"{expected} names no class")
