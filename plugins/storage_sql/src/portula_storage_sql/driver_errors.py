"""Errors of the drivers, told apart by what they mean on each engine."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError, IntegrityError

from portula.errors import DuplicateRecord

SQLITE_DUPLICATE = ("SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_UNIQUE")
POSTGRESQL_DUPLICATE = "23505"
MARIADB_DUPLICATE = 1062
"""How each engine says that a key is taken. To INSERT only MariaDB does, and goes on with the transaction."""

POSTGRESQL_UNMET = "22012"
MARIADB_UNMET = 1644
"""How a plan in one statement says that a condition does not hold: by a division by zero, or an error of its own."""

POSTGRESQL_RETRYABLE = ("40P01", "40001")
MARIADB_RETRYABLE = (1213, 1020)
"""How each engine says that it rolled back so that another may go on: a deadlock, or a snapshot that is too old."""


def is_duplicate(error: DBAPIError) -> bool:
    """Recognize the errors for a key that is taken."""
    orig = error.orig
    if isinstance(orig, sqlite3.Error):
        return orig.sqlite_errorname in SQLITE_DUPLICATE
    if getattr(orig, "sqlstate", None) == POSTGRESQL_DUPLICATE:
        return True
    return isinstance(error, IntegrityError) and MARIADB_DUPLICATE in getattr(orig, "args", ())


def duplicate_of(*classes: type[Any]) -> DuplicateRecord:
    """Return the error for a record of which a key is taken: of this class, or of one of these."""
    names = ", ".join(dict.fromkeys(cls.__name__ for cls in classes))
    return DuplicateRecord(f"{names}: a record with one of these keys exists")


def is_unmet(error: DBAPIError) -> bool:
    """Recognize what a plan in one statement ends with when the condition of a change does not hold."""
    orig = error.orig
    return (
        getattr(orig, "sqlstate", None) == POSTGRESQL_UNMET or MARIADB_UNMET in getattr(orig, "args", ())[:1]
    )


def is_retryable(error: DBAPIError) -> bool:
    """Recognize what may succeed when the transaction is tried again; SQLite lets writers wait instead."""
    orig = error.orig
    state, arguments = getattr(orig, "sqlstate", None), getattr(orig, "args", ())
    return state in POSTGRESQL_RETRYABLE or bool(arguments and arguments[0] in MARIADB_RETRYABLE)
