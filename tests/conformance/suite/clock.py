"""Time that passes when a test says so."""

import time
from pathlib import Path


class Clock:
    """The clock that the suite and the server under test share."""

    def __init__(self, file: Path) -> None:
        """Take the file that tells the server how far its clock is moved."""
        self._file = file
        self._moved = 0.0
        self.pass_by(0)

    def now(self) -> float:
        """Return the time, Unix seconds."""
        return time.time() + self._moved

    def pass_by(self, seconds: float) -> None:
        """Let seconds pass without waiting for them."""
        self._moved += seconds
        fresh = self._file.with_suffix(".new")
        fresh.write_text(str(self._moved))
        fresh.replace(self._file)  # at once: the server never reads half of it
