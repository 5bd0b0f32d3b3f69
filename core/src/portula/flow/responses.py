"""From parameters and errors to answers: the one place where authorization responses are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749 import errors

from portula.flow.messages import printable
from portula.model.http import NO_STORE, Answer, json_answer


class RetryLater(errors.TemporarilyUnavailableError):  # type: ignore[misc] # oauthlib has no types
    """A request of a client cannot be judged now: 503, with the seconds after which it may come again."""

    status_code = 503

    def __init__(self, description: str, retry_after: int) -> None:
        """Keep the seconds."""
        self.retry_after = retry_after
        super().__init__(description=description)


@dataclass(frozen=True, slots=True)
class Delivery:
    """An authorization response on its way (RFC 6749 §4.1.2, OAuth 2.0 Multiple Response Type Encoding)."""

    redirect_uri: str
    mode: str
    parameters: Mapping[str, str]


FormPost = Callable[[Delivery], Answer]
"""Renders a form_post page; contributed by who knows templates."""


def deliver(delivery: Delivery, form_post: FormPost | None = None) -> Answer:
    """Write an authorization response, success or error alike, into query, fragment or form.

    A registered query string is kept as it is (RFC 6749 §3.1.2). Never 307, which would repeat a POST (attack S12).
    """
    if delivery.mode == "form_post" and form_post is not None:
        return form_post(delivery)
    separator = "#" if delivery.mode == "fragment" else "&" if "?" in delivery.redirect_uri else "?"
    location = f"{delivery.redirect_uri}{separator}{urlencode(delivery.parameters)}"
    return Answer(302, {"Location": location, **NO_STORE})


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


def bearer_error(error: OAuth2Error | None, *, realm: str = "portula", scope: str = "") -> Answer:
    """Return a resource's refusal (RFC 6750 §3); without an error it only asks for a token."""
    challenge = [f'realm="{realm}"']
    if error is not None:
        challenge += [f'{name}="{value}"' for name, value in error_parameters(error).items()]
    if scope:
        challenge.append(f'scope="{scope}"')
    headers = {"WWW-Authenticate": "Bearer " + ", ".join(challenge)}
    if error is None:
        return Answer(401, {**headers, **NO_STORE})
    return json_answer(error.status_code, error_parameters(error), headers)


def from_oauthlib(headers: Mapping[str, Any], body: str | None, status: int) -> Answer:
    """Turn oauthlib's (headers, body, status) into an answer that is not cached."""
    kept = {
        str(name): str(value) for name, value in headers.items() if str(name).lower() != "www-authenticate"
    }
    if status == 401:
        kept["WWW-Authenticate"] = 'Basic realm="portula", charset="UTF-8"'
    if body:
        kept.setdefault("Content-Type", "application/json")
    return Answer(status, {**kept, **NO_STORE}, (body or "").encode())
