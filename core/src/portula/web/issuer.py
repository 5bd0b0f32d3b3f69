"""The issuer (RFC 8414 §2): fixed by configuration, or made of a host that is trusted, nothing else (attack S65)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, cast
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request

from portula.model.errors import ConfigError
from portula.model.uris import is_loopback_host, issuer_problem, origin_of

if TYPE_CHECKING:
    from portula.model.http import Message

log = logging.getLogger("portula")

_REDIRECTED_COOKIE_SECONDS = 5


class Asked(Protocol):
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
"""Takes an `Asked`; returns the issuer, or an empty string for one that is made as if nothing were configured."""


class Issuer:
    """Knows the issuer of each request of one provider."""

    def __init__(self, configured: str | IssuerOf, app: Flask, mount: str, name: str) -> None:
        """Take OIDC_ISS_ENDPOINT, which may be empty, and the provider's app, mount point and name."""
        self.fixed = configured if isinstance(configured, str) else ""
        self._told = configured if callable(configured) else None
        self._app = app
        self._mount = mount
        self._cookie = f"{name}_redirected"
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
        """Return the issuer for a message."""
        host = message.headers.get("host", "")
        return self.fixed or self._asked(message) or self._at(message.scheme, host, message.root_path)

    def current(self) -> str:
        """Return the issuer for the current Flask request."""
        return self.fixed or self._asked(request) or self._at(request.scheme, request.host, request.root_path)

    def root_of(self, issuer: str) -> str:
        """Return the URL of the app for an issuer: scheme, host and the path before MOUNT_PATH."""
        parts = urlsplit(issuer)
        path = parts.path.rstrip("/")
        known = path.endswith(self._mount) and (self._mount or not self.fixed)
        below = path.removesuffix(self._mount) if known else self.prefix
        return f"{parts.scheme}://{parts.netloc}{below}"

    def _asked(self, asked: Asked) -> str:
        """Ask the callable, and hold its answer to what a fixed issuer is held to."""
        told = self._told(asked) if self._told is not None else ""
        problem = issuer_problem(told) if told else None
        if problem is None and told and urlsplit(told).path.rstrip("/") != f"{asked.root_path}{self._mount}":
            problem = f"its path is not {asked.root_path + self._mount!r}: the metadata would not be found"
        if problem:
            raise ValueError(f"OIDC_ISS_ENDPOINT: the callable returned {told!r}: {problem}")
        return told

    def _at(self, scheme: str, host: str, root_path: str) -> str:
        """Return an issuer on a host if that is loopback, SERVER_NAME or one of TRUSTED_HOSTS; else on a safe one."""
        # Never the header itself: it may be `evil.example@localhost`.
        origin = origin_of(f"{scheme}://{host}") or ""
        parts = urlsplit(origin)
        name = parts.hostname or ""
        if not is_loopback_host(name) and not self._is_trusted(name, parts.netloc):
            origin = f"{scheme}://{self._app.config.get('SERVER_NAME') or '127.0.0.1'}"
            if name and not self._warned:
                self._warned = True
                log.warning(
                    "the host %r is not trusted, so the issuer is %s%s; set OIDC_ISS_ENDPOINT to the "
                    "public URL, e.g. 'https://%s%s', or name the host in TRUSTED_HOSTS",
                    name,
                    origin,
                    self._mount,
                    name,
                    self._mount,
                )
        return f"{origin}{root_path}{self._mount}"

    def _is_trusted(self, name: str, netloc: str) -> bool:
        """Compare a host with SERVER_NAME and TRUSTED_HOSTS, where a leading dot means subdomains too, as in Flask."""
        trusted = self._app.config.get("TRUSTED_HOSTS") or ()
        listed = (trusted,) if isinstance(trusted, str) else trusted
        for entry in (self._app.config.get("SERVER_NAME") or "", *listed):
            wanted = entry.lower()
            if name and wanted in (name, netloc):
                return True
            domain = wanted.partition(":")[0]
            if domain.startswith(".") and f".{name}".endswith(domain):
                return True
        return False

    def redirect_home(self) -> Response | None:
        """Send a page visited under another host name to the issuer's, once (a cookie stops loops behind proxies)."""
        if not self.fixed or request.method != "GET":
            return None
        home = urlsplit(self.fixed)
        if request.host == home.netloc or self._cookie in request.cookies:
            return None
        path = request.full_path if request.query_string else request.path
        response = cast("Response", redirect(f"{self.root_of(self.fixed)}{path}"))
        response.set_cookie(
            self._cookie, "1", max_age=_REDIRECTED_COOKIE_SECONDS, httponly=True, samesite="Lax"
        )
        return response
