"""The Python file of settings that `--config` names: what is wrong with it in one line, not in a traceback."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path

from flask import Flask

from portula.model.errors import ConfigError


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
    except OSError as error:
        raise ConfigError(f"--config {path}: {error.strerror}") from None
    except Exception as error:  # noqa: BLE001 - whatever the file raises
        lines = [
            frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)
        ]
        where = f", line {lines[-1]}" if lines else ""
        what = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise ConfigError(f"--config {path}{where}: {what}") from None
    given = app.config.get("OAUTH2_PROVIDER", {})
    if not isinstance(given, Mapping):
        raise ConfigError(
            f"OAUTH2_PROVIDER: a dictionary of settings is needed, not a {type(given).__name__}"
        )
