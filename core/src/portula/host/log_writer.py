"""Writes lines of the log in a thread: a destination that takes none, such as a full pipe, holds no request up."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import select
import threading
import time
from logging.handlers import WatchedFileHandler
from typing import TextIO

from typing_extensions import override

MOST_LINES = 10_000
"""Lines that wait for the destination; what comes then is dropped, and the next line that is written says how many."""
REST_SECONDS = 0.02
"""Between two writes, so that a busy process writes several lines at once."""
LAST_SECONDS = 2.0
"""Time that the lines which wait have at the end of the process."""


class DescriptorHandler(logging.StreamHandler[TextIO]):
    """Writes to the descriptor of a stream and holds no lock, so that the process can end while a write waits."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        _write_whole(self.stream.fileno(), self.format(record))

    @override
    def flush(self) -> None:
        """Nothing is kept back."""


class UnbufferedFileHandler(WatchedFileHandler):
    """Writes to a file as DescriptorHandler does: a fork made in the middle of a write finds no lock that is held."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.reopenIfNeeded()
        if self.stream is not None:
            _write_whole(self.stream.fileno(), self.format(record))

    @override
    def flush(self) -> None:
        """Nothing is kept back."""


class BackgroundWriter(logging.Handler):
    """Takes lines for a handler and lets a thread give them to it, in their order."""

    def __init__(self, destination: logging.Handler) -> None:
        """Take the handler that writes; lines are formatted here, by who logs."""
        super().__init__()
        self._destination = destination
        self._waiting: queue.Queue[str | None] = queue.Queue(MOST_LINES)
        self._kept_out = 0  # for want of room; counted under the lock of the handler, as what was said is
        self._said = 0
        self._not_written = 0  # counted by the thread
        self._thread = threading.Thread(target=self._write, name="portula log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @override
    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._put(self.format(record))
        except Exception:  # noqa: BLE001 - as every handler of the standard library
            self.handleError(record)

    def _put(self, line: str) -> None:
        dropped = self._kept_out + self._not_written - self._said
        try:
            self._waiting.put_nowait(
                line if not dropped else f"{dropped} lines of the log were dropped\n{line}"
            )
        except queue.Full:
            self._kept_out += 1
        else:
            self._said += dropped

    def _write(self) -> None:
        record, line = logging.makeLogRecord({}), self._waiting.get()
        while line is not None:
            lines, line, is_all = self._gather(line)
            record.msg = "\n".join(lines)
            try:
                self._destination.emit(record)
            except (OSError, ValueError):  # nobody can be told: the destination is gone, or its stream closed
                self._not_written += len(lines)
            if is_all:
                time.sleep(REST_SECONDS)
                line = self._waiting.get()

    def _gather(self, first: str) -> tuple[list[str], str | None, bool]:
        """Return lines for one write, the line behind them, None at the end, and whether none is there yet.

        A pipe takes so many bytes as PIPE_BUF whole; of a longer write, that of another process may cut a line in two.
        """
        lines, size = [first], len(_encode(first))
        while True:
            try:
                line = self._waiting.get_nowait()
            except queue.Empty:
                return lines, None, True
            size += 0 if line is None else len(_encode(line))
            if line is None or size > select.PIPE_BUF:
                return lines, line, False
            lines.append(line)

    @override
    def close(self) -> None:
        """Write what waits, if the destination takes it in time."""
        atexit.unregister(self.close)
        if self._thread.is_alive():
            try:
                self._waiting.put_nowait(None)
            except queue.Full:
                pass
            else:
                self._thread.join(LAST_SECONDS)
        if not self._thread.is_alive():
            self._destination.close()
        super().close()


def _write_whole(descriptor: int, line: str) -> None:
    left = _encode(line)
    while left:
        left = left[os.write(descriptor, left) :]


def _encode(line: str) -> bytes:
    return f"{line}\n".encode(errors="backslashreplace")
