"""Failures of requests: their line in the log, and the description that the client gets."""

from __future__ import annotations

import logging

from portula.model.errors import StorageDown
from portula.model.requests import current_request

log = logging.getLogger("portula")

RETRY_AFTER_SECONDS = 5
"""Seconds after which a client whose request found the storage down may send it again (Retry-After)."""


def log_failure(failure: BaseException, message: str, *arguments: object) -> None:
    """Log that something failed: in one line where the storage does not answer, else with its traceback.

    Args:
        failure: what was raised.
        message: what failed, a format as `logging` takes it.
        arguments: of the format.
    """
    request = current_request()
    if request is not None:
        request.failure_is_logged = True
    if isinstance(failure, StorageDown):
        log.error("%s: %s", message % arguments, failure.findings[0])
    else:
        log.error(message, *arguments, exc_info=failure)


def description_of(failure: BaseException) -> str:
    """Return the `error_description` of a failure that is not the client's."""
    request = current_request()
    where = f"as request {request.id}" if request is not None else "there"
    if isinstance(failure, StorageDown):
        return f"The server cannot answer now; it is logged {where}."
    return f"The server failed; it is logged {where}."
