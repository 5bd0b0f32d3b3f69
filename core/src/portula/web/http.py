"""Mounts machine endpoints in Flask and, ahead of Flask, as plain WSGI: same handlers, same bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from flask import Flask, request
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wsgi import get_content_length

from portula.flow.endpoints import Endpoint
from portula.flow.responses import error_parameters, failed_answer, token_error
from portula.host.answers import problem_of
from portula.model.errors import DuplicateContribution
from portula.model.failures import log_failure
from portula.model.http import Answer, Message, json_answer
from portula.model.requests import answering
from portula.model.uris import origin_of
from portula.web.certificates import NEVER_READ, MalformedCertificate, client_certificate
from portula.web.issuer import UntrustedHost
from portula.web.pages import VerbatimResponse
from portula.web.requests import client_address, request_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from portula.host.core_settings import CoreSettings
    from portula.model.http import Handler

PREFLIGHT_MAX_AGE_SECONDS = 600
_ALWAYS_ALLOWED = ("Authorization", "Content-Type")
_MAX_CHARACTERS = 1024
_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CHALLENGE = "WWW-Authenticate"
_UNEXPOSED = ("allow", "cache-control", "content-type", "expires", "pragma", "retry-after", "vary")
"""Header fields that pages may read in any case (Fetch standard, CORS-safelisted response-header name), or need not."""


class MachineEndpoints:
    """Answers machine endpoints from a WSGI environment."""

    def __init__(
        self,
        app: Flask,
        endpoints: Sequence[Endpoint],
        mount: str,
        settings: CoreSettings,
        tell_refusal: Callable[[str, Exception], None],
    ) -> None:
        """Lay out the paths, each with and without its trailing slash; `tell_refusal` is given an endpoint's name."""
        self._tell_refusal = tell_refusal
        self._app = app
        self._mount_path = mount
        self._settings = settings
        self._max_body = settings.MAX_BODY_BYTES
        self.on_answered: Callable[[], None] | None = None
        """Is called after each request that is answered ahead of Flask, from memory aside; it raises nothing."""
        self.paths: dict[str, Endpoint] = {}
        for endpoint in endpoints:
            path = endpoint.path if endpoint.path.startswith("/") else f"{mount}/{endpoint.path}"
            other = self.paths.get(path)
            if other is not None:
                raise DuplicateContribution(
                    f"portula_endpoints: {other.name!r} and {endpoint.name!r} both stand at {path}; block one"
                )
            self.paths[path] = endpoint
            if path.endswith("/"):
                self.paths[path.rstrip("/")] = endpoint

    def needs_no_storage(self, path: str) -> bool:
        """Say whether a path is answered from memory, as metadata and keys are, or from a file."""
        endpoint = self.paths.get(path)
        return path.startswith(self._static_paths) if endpoint is None else endpoint.in_memory

    @cached_property
    def _static_paths(self) -> tuple[str, ...]:
        """Below which files of ours stand, as Flask knows it when the first request comes."""
        rules = [rule for rule in self._app.url_map.iter_rules() if rule.endpoint.endswith(".static")]
        paths = [rule.rule.partition("<")[0] for rule in rules]
        return tuple(path for path in paths if path.startswith(f"{self._mount_path}/"))

    def mount(self, prefix: str) -> None:
        """Add a Flask rule for every path; method and CORS are judged here, not by Flask."""
        for path, endpoint in self.paths.items():
            bare = not path.endswith("/") and f"{path}/" in self.paths
            name = f"{prefix}_{endpoint.name}{'_bare' if bare else ''}"
            # Not by add_url_rule, which cannot leave the methods open.
            self._app.url_map.add(self._app.url_rule_class(path, endpoint=name, methods=None))
            self._app.view_functions[name] = self._view

    def _view(self, **_: Any) -> VerbatimResponse:
        request.max_content_length = self._max_body + 1  # Werkzeug cuts a chunked body there and says nothing
        try:
            body = request.get_data(cache=True, parse_form_data=False)
            if not body and request.form:
                body = urlencode(list(request.form.items(multi=True))).encode()
        except RequestEntityTooLarge:
            body = bytes(self._max_body + 1)  # answered 413; the rest is not read
        path = str(request.url_rule)  # not PATH_INFO: Werkzeug reads //o/token/ as /o/token/
        answer = self.answer(path, request.environ, lambda _limit: body)
        response = VerbatimResponse(answer.body, answer.status)
        response.headers.clear()
        response.headers.extend(_sent_headers(answer))
        return response

    def wsgi(self, fallback: WSGIApplication) -> WSGIApplication:
        """Return a WSGI application that answers our paths itself and hands everything else on."""

        def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "")
            if path not in self.paths or environ.get("SCRIPT_NAME"):
                return fallback(environ, start_response)
            with self._app.app_context():
                answer = self.answer(path, environ, lambda limit: _body(environ, limit))
                if self.on_answered is not None and not self.paths[path].in_memory:
                    self.on_answered()
            reason = HTTP_STATUS_CODES.get(answer.status, "Unknown").upper()
            start_response(f"{answer.status} {reason}", _sent_headers(answer))
            return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body]

        return application

    def answer(self, path: str, environ: WSGIEnvironment, read: Callable[[int], bytes]) -> Answer:
        """Answer a request for `path`, one of our paths; `read(limit)` gives the body."""
        with answering(request_of(environ, self._settings)):
            return self._answer(path, environ, read)

    def _answer(self, path: str, environ: WSGIEnvironment, read: Callable[[int], bytes]) -> Answer:
        endpoint = self.paths[path]
        method = environ["REQUEST_METHOD"]
        origin = environ.get("HTTP_ORIGIN")
        if method == "OPTIONS":
            requested_headers = environ.get("HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "")
            return self._preflight(endpoint, origin, requested_headers)
        if method not in endpoint.methods and not (method == "HEAD" and "GET" in endpoint.methods):
            allowed = {"Allow": ", ".join((*endpoint.methods, "OPTIONS"))}
            answer = self._refuse(endpoint, 405, "This method is not allowed here.", allowed)
        else:
            answer = self._handle(endpoint, path, environ, read)
        return self._with_cors(endpoint, answer)

    def _handle(
        self, endpoint: Endpoint, path: str, environ: WSGIEnvironment, read: Callable[[int], bytes]
    ) -> Answer:
        too_large = (get_content_length(environ) or 0) > self._max_body
        body = b"" if too_large else read(self._max_body + 1)
        if too_large or len(body) > self._max_body:
            return self._refuse(endpoint, 413, f"A request has at most {self._max_body} bytes.")
        try:
            handler = cast("Handler", endpoint.handler)
            return _checked_answer(handler(message_from(environ, path, body, self._settings)))
        except (MalformedCertificate, UntrustedHost) as error:
            self._tell_refusal(endpoint.name, error)
            return token_error(error)
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "endpoint %s failed", endpoint.name)
            return failed_answer(failure)

    def _refuse(
        self, endpoint: Endpoint, status: int, description: str, headers: dict[str, str] | None = None
    ) -> Answer:
        """Refuse a request before anything of it is read, and tell of it."""
        error = InvalidRequestError(description=description)
        self._tell_refusal(endpoint.name, error)
        return json_answer(status, error_parameters(error), headers or {})

    @staticmethod
    def _preflight(endpoint: Endpoint, origin: str | None, requested_headers: str) -> Answer:
        """Answer OPTIONS (Fetch standard, CORS protocol). The client is not known yet; the real answer names origins.

        Headers that are asked for are allowed: what may be read depends on the endpoint and the client alone.
        """
        methods = ", ".join((*endpoint.methods, "OPTIONS"))
        headers = {"Allow": methods, "Vary": "Origin"}
        known = endpoint.cors == "open" or origin_of(origin or "", endpoint.origin_schemes) is not None
        if endpoint.cors == "none" or origin is None or not known:
            return Answer(204, headers)
        return Answer(
            204,
            {
                **headers,
                "Access-Control-Allow-Origin": "*" if endpoint.cors == "open" else origin,
                "Access-Control-Allow-Methods": methods,
                "Access-Control-Allow-Headers": ", ".join(
                    (*_ALWAYS_ALLOWED, *_field_names(requested_headers))
                ),
                "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_SECONDS),
            },
        )

    @staticmethod
    def _with_cors(endpoint: Endpoint, answer: Answer) -> Answer:
        if endpoint.cors == "open":
            return answer.with_headers({"Access-Control-Allow-Origin": "*", **_exposed_headers(answer)})
        if endpoint.cors == "client":
            readable = "Access-Control-Allow-Origin" in answer.headers
            return answer.with_headers({"Vary": "Origin", **(_exposed_headers(answer) if readable else {})})
        return answer


def _exposed_headers(answer: Answer) -> dict[str, str]:
    """Return what lets a page read the challenge of RFC 6750 §3, and what proofs answer with (RFC 9449 §9)."""
    added = [
        name
        for name in answer.headers
        if name.lower() not in _UNEXPOSED and not name.startswith("Access-Control-") and name != _CHALLENGE
    ]
    return {"Access-Control-Expose-Headers": ", ".join([_CHALLENGE, *added])}


def _field_names(requested_headers: str) -> list[str]:
    """Return the names in Access-Control-Request-Headers; none where one is no field name (RFC 9110 §5.1)."""
    short = len(requested_headers) <= _MAX_CHARACTERS
    names = [name.strip() for name in requested_headers.split(",")] if short else []
    if not all(map(_FIELD_NAME.fullmatch, names)):
        return []
    always = {name.lower() for name in _ALWAYS_ALLOWED}
    return [name for name in dict.fromkeys(names) if name.lower() not in always]


def message_from(environ: WSGIEnvironment, path: str, body: bytes, settings: CoreSettings) -> Message:
    """Make a message of a WSGI environment (PEP 3333) that came for this path.

    Headers for client certificates are left out: what of them is believed is `Message.client_certificate`.

    Raises:
        MalformedCertificate: what stands in the place of a client certificate is none.
    """
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in (*NEVER_READ, (settings.CLIENT_CERTIFICATE_HEADER or "").lower()):
        headers.pop(name, None)
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    headers.setdefault("host", f"{environ.get('SERVER_NAME', '')}:{environ.get('SERVER_PORT', '')}")
    return Message(
        method=environ["REQUEST_METHOD"],
        scheme=environ.get("wsgi.url_scheme", "http"),
        path=path,
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=body,
        root_path=environ.get("SCRIPT_NAME", "").rstrip("/"),
        client_address=client_address(environ, settings.TRUSTED_PROXIES),
        client_certificate=client_certificate(environ, settings.CLIENT_CERTIFICATE_HEADER),
    )


def _body(environ: WSGIEnvironment, limit: int) -> bytes:
    """Read at most `limit` bytes, and none that was not sent: a server need not end the stream (PEP 3333)."""
    length = get_content_length(environ)
    if length is None:
        length = limit if environ.get("wsgi.input_terminated") else 0
    body: bytes = environ["wsgi.input"].read(min(length, limit)) if length else b""
    return body


def _sent_headers(answer: Answer) -> list[tuple[str, str]]:
    headers = list(answer.headers.items())
    if answer.status not in (204, 304):
        headers.append(("Content-Length", str(len(answer.body))))
    return headers


def _checked_answer(answer: object) -> Answer:
    """Return what the handler of an endpoint answers.

    Raises:
        TypeError: it is no Answer.
    """
    if isinstance(answer, Answer):
        return answer
    raise TypeError(f"its handler answers {problem_of(answer, Answer)}")
