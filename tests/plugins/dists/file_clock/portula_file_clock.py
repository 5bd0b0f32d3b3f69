"""A clock that reads the time from a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from portula import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from portula import Provider


class FileClockSettings(BaseModel):
    """Where the time is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    CLOCK_FILE: str
    """File with Unix seconds."""


@hookimpl
def portula_settings(provider: Provider) -> list[type[BaseModel]]:
    return [FileClockSettings]


@hookimpl
def portula_clock(provider: Provider) -> Callable[[], float]:
    path = Path(provider.settings(FileClockSettings).CLOCK_FILE)
    return lambda: float(path.read_text())
