"""Flask-Migrate on the same database: whether it knows that the provider's tables are not its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy import URL, Engine

_TELLING = ("include_object", "include_name", "alembic_options")
"""Arguments of `context.configure` that leave tables out, and our name for them."""


def would_drop(app: Flask, engine: Engine) -> bool:
    """Say whether `flask db migrate` would write a migration that drops the tables of the provider."""
    migrate: Any = app.extensions.get("migrate")
    arguments = getattr(migrate, "configure_args", None)
    if not isinstance(arguments, Mapping) or any(name in arguments for name in _TELLING):
        return False
    with app.app_context():
        try:
            other = migrate.db.engine.url
        except Exception:  # noqa: BLE001 - it has no database, or is not of the form that is known
            return False
    return _place(other) == _place(engine.url) and not _told_in_env(getattr(migrate, "directory", ""))


def _place(url: URL) -> tuple[str | None, int | None, str | None]:
    return url.host, url.port, url.database


def _told_in_env(directory: object) -> bool:
    """Say whether an `env.py` of the application's own says which tables to leave out."""
    try:
        text = (Path(str(directory)) / "env.py").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return any(name in text for name in _TELLING)
