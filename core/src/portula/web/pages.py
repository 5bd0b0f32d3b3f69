"""Pages for people: rendering, security headers, the browser's own identifier, forms against forgery."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, after_this_request, make_response, render_template, request
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError
from typing_extensions import override
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge
from wtforms import Form
from wtforms.csrf.core import CSRF
from wtforms.validators import ValidationError

from portula.flow.messages import FORM, parse_pairs
from portula.model.client_metadata import in_language
from portula.model.errors import StorageDown
from portula.model.failures import RETRY_AFTER_SECONDS, log_failure
from portula.model.requests import current_request
from portula.model.uris import is_plain
from portula.web.templating import Templates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.datastructures import Headers

    from portula.model.records import Application
    from portula.model.sources import PluginSource
    from portula.web.blueprints import Mount
    from portula.web.provider import Provider

CLIENT_LINKS = ("logo_uri", "client_uri", "policy_uri", "tos_uri")
"""What pages show of a client besides its name (RFC 7591 §2)."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' https: data:; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""No script at all, and no form-action: Chromium applies that to the redirect behind a POST (attack S10)."""

PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

BROWSER_COOKIE_SECONDS = 400 * 24 * 3600
_BROWSER_ID_CHARACTERS = 43
_OF_A_BODY = ("content-type", "content-length")


class VerbatimResponse(Response):
    """A response whose Location is sent as it is.

    Werkzeug parses it and writes it anew, other than the client registered it: `app:///cb` as `app:/cb`, `[1]` as
    `%5B1%5D`. A redirect URI is compared and answered as a string (RFC 6749 §3.1.2, RFC 9700 §2.1).
    """

    @override
    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """Return Werkzeug's headers, and a Location that is a URI already in its own bytes."""
        headers = super().get_wsgi_headers(environ)
        location = self.headers.get("Location", "")
        if location and is_plain(location):
            headers["Location"] = location
        return headers


def verbatim(response: Response) -> Response:
    """Return a response, one that sends its Location as it is if it has one."""
    if "Location" not in response.headers:
        return response
    sent = VerbatimResponse(response.response, response.status, response.headers)
    sent.call_on_close(response.close)
    return sent


def return_address() -> str:
    """Return the address of the current request below the root of its host, for who comes back to it."""
    query = request.query_string.decode("ascii", "ignore")
    return f"{quote(request.root_path + request.path)}{'?' if query else ''}{query}"


class Pages:
    """Renders a provider's pages."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider the pages belong to."""
        self._provider = provider

    def find_templates(self, mounts: Sequence[tuple[PluginSource, Mount]]) -> None:
        """Take the blueprints whose templates pages are made of, each with the plugin that contributes it."""
        provider = self._provider
        self._templates = Templates(provider.app, provider.core_settings.TEMPLATES_DIR, mounts)

    def render(self, template: str, status: int = 200, **context: Any) -> Response:
        """Return a rendered template with PAGE_HEADERS."""
        context.setdefault("brand", self._provider.core_settings.PROVIDER_NAME)
        context.setdefault("portula_static", f"{self._provider.name}.static")
        context["status"] = status
        response = make_response(render_template(self._templates.get(template), **context), status)
        response.headers.update(PAGE_HEADERS)
        return response

    def error(
        self, status: int, title: str, description: str | None = None, error: str | None = None
    ) -> Response:
        """Return the error page; it never redirects."""
        known = current_request()
        return self.render(
            "portula/error.html",
            status,
            title=title,
            description=description,
            error=error,
            request_id=known.id if known is not None else None,
        )

    def missing(self, what: str = "There is no such page") -> Response:
        """Return the page for what is not there."""
        return self.error(404, what)

    def http_error(self, error: HTTPException) -> Response:
        """Return the page for an error of Flask's, with what it says beside it, e.g. `Allow` (RFC 9110 §15.5.6)."""
        page = self.missing() if error.code == 404 else self.error(error.code or 500, error.name)
        answered = error.response
        sent = error.get_headers(request.environ) if answered is None else answered.headers.items()
        page.headers.extend((name, value) for name, value in sent if name.lower() not in _OF_A_BODY)
        return page

    def unreadable(self, error: InvalidRequestError) -> Response:
        """Return the page for a request that `query` or `posted` refused."""
        return self.error(400, "This request cannot be read", error.description, error.error)

    def handle_errors(self, blueprint: Blueprint) -> None:
        """Let what a view of a blueprint cannot read, and what fails in it, be answered by an error page."""
        blueprint.before_request(_require_utf8)
        blueprint.register_error_handler(InvalidRequestError, self.unreadable)
        blueprint.register_error_handler(InternalServerError, self.server_error)
        blueprint.register_error_handler(StorageDown, self.unavailable)

    def server_error(self, error: InternalServerError) -> Response:
        """Return the page for a request in which something failed; Flask has logged what."""
        return self.error(500, "Something went wrong", error="server_error")

    def unavailable(self, failure: StorageDown) -> Response:
        """Return the page for a request that the storage did not answer, and log that."""
        log_failure(failure, "%s %s is refused", request.method, request.path)
        page = self.error(503, "Not available just now", error="temporarily_unavailable")
        page.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return page

    def shown_client(self, client: Application, ui_locales: str = "") -> dict[str, Any]:
        """Return a client's name and links for a template, in a language that the person reads, if it has them so.

        One without a name is called by its `client_id`.

        Args:
            client: whose they are.
            ui_locales: language tags apart by spaces, best first, as in an authorization request (OpenID Connect Core
                §3.1.2.1); then those count that the browser sends.
        """
        languages = [*ui_locales.split(), *request.accept_languages.values()]
        name = in_language(client.metadata, "client_name", languages) or client.name
        links = {link: in_language(client.metadata, link, languages) for link in CLIENT_LINKS}
        return {"name": display_name(name).strip() or display_name(client.client_id), **links}

    def query(self) -> MultiDict[str, str]:
        """Return the parameters of the query string of the current request.

        Raises:
            InvalidRequestError: not UTF-8, NUL, a repeated name, too many.
        """
        return MultiDict(parse_pairs(request.query_string))

    def posted_form(self) -> MultiDict[str, str]:
        """Return the fields of the form that the current request posts, at most MAX_BODY_BYTES of them.

        Raises:
            InvalidRequestError: too large, another content type, not UTF-8, NUL, a repeated name, too many.
        """
        if request.mimetype != FORM:
            raise InvalidRequestError(description=f"The form must be sent as {FORM}.")
        limit = self._provider.core_settings.MAX_BODY_BYTES
        request.max_content_length = limit + 1  # Werkzeug cuts a chunked body there and says nothing
        try:
            body = request.get_data(cache=True, parse_form_data=False)
        except RequestEntityTooLarge:
            body = bytes(limit + 1)
        if len(body) > limit:
            raise InvalidRequestError(description="The form is too large.")
        if not body:  # a before_request function of the app has read the form already
            body = urlencode(list(request.form.items(multi=True))).encode()
        return MultiDict(parse_pairs(body))

    def cookie_name(self, name: str) -> str:
        """Return the name of a cookie of ours: `__Host-` on https (RFC 6265bis §4.1.3.2)."""
        prefix = "__Host-" if self._provider.secure_cookies else ""
        return f"{prefix}{self._provider.name}_{name}"

    def set_cookie(self, response: Response, name: str, value: str, max_age: int | None) -> None:
        """Set a cookie of ours: whole host, HttpOnly, SameSite=Lax."""
        response.set_cookie(
            self.cookie_name(name),
            value,
            max_age=max_age,
            path="/",
            secure=self._provider.secure_cookies,
            httponly=True,
            samesite="Lax",
        )

    def browser(self) -> str:
        """Return this browser's identifier, giving it one with the response when it has none."""
        key = f"portula.{self._provider.name}.browser"
        known: str | None = request.environ.get(key) or request.cookies.get(self.cookie_name("browser"))
        if known and len(known) == _BROWSER_ID_CHARACTERS and known.isascii():
            return known
        fresh = secrets.token_urlsafe(32)
        request.environ[key] = fresh

        @after_this_request
        def give(response: Response) -> Response:
            self.set_cookie(response, "browser", fresh, BROWSER_COOKIE_SECONDS)
            return response

        return fresh

    def csrf_token(self, context: str) -> str:
        """Return the token of a form: bound to this browser and to what the form is about."""
        return self._provider.keys.digest("csrf", f"{self.browser()}\0{context}")

    def csrf_valid(self, context: str, token: str) -> bool:
        """Check a posted token in constant time."""
        return self._provider.keys.verify("csrf", f"{self.browser()}\0{context}", token)


def _require_utf8() -> None:
    """Refuse a query with bytes that are no UTF-8, which Flask could not read: servers need not refuse them.

    Raises:
        InvalidRequestError: it is one.
    """
    try:
        request.query_string.decode()
    except UnicodeDecodeError:
        raise InvalidRequestError(description="Parameters must be percent-encoded UTF-8.") from None


class _BoundCSRF(CSRF):
    """WTForms' hook for a token of our own making."""

    def setup_form(self, form: Any) -> Any:
        self._pages: Pages = form.meta.pages
        self._context: str = form.meta.csrf_context
        return super().setup_form(form)

    def generate_csrf_token(self, csrf_token_field: Any) -> str:
        return self._pages.csrf_token(self._context)

    def validate_csrf_token(self, form: Any, field: Any) -> None:
        if not self._pages.csrf_valid(self._context, field.data or ""):
            raise ValidationError(
                "This page was open too long or came from another browser. Please try again."
            )


class PageForm(Form):
    """A form whose token is bound to the browser; give `pages` and a `context` naming what it is about."""

    class Meta:
        """WTForms' switches."""

        csrf = True
        csrf_class = _BoundCSRF
        csrf_field_name = "csrf_token"

    def __init__(self, pages: Pages, context: str, formdata: Any = None, **data: Any) -> None:
        """Bind the form; `formdata` is `flask.request.form` on a POST."""
        super().__init__(formdata, meta={"pages": pages, "csrf_context": context}, data=data)


def display_name(name: str) -> str:
    """Return a name without control characters and without those that turn the direction of writing (attack S11)."""
    return "".join(filter(str.isprintable, name))
