"""From errors and results to the answers of machine endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749 import errors

from portula.flow.messages import printable
from portula.model.errors import StorageDown
from portula.model.failures import RETRY_AFTER_SECONDS, description_of, log_failure
from portula.model.http import NO_STORE, Answer, json_answer


class RetryLater(errors.TemporarilyUnavailableError):  # type: ignore[misc] # oauthlib has no types
    """A request of a client is not judged now: it hears after how many seconds it may come again."""

    def __init__(self, description: str, retry_after: int, *, status: int = 503) -> None:
        """Keep the seconds, and the HTTP status: 429 for who asks too often, 503 where that is no fault of theirs."""
        self.retry_after = retry_after
        super().__init__(description=description, status_code=status)


class InvalidTargetError(errors.InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """There is no token for a server: it is unknown, not allowed, or was not granted (RFC 8707 §2, RFC 8693 §2.2.2)."""

    error = "invalid_target"


def server_error_of(failure: Exception, what: str) -> OAuth2Error:
    """Log that a request failed, and return what its client is told (RFC 6749 §4.1.2.1)."""
    log_failure(failure, "%s is refused", what)
    if isinstance(failure, StorageDown):
        return RetryLater(description_of(failure), RETRY_AFTER_SECONDS)
    return errors.ServerError(description=description_of(failure))


def failed_answer(failure: Exception) -> Answer:
    """Return the answer of a machine endpoint that failed: 503 where the storage does not answer, else 500."""
    described = {"error_description": description_of(failure)}
    if isinstance(failure, StorageDown):
        again = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        return json_answer(503, {"error": "temporarily_unavailable", **described}, again)
    return json_answer(500, {"error": "server_error", **described})


def error_parameters(error: OAuth2Error) -> dict[str, str]:
    """Return error, error_description and error_uri in legal characters (RFC 6749 §4.1.2.1)."""
    parameters = {"error": str(error.error or "server_error")}
    if error.description:
        parameters["error_description"] = printable(error.description)
    if error.uri:
        parameters["error_uri"] = error.uri
    return parameters


def token_error(error: OAuth2Error, *, realm: str = "portula") -> Answer:
    """Return the error of a machine endpoint (RFC 6749 §5.2).

    401 names the scheme of client authentication, and who is to come again hears when (RFC 9110 §10.2.3).
    """
    status = error.status_code
    if isinstance(error, errors.InvalidClientError):
        status = 401
    headers: dict[str, str] = {}
    if status == 401:
        headers["WWW-Authenticate"] = f'Basic realm="{realm}", charset="UTF-8"'
    if isinstance(error, RetryLater):
        headers["Retry-After"] = str(error.retry_after)
    return json_answer(status, error_parameters(error), headers)


class MissingTokenError(errors.InvalidTokenError):  # type: ignore[misc]
    """A request came without a token: the answer asks for one, and names no error (RFC 6750 §3.1)."""


def from_oauthlib(headers: Mapping[str, Any], body: str | None, status: int) -> Answer:
    """Turn oauthlib's (headers, body, status) into an answer that is not cached."""
    members = {
        str(name): str(value) for name, value in headers.items() if str(name).lower() != "www-authenticate"
    }
    if status == 401:
        members["WWW-Authenticate"] = 'Basic realm="portula", charset="UTF-8"'
    if body:
        members.setdefault("Content-Type", "application/json")
    return Answer(status, {**members, **NO_STORE}, (body or "").encode())
