"""The stand-alone provider: an app made of options, and the server that runs it.

Keys, migrations and the app are made once, in the parent process, of which each worker is a fork.
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException

from portula.cli.config_file import dictionary_of, read_config_file
from portula.cli.folder import (
    ISSUER_FILE,
    NoProviderThere,
    change_of_issuer,
    files_of_a_provider,
    keep_config,
    keep_issuer,
    lock_demo,
    make_private,
    refuse_file,
    refuse_without_config,
    secret_key,
)
from portula.cli.home import home_page
from portula.host.checks import Finding, Level
from portula.host.commands import FOR_AN_APP
from portula.host.declarations import HostHooks
from portula.host.modes import storage_check_deferred, third_party_plugins
from portula.model.errors import ConfigError, EmptySlot, StorageDown
from portula.model.uris import is_loopback_host
from portula.web import report
from portula.web.provider import Provider

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

T = TypeVar("T")

BACKLOG = 1024
"""Connections that wait in the kernel to be accepted."""

_ANY_HOST = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound
_WEB_SERVER = ("uvicorn", "httptools")

_TEXTS = ("SECRET_KEY", "SERVER_NAME", "SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH", "APPLICATION_ROOT")
"""Flask's settings that are text, whatever the text in the environment looks like."""

_SETTING_PREFIX = "FLASK_OAUTH2_PROVIDER__"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What `portula serve` and the commands beside it are told. Empty means: by configuration or default."""

    config: str | None = None
    data_dir: str = "portula-data"
    database_url: str | None = None
    issuer: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    trusted_proxies: int | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_client_ca: str | None = None
    body_timeout: float = 10.0
    stop_timeout: float = 9.0
    hang_timeout: float = 60.0
    allow_errors: bool = False
    access_log: bool = False
    demo: bool = False
    passing: bool = False
    """Whether the app is made only to look at, e.g. for `--help`: no key is needed, and no folder."""
    only: tuple[str, ...] | None = None
    """Installed plugins not ours that may take part; None for all."""
    serving: bool = False
    """Whether this is the server; commands beside it take the issuer that the server left in the data folder."""
    creating: bool = False
    """Whether a data folder is made where there is none."""

    @property
    def folder(self) -> Path:
        """The data folder; the demo has one of its own, so that it never touches real data."""
        root = Path(self.data_dir).resolve()
        return root / "demo" if self.demo else root


@dataclass(frozen=True, slots=True)
class PreparedServer:
    """What the parent knows before the first worker starts."""

    options: ServeOptions
    """As given, with nothing left that a worker would guess at."""
    provider: Provider
    listener: socket.socket
    demo: dict[str, str]
    """What the demo prints: label to text."""
    warnings: list[str]
    """What the operator is told beside."""
    lock: IO[str] | None = None
    """The demo's lock on its folder: it ends with the last process that has it."""


def make_app(options: ServeOptions) -> tuple[Flask, Provider]:
    """Make the app and its provider.

    Raises:
        NoProviderThere: none was made in the data folder, and none is to be made.
        StorageDown: the storage does not answer.
        ConfigError: with every finding.
    """
    app = Flask("portula", instance_path=str(options.folder), static_folder=None)
    app.url_map.merge_slashes = (
        False  # no path is worth a redirect, whose address would be of the Host header
    )
    if options.config:
        read_config_file(app, Path(options.config).resolve())
    elif not options.passing:
        refuse_without_config(options.folder)
    settings = _from_environment(app)
    if options.database_url:
        settings["DATABASE_URL"] = options.database_url
    if options.trusted_proxies is not None:
        settings["TRUSTED_PROXIES"] = options.trusted_proxies
    settings["OIDC_ISS_ENDPOINT"] = _issuer(options, settings)
    _open_folder(options, app, settings)
    app.config["OAUTH2_PROVIDER"] = settings
    with third_party_plugins(options.only):
        try:
            provider = Provider(app, stand_alone=True, demo=options.demo)
        except EmptySlot as error:
            raise EmptySlot(*error.findings, FOR_AN_APP) from error
    if options.config and options.creating:
        keep_config(options.folder, Path(options.config).resolve())
    app.register_error_handler(HTTPException, provider.pages.http_error)
    app.add_url_rule("/", "home", lambda: home_page(provider))
    return app, provider


def mounted_at(root_path: str, application: WSGIApplication) -> WSGIApplication:
    """Return the application mounted at a path (SCRIPT_NAME), which the proxy in front may leave on or strip."""
    if not root_path:
        return application

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == root_path or path.startswith(f"{root_path}/"):
            environ["PATH_INFO"] = path.removeprefix(root_path) or "/"
        environ["SCRIPT_NAME"] = root_path
        return application(environ, start_response)

    return call


def wsgi_of(options: ServeOptions, provider: Provider) -> WSGIApplication:
    """Return what answers requests; with TLS it tells browsers to come by https from now on (RFC 6797 §7.1).

    Not on loopback, where all servers of a developer share one name.
    """
    application = mounted_at(provider.root_path, provider.wsgi())
    seconds = provider.core_settings.HSTS_SECONDS
    host = urlsplit(provider.issuer).hostname or ""
    if not options.tls_cert or not seconds or is_loopback_host(host):
        return application
    header = ("Strict-Transport-Security", f"max-age={seconds}")

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            return start_response(status, [*headers, header], *failure)

        return application(environ, cast("StartResponse", start))

    return call


def _from_environment(app: Flask) -> dict[str, Any]:
    """Read the variables that begin with FLASK_, and return the settings of the provider.

    Flask reads their values as JSON. What is text stays text here, though it may be digits only; where a setting is a
    number, pydantic reads it from the text.
    """
    app.config.from_prefixed_env()
    for name in _TEXTS:
        text = os.environ.get(f"FLASK_{name}")
        if text is not None and not isinstance(app.config[name], str):
            app.config[name] = text
    settings = dict(dictionary_of(app))
    for variable, text in os.environ.items():
        name = variable.removeprefix(_SETTING_PREFIX)
        value = settings.get(name) if name != variable else None
        if isinstance(value, int | float) and not isinstance(value, bool):
            settings[name] = text
    return settings


def _open_folder(options: ServeOptions, app: Flask, settings: dict[str, Any]) -> None:
    """Make or find the data folder, and take the secret key from it unless one is configured."""
    keyed = bool(settings.get("SECRET_KEYS") or app.config.get("SECRET_KEY"))
    if options.passing:
        if not keyed:
            settings["SECRET_KEYS"] = (secrets.token_urlsafe(48),)
        return
    refuse_file(options.folder)
    if options.creating:
        make_private(Path(options.data_dir).resolve())
        make_private(options.folder)
    elif not settings.get("DATABASE_URL") and not files_of_a_provider(options.folder):
        raise NoProviderThere(options.folder)
    if not keyed:
        own = not settings.get("DATABASE_URL")
        key = secret_key(options.folder, create=options.creating, beside_database=own)
        settings["SECRET_KEYS"] = (key,)


def _issuer(options: ServeOptions, settings: dict[str, Any]) -> str | Callable[[Any], str]:
    """Return the issuer, fixed at start: told, configured, or made of a loopback address."""
    issuer: str | Callable[[Any], str] | None = options.issuer or settings.get("OIDC_ISS_ENDPOINT")
    if issuer:
        return issuer
    if not options.serving and (options.folder / ISSUER_FILE).is_file():
        return (options.folder / ISSUER_FILE).read_text().strip()
    if options.host in _ANY_HOST or not is_loopback_host(options.host):
        raise ConfigError(
            f"--host {options.host}: people reach this server by a name of its own; "
            "say which with --issuer https://NAME/o (or OIDC_ISS_ENDPOINT)"
        )
    scheme = "https" if options.tls_cert else "http"
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"{scheme}://{host}:{options.port}{settings.get('MOUNT_PATH', '/o')}"


def open_standard_input() -> None:
    """Open the standard input where whoever starts this process closed it, so that no socket gets its number."""
    try:
        os.fstat(0)
    except OSError:
        os.open(os.devnull, os.O_RDONLY)


def prepare(options: ServeOptions) -> PreparedServer:
    """Do what is done once, in the parent: the socket, keys, migrations, demo data.

    Raises:
        ConfigError: with every finding: the configuration is invalid, the port is taken, a check found an error.
    """
    findings = _missing(options)
    with ExitStack() as unless_prepared:
        listener = _attempt(findings, lambda: _listen(options))
        if listener is not None:
            unless_prepared.callback(listener.close)
            options = replace(options, port=listener.getsockname()[1])
        _attempt(findings, lambda: tls_context(options))
        opened = _attempt(findings, lambda: _open(options))
        lock = _attempt(findings, lambda: lock_demo(options.folder)) if opened and options.demo else None
        if lock is not None:
            unless_prepared.callback(lock.close)
        if findings or listener is None or opened is None:
            raise ConfigError(*findings)
        app, provider, warnings = opened
        change = change_of_issuer(options.folder, provider.issuer)
        if change and not options.demo and _holds_records(provider):
            warnings = [*warnings, change]
        keep_issuer(options.folder, provider.issuer)
        with app.app_context():
            demo = provider.hooks.collect(HostHooks.portula_demo) if options.demo else {}
        unless_prepared.pop_all()
    return PreparedServer(options, provider, listener, demo, warnings, lock)


def _attempt(findings: list[str], step: Callable[[], T]) -> T | None:
    """Return what a step makes, or None when it cannot; why not goes to the findings."""
    try:
        return step()
    except ConfigError as error:
        findings += error.findings
        return None


def _missing(options: ServeOptions) -> list[str]:
    """Return what this server needs and has not."""
    found = []
    if os.name != "posix":
        found.append(
            "`portula serve` needs a POSIX system; elsewhere run the provider in a Flask app of yours"
        )
    if not all(importlib.util.find_spec(name) for name in _WEB_SERVER):
        found.append("no web server is installed; run `pip install 'portula[server]'`")
    if bool(options.tls_cert) != bool(options.tls_key):
        found.append("--tls-cert and --tls-key: give both or neither")
    if options.tls_client_ca and not options.tls_cert:
        found.append("--tls-client-ca: it needs --tls-cert")
    return found


def _open(options: ServeOptions) -> tuple[Flask, Provider, list[str]]:
    """Make the provider and judge it; return also what the operator is told.

    Raises:
        ConfigError: it is invalid, or a check found an error and errors are not allowed.
    """
    with storage_check_deferred():
        app, provider = make_app(options)
    try:
        provider.check_storage()
    except StorageDown as error:
        if options.demo:
            raise
        waiting = "Requests are answered 503 until it does; neither checks nor migrations were done."
        return app, provider, [*error.findings, waiting]
    with app.app_context():
        found = report.findings(provider)
    errors = [_line_of(finding) for finding in found if finding.level is Level.ERROR]
    if errors and not options.allow_errors:
        raise ConfigError(*errors, "`portula check` says more; --allow-errors serves all the same")
    return (
        app,
        provider,
        [_line_of(finding) for finding in found if finding.at_start or finding.level is Level.ERROR],
    )


def _holds_records(provider: Provider) -> bool:
    """Say whether anything is kept; it is, for all we know, while the storage does not answer."""
    try:
        return any(provider.storage.select(record.cls, limit=1) for record in provider.records)
    except StorageDown:
        return True


def _line_of(finding: Finding) -> str:
    return f"{finding.id}: {finding.summary} {finding.remedy}"


def _listen(options: ServeOptions) -> socket.socket:
    """Return a socket that listens where the options say; `localhost` and the like are looked up, port 0 is any.

    Raises:
        ConfigError: somebody else listens there, or nobody can.
    """
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(f"--host {options.host} --port {options.port}: {error.strerror}") from error
    listener.setblocking(False)
    return listener


def tls_context(options: ServeOptions) -> ssl.SSLContext | None:
    """Return the context of TLS from 1.2 up (RFC 9325 §3.1.1), None for plain HTTP.

    Raises:
        ConfigError: certificate and key cannot be read or do not belong together, or no authority can.
    """
    if not options.tls_cert or not options.tls_key:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(options.tls_cert, options.tls_key, password="")
    except OSError as error:
        files = f"--tls-cert {options.tls_cert} --tls-key {options.tls_key}"
        unread = isinstance(error, ssl.SSLError)
        reason = "not a certificate and its private key, without a passphrase" if unread else error.strerror
        raise ConfigError(f"{files}: {reason}") from error
    if options.tls_client_ca:
        context.verify_mode = ssl.CERT_OPTIONAL
        try:
            context.load_verify_locations(options.tls_client_ca)
        except OSError as error:
            raise ConfigError(
                f"--tls-client-ca {options.tls_client_ca}: no certificates are in it"
            ) from error
    return context
