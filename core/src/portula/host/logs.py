"""Log lines: one for each event, as text that people read or as JSON.

Everything is logged by the standard `logging`, to the logger `portula`. What becomes of it is the application's own
matter, unless LOG_FORMAT is set; `portula serve` decides for its processes.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from portula.host.log_writer import BackgroundWriter, DescriptorHandler, UnbufferedFileHandler
from portula.model.errors import ConfigError
from portula.model.requests import current_request

if TYPE_CHECKING:
    from portula.host.core_settings import CoreSettings
    from portula.host.events import Event

log = logging.getLogger("portula")

MAX_CHARACTERS = 500
"""Of one value from outside."""

_FAULTS = ("server_error", "temporarily_unavailable")
"""Errors of a request whose failure, if there was one, has its own line."""

_FIRST = ("timestamp", "level", "event", "request_id")


class Line:
    """A message with fields: as text it is the event and its fields, and each formatter may take them apart."""

    __slots__ = ("event", "fields")

    def __init__(self, event: str, fields: Mapping[str, Any]) -> None:
        """Take the name of what happened, and what is to be said of it."""
        self.event = event
        self.fields = fields

    def __str__(self) -> str:
        """Return it in one line, whatever the values are."""
        return " ".join((self.event, *(f"{name}={_as_text(value)}" for name, value in self.fields.items())))


def log_event(event: Event) -> None:
    """Log an event, unless nobody listens at its level; what has a line already counts as DEBUG."""
    request = current_request()
    failed = getattr(event, "error", None) in _FAULTS and request is not None and request.failure_is_logged
    has_line = failed or getattr(event, "repeats", False)
    level = logging.DEBUG if has_line else event.log_level
    if log.isEnabledFor(level):
        facts = event.log_facts()
        line = Line(facts.pop("type"), facts)
        log.handle(
            log.makeRecord(log.name, level, __file__, 0, line, (), None)
        )  # `log` would look for the caller


def configure_logging(settings: CoreSettings, *, whole_process: bool = False) -> None:
    """Write lines as the settings LOG_… say; again, it replaces what it did before.

    Args:
        settings: of the host.
        whole_process: whether the process is ours: lines of other libraries are written too, from warnings up, and a
            thread writes them all.

    Raises:
        ConfigError: LOG_DESTINATION cannot be written.
    """
    destination = _handler(settings.LOG_DESTINATION, whole_process=whole_process)
    handler = BackgroundWriter(destination) if whole_process else destination
    handler.set_name("portula")
    handler.setFormatter(_formatter(settings.LOG_FORMAT or "console", colours=_is_terminal(destination)))
    logger = logging.getLogger() if whole_process else log
    for former in [known for known in logger.handlers if known.get_name() == "portula"]:
        logger.removeHandler(former)
        former.close()
    logger.addHandler(handler)
    log.setLevel(settings.LOG_LEVEL)
    log.propagate = whole_process


def _handler(destination: str, *, whole_process: bool) -> logging.Handler:
    if destination in ("stderr", "stdout"):
        of_stream: type[logging.StreamHandler[TextIO]]
        of_stream = DescriptorHandler if whole_process else logging.StreamHandler
        return of_stream(sys.stderr if destination == "stderr" else sys.stdout)
    try:
        os.close(os.open(destination, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        of_file = UnbufferedFileHandler if whole_process else WatchedFileHandler
        return of_file(Path(destination), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"LOG_DESTINATION: {destination}: {error.strerror}") from error


def _is_terminal(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler) and handler.stream.isatty()


def _formatter(form: str, *, colours: bool) -> logging.Formatter:
    from structlog import (
        dev,
        processors,
        stdlib,
    )  # embedded applications that configure nothing do not load it

    written: list[Any] = [stdlib.ProcessorFormatter.remove_processors_meta]
    if form == "json":
        written += [processors.format_exc_info, processors.JSONRenderer()]
    else:  # plain tracebacks: others show the values of variables, and with them secrets
        renderer = dev.ConsoleRenderer(
            colors=colours, exception_formatter=dev.plain_traceback, sort_keys=False, pad_event_to=0
        )
        written.append(renderer)
    found: list[Any] = [stdlib.add_log_level, processors.TimeStamper(fmt="iso", utc=True), _fields]

    class LineFormatter(stdlib.ProcessorFormatter):
        """Spares lines of events the text that would be taken apart again, and a copy of the record."""

        def format(self, record: logging.LogRecord) -> str:
            if not isinstance(record.msg, Line) or record.exc_info or record.stack_info:
                return super().format(record)
            line: Any = {"event": record.msg.event, "_record": record, "_from_structlog": False}
            for process in (*found, *written):
                line = process(None, record.levelname.lower(), line)
            return str(line)

    return LineFormatter(foreign_pre_chain=found, processors=written)


def _fields(_logger: object, _name: str, line: MutableMapping[str, Any]) -> dict[str, Any]:
    """Put the fields of a `Line` into the line, and the identifier of the request; let no value begin a new one."""
    record: logging.LogRecord = line["_record"]
    request = current_request()
    if request is not None:
        line["request_id"] = request.id
    if isinstance(record.msg, Line):
        line.update({**record.msg.fields, "event": record.msg.event})
    shown = {name: _printable(value) for name, value in line.items()}
    return {**{name: shown[name] for name in _FIRST if name in shown}, **shown}


def _printable(value: Any) -> Any:
    """Return a value whose text, if it is text, stays in one line and in one direction of writing, and has an end."""
    if isinstance(value, list):
        return [_printable(each) for each in value]
    if not isinstance(value, str):
        return value
    cut = value if len(value) <= MAX_CHARACTERS else f"{value[:MAX_CHARACTERS]}…"
    return cut if cut.isprintable() else "".join(map(_escape, cut))


def _escape(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


def _as_text(value: Any) -> str:
    if isinstance(value, str) and value.isascii() and value.isprintable() and not set(value) & set(' "=\\'):
        return value
    return json.dumps(_printable(value))
