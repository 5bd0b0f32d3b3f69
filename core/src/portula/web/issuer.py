"""The issuer (RFC 8414 §2): fixed by configuration, or made of a host that is trusted, nothing else (attack S65)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import quote, urlsplit

from flask import Flask, Response, redirect, request
from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

from portula.model.errors import ConfigError
from portula.model.uris import is_loopback_host, issuer_problem, origin_of

if TYPE_CHECKING:
    from portula.model.http import Message
    from portula.web.pages import Pages

log = logging.getLogger("portula")

_REDIRECTED_COOKIE_SECONDS = 5


REDIRECTED = "redirected"
"""Cookie, and with the provider's name before it a parameter: this browser was sent to the issuer's host just now."""
_KEPT_IN_URLS = "%!$&'()*+,/:;=?@[]~"


class UntrustedHost(InvalidRequestError):  # type: ignore[misc]
    """The request came for a host of which no issuer may be made (attack S65)."""

    def __init__(self) -> None:
        """Say what whoever runs the server has to write; the host itself is not repeated."""
        super().__init__(
            description="This host is not trusted. Whoever runs the server: set OIDC_ISS_ENDPOINT in OAUTH2_PROVIDER "
            "to its public URL, or name its host in TRUSTED_HOSTS."
        )


class IssuerRequest(Protocol):
    """What a callable as OIDC_ISS_ENDPOINT is given: a `Message`, or Flask's request for a page."""

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        ...

    @property
    def root_path(self) -> str:
        """Path at which the WSGI server or a dispatcher mounts the app (SCRIPT_NAME); empty at the host's root."""
        ...

    @property
    def headers(self) -> Any:
        """The headers; `headers.get("host")` is what the client says it reached, and may be a lie."""
        ...


IssuerOf = Callable[[Any], str]
"""Takes an `IssuerRequest`; returns the issuer, or an empty string, as if nothing were configured."""


class Issuer:
    """Knows the issuer of each request of one provider."""

    def __init__(self, configured: str | IssuerOf, app: Flask, mount: str) -> None:
        """Take OIDC_ISS_ENDPOINT, which may be empty, and the provider's app and mount point."""
        self.fixed = configured if isinstance(configured, str) else ""
        self._callable = configured if callable(configured) else None
        self._app = app
        self._mount = mount
        self._warned = False
        root = str(app.config.get("APPLICATION_ROOT") or "").rstrip("/")
        path = urlsplit(self.fixed).path.rstrip("/")
        self.prefix = path.removesuffix(mount) if mount and path.endswith(mount) else root
        """Path at which the app stands on the issuer's host, if the issuer is fixed: what is before MOUNT_PATH."""
        if self.fixed and root not in ("", self.prefix):
            raise ConfigError(
                f"OIDC_ISS_ENDPOINT: {self.fixed!r} is not below APPLICATION_ROOT, {root!r}, where the app stands; "
                f"end it in {root + mount!r}"
            )

    def of(self, message: Message) -> str:
        """Return the issuer for a message.

        Raises:
            UntrustedHost: none is configured, and none may be made of the host.
        """
        host = message.headers.get("host", "")
        return self.fixed or self._from_callable(message) or self._at(message.scheme, host, message.root_path)

    def current(self) -> str:
        """Return the issuer for the current Flask request; see `of`."""
        return (
            self.fixed
            or self._from_callable(request)
            or self._at(request.scheme, request.host, request.root_path)
        )

    def root_of(self, issuer: str) -> str:
        """Return the URL of the app for an issuer: scheme, host and the path before MOUNT_PATH."""
        parts = urlsplit(issuer)
        path = parts.path.rstrip("/")
        known = path.endswith(self._mount) and (self._mount or not self.fixed)
        below = path.removesuffix(self._mount) if known else self.prefix
        return f"{parts.scheme}://{parts.netloc}{below}"

    def _from_callable(self, request: IssuerRequest) -> str:
        """Ask the callable, and hold its answer to what a fixed issuer is held to."""
        issuer = self._callable(request) if self._callable is not None else ""
        problem, path = issuer_problem(issuer) if issuer else None, f"{request.root_path}{self._mount}"
        if problem is None and issuer and urlsplit(issuer).path.rstrip("/") != path:
            problem = f"its path is not {path!r}: the metadata would not be found"
        if problem:
            raise ValueError(f"OIDC_ISS_ENDPOINT: the callable returned {issuer!r}: {problem}")
        return issuer

    def _at(self, scheme: str, host: str, root_path: str) -> str:
        """Return an issuer on a host if that is loopback, SERVER_NAME or one of TRUSTED_HOSTS; else on SERVER_NAME."""
        # Never the header itself: it may be `evil.example@localhost`.
        origin = origin_of(f"{scheme}://{host}") or ""
        parts = urlsplit(origin)
        name = parts.hostname or ""
        if is_loopback_host(name) or self._is_trusted(name, parts.netloc):
            return f"{origin}{root_path}{self._mount}"
        if name and not self._warned:
            self._warned = True
            log.warning(
                "a request came for the host %r, which is not trusted; if it is yours, name it in TRUSTED_HOSTS or set "
                "OIDC_ISS_ENDPOINT to your public URL, e.g. 'https://id.example.com%s'",
                name,
                self._mount,
            )
        server_name = self._app.config.get("SERVER_NAME")
        if not server_name:
            raise UntrustedHost
        return f"{scheme}://{server_name}{root_path}{self._mount}"

    def _is_trusted(self, name: str, netloc: str) -> bool:
        """Compare a host with SERVER_NAME and TRUSTED_HOSTS, where a leading dot means subdomains too, as in Flask."""
        trusted = self._app.config.get("TRUSTED_HOSTS") or ()
        listed = (trusted,) if isinstance(trusted, str) else trusted
        for entry in (self._app.config.get("SERVER_NAME") or "", *listed):
            pattern = entry.lower()
            if name and pattern in (name, netloc):
                return True
            domain = pattern.partition(":")[0]
            if domain.startswith(".") and f".{name}".endswith(domain):
                return True
        return False


def _shows_token() -> bool:
    """Say whether the request has an access token in its header; browsers send Basic credentials by themselves.

    Werkzeug's own reading of the header fails where that is not ASCII.
    """
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    return bool(credentials) and scheme.lower() != "basic"


class HomeRedirect:
    """Sends a page that is visited under another host name to the issuer's; called before each view."""

    def __init__(self, root: str, name: str, pages: Pages) -> None:
        """Take the URL of the app by the fixed issuer, empty when there is none, and the provider's name and pages."""
        self._root = root
        self._mark = f"{name}_{REDIRECTED}"
        self._pages = pages

    def __call__(self) -> Response | None:
        """Redirect once: a browser that comes again under the other name is behind a proxy that hides it.

        A cookie remembers that; without cookies the mark in the URL does, and an error page ends it. Who shows a token
        is no browser, and may come by the name that is for clients with certificates (RFC 8705 §5).
        """
        if not self._root or request.method != "GET" or _shows_token():
            return None
        marked = f"{self._mark}=1" in request.query_string.decode("latin-1").split("&")
        sent_before = self._pages.cookie_name(REDIRECTED) in request.cookies
        if request.host == urlsplit(self._root).netloc or sent_before:
            return self._redirect() if marked else None
        if marked:
            log.warning("a proxy hides the host that browsers ask for: let it pass the Host header")
            return self._pages.error(
                400,
                "This page cannot be reached under its name",
                "Allow cookies for it and try again. Whoever runs the server: let the proxy pass the Host header.",
                "invalid_request",
            )
        response = self._redirect(f"{self._mark}=1")
        self._pages.set_cookie(response, REDIRECTED, "1", _REDIRECTED_COOKIE_SECONDS)
        return response

    def _redirect(self, *more: str) -> Response:
        path, sent = quote(request.path), quote(request.query_string, safe=_KEPT_IN_URLS)
        query = "&".join([part for part in sent.split("&") if part not in ("", f"{self._mark}=1")] + [*more])
        return cast("Response", redirect(f"{self._root}{path}{'?' if query else ''}{query}"))
