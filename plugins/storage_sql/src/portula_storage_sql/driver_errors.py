"""Errors of the drivers, told apart by what they mean on each engine."""

from __future__ import annotations

import sqlite3
from typing import Any, NoReturn

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError

from portula.errors import DuplicateRecord, StorageDown

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


POSTGRESQL_DOWN = ("08", "53", "57P", "58030", "25006", "55P03", "57014")
"""How SQLSTATEs begin of a connection that failed, resources that are short, a server that starts or stops, a disk that
fails, a server that only reads after a failover, and waits that took too long."""

MARIADB_DOWN = frozenset(
    (
        *(0, 1040, 1047, 1053, 1129, 1180, 1203, 1205, 1226, 1290, 1317, 1836, 1927, 1969),
        *(3, 20, 1021, 1026, 1030, 1114),
        *(2002, 2003, 2006, 2013, 2014, 2055),
    )
)
"""The same of MariaDB and of PyMySQL, whose errors of a connection begin at 2000; 0 is of one that is closed.

3, 20, 1021, 1026, 1030 and 1114 are of a disk that is full or fails. 1047 is of a node of Galera that has lost the
others, 1180 of one that loses them at COMMIT.
"""

SQLITE_DOWN = ("BUSY", "LOCKED", "CANTOPEN", "IOERR", "FULL", "READONLY", "NOMEM", "PROTOCOL", "NOTADB")
"""How SQLITE_… goes on for a file that is locked, cannot be opened, read or written, or is no database."""


def is_late(error: DBAPIError) -> bool:
    """Recognize what ends a statement that the database does not answer in time."""
    return isinstance(error.orig and error.orig.__context__, TimeoutError)


def down_of(error: BaseException | None, url: URL) -> StorageDown | None:
    """Return what tells that the database does not answer now; None for any other error of a driver."""
    return unreachable(error, url) if _is_down(error) else None


def raise_translated(error: Exception, driver_error: BaseException | None, url: URL) -> NoReturn:
    """Raise StorageDown where a driver says that its database does not answer, else the error as it is."""
    down = down_of(driver_error, url)
    if down is None:
        raise error
    raise down from error


def unreachable(error: BaseException | None, url: URL) -> StorageDown:
    """Return what tells that a database does not answer, and in one line why."""
    reason = str(error).partition("\n")[0]
    if url.password:
        reason = reason.replace(str(url.password), "***")
    return StorageDown(f"DATABASE_URL: {safe_url(url)} does not answer: {reason}")


def safe_url(url: URL) -> str:
    """Return the address of a database, without its password."""
    return url.render_as_string(hide_password=True)


def _is_down(error: BaseException | None) -> bool:
    if error is None:
        return False
    arguments = error.args
    if isinstance(error, sqlite3.Error):
        name = str(getattr(error, "sqlite_errorname", None) or "")
        return name.removeprefix("SQLITE_").startswith(SQLITE_DOWN)
    if arguments and isinstance(arguments[0], int):
        return arguments[0] in MARIADB_DOWN
    if hasattr(error, "sqlstate"):
        names, state = [each.__name__ for each in type(error).__mro__], error.sqlstate
        return "OperationalError" in names if state is None else state.startswith(POSTGRESQL_DOWN)
    return False
