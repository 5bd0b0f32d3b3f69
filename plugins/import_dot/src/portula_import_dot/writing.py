"""Writing the configuration: a Python file of Flask settings, as `portula serve --config` reads it."""

from __future__ import annotations

import os
import pprint
from collections.abc import Iterator, Sequence
from pathlib import Path

from portula_import_dot.judging import Outcome, Verdict

WIDTH = 100


def write(path: Path, verdicts: Sequence[Verdict], source: str) -> None:
    """Write a new file that only its owner can read: it may hold secrets.

    Raises:
        FileExistsError: it is there; nothing is overwritten.
    """
    text = "\n".join(_lines(verdicts, source)) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def _lines(verdicts: Sequence[Verdict], source: str) -> Iterator[str]:
    yield f"# Settings of portula, read from {Path(source).name!r} of a django-oauth-toolkit provider."
    yield ""
    yield "OAUTH2_PROVIDER = {"
    for verdict in verdicts:
        if verdict.outcome is Outcome.KEPT:
            value = pprint.pformat(verdict.given.value, width=WIDTH, sort_dicts=False)
            first, *rest = f"{verdict.name!r}: {value},".splitlines()
            yield f"    {first}"
            yield from (f"    {line}" for line in rest)
    yield "}"
    waiting = [verdict for verdict in verdicts if verdict.outcome in (Outcome.HAND, Outcome.GONE)]
    if waiting:
        yield ""
        yield "# Not taken over:"
    for verdict in waiting:
        yield "# " + " ".join(f"{verdict.name}: {verdict.text}".split())  # one line, whatever a name holds
