"""The Python file of settings that `--config` names: what is wrong with it in one line, not in a traceback."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from portula.model.errors import ConfigError, with_article


def read_config_file(app: Flask, path: Path) -> None:
    """Read settings from a Python file, as Flask does.

    Raises:
        ConfigError: it cannot be read, is not Python, raises something, or OAUTH2_PROVIDER in it is no dictionary.
    """
    try:
        app.config.from_pyfile(str(path))
    except SyntaxError as error:
        where = "" if error.lineno is None else f", line {error.lineno}"
        raise ConfigError(
            f"--config {path}{where}: {error.msg}; mend the line, it is read as Python"
        ) from None
    except Exception as error:  # noqa: BLE001 - whatever the file raises
        raise ConfigError(f"--config {path}{_line_of(error, path)}: {_what(error, path)}") from None
    dictionary_of(app)


def dictionary_of(app: Flask) -> Mapping[str, Any]:
    """Return OAUTH2_PROVIDER, of the file or the environment.

    Raises:
        ConfigError: it is no dictionary; what an environment variable holds is one where it is JSON.
    """
    given: object = app.config.get("OAUTH2_PROVIDER", {})
    if isinstance(given, Mapping):
        return given
    raise ConfigError(
        f"OAUTH2_PROVIDER: a dictionary of settings is needed, not {with_article(type(given).__name__)}; "
        "FLASK_OAUTH2_PROVIDER in the environment is read as JSON"
    )


def _line_of(error: Exception, path: Path) -> str:
    """Return the last line of the file that ran, or nothing where none did."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def _what(error: Exception, path: Path) -> str:
    """Say what went wrong, in one line; Flask calls every file that cannot be opened the configuration file."""
    if not isinstance(error, OSError) or error.errno is None:
        return f"{type(error).__name__}: {error}".partition("\n")[0]
    reason, file = os.strerror(error.errno), error.filename
    if not isinstance(file, str) or file == str(path):
        return reason
    if Path(file).is_absolute():
        return f"{file}: {reason}"
    return f"{file}: {reason} (it is looked for in {Path.cwd()}, where the command runs)"
