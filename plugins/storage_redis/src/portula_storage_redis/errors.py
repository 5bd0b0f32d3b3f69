"""Translates errors of the Redis client."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from redis import exceptions

from portula.errors import StorageDown

DOWN = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.BusyLoadingError,
    exceptions.ReadOnlyError,
    exceptions.OutOfMemoryError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.TryAgainError,
    exceptions.RedisClusterException,
)
DOWN_CODES = ("MISCONF", "NOREPLICAS", "BUSY", "OOM", "READONLY", "CLUSTERDOWN", "MASTERDOWN", "LOADING")
"""How the server says that it cannot write now, as the first word of an error, that of a script too."""


@contextmanager
def answering() -> Iterator[None]:
    """Let errors of a server that cannot answer now be StorageDown; the message holds no address."""
    try:
        yield
    except DOWN as error:
        raise StorageDown(f"Redis does not answer: {type(error).__name__}") from error
    except exceptions.ResponseError as error:
        code = next((word for word in re.findall(r"[A-Z]+", str(error)) if word in DOWN_CODES), None)
        if code is None:
            raise
        raise StorageDown(f"Redis refuses: {code}") from error
