"""A storage of its own: one dictionary in one JSON file, for a handful of clients."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict

from portula import hookimpl
from portula_testing.memory import MemoryStore

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import RecordType, StoreFactory


class JsonStore(MemoryStore):
    """The rules are those of the store in memory; what was committed is read from the file, and written to it."""

    def __init__(self, records: Sequence[RecordType], path: Path) -> None:
        super().__init__(records)
        self._path = path
        self._guard = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._read: tuple[int, int] | None = None
        self._tuples = {
            record.cls: [name for name, hint in get_type_hints(record.cls).items() if _is_tuple(hint)]
            for record in records
        }

    def _begin(self) -> None:
        """Let one writer of all processes in, who begins with what the last one left."""
        super()._begin()
        fcntl.flock(self._guard, fcntl.LOCK_EX)
        self._refresh()

    def _place(self) -> None:
        super()._place()
        with self._placing:
            self._save()

    def _end(self) -> None:
        fcntl.flock(self._guard, fcntl.LOCK_UN)
        super()._end()

    def _get(self, cls: type[Any], key: object) -> Any:
        if not self._local.writing:
            self._refresh()
        return super()._get(cls, key)

    def _rows_seen(self, cls: type[Any]) -> list[Any]:
        if not self._local.writing:
            self._refresh()
        return super()._rows_seen(cls)

    def _refresh(self) -> None:
        with self._placing:
            mark = self._mark()
            if mark == self._read:
                return
            held = json.loads(self._path.read_text()) if mark else {}
            for cls, kind in self._types.items():
                rows = [self._made(cls, row) for row in held.get(kind.name, ())]
                self._rows[cls] = {self._identity(row): row for row in rows}
            self._read = mark

    def _save(self) -> None:
        held = {
            kind.name: [
                {name: getattr(row, name) for name in self._fields[cls]} for row in self._rows[cls].values()
            ]
            for cls, kind in self._types.items()
        }
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(held))
        new.replace(self._path)
        self._read = self._mark()

    def _mark(self) -> tuple[int, int] | None:
        """Tell one version of the file from another."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _made(self, cls: type[Any], row: dict[str, Any]) -> Any:
        tuples = {name: tuple(row[name]) for name in self._tuples[cls] if row[name] is not None}
        return dataclasses.replace(cls(**row), **tuples)


def _is_tuple(hint: Any) -> bool:
    return any(get_origin(option) is tuple for option in (hint, *get_args(hint)))


class JsonStoreSettings(BaseModel):
    """Where the dictionary is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    JSON_STORE_FILE: str = "portula.json"
    """JSON file."""


@hookimpl
def portula_settings(provider: Provider) -> Sequence[type[BaseModel]]:
    return [JsonStoreSettings]


@hookimpl
def portula_stores(provider: Provider) -> Mapping[str, StoreFactory]:
    return {"json_store": partial(JsonStore, path=Path(provider.settings(JsonStoreSettings).JSON_STORE_FILE))}
