"""The stand-alone provider: an app made of options, and the server that runs it.

Keys and migrations are made once, in the parent process; each worker then makes its own app from the same options.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from portula.host.declarations import HostHooks
from portula.host.modes import third_party_plugins
from portula.model.errors import ConfigError
from portula.model.uris import is_loopback_host
from portula.web.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIApplication

OPTIONS_VARIABLE = "PORTULA_SERVE_OPTIONS"
"""Environment variable that hands the options to workers, as JSON."""

ISSUER_FILE = "issuer"
SECRET_KEY_FILE = "secret_key"
BLOCKING_THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)
"""Threads a worker answers requests with: a slow password hash holds up only one. More would only change places."""

_ANY_HOST = ("0.0.0.0", "::")  # noqa: S104 - recognised, not bound


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
    demo: bool = False
    passing: bool = False
    """Whether the app is made only to look at, e.g. for `--help`: no key is made, and no folder."""
    only: tuple[str, ...] | None = None
    """Installed plugins not ours that may take part; None for all."""
    serving: bool = False
    """Whether this is the server; commands beside it take the issuer that the server left in the data folder."""

    @property
    def folder(self) -> Path:
        """The data folder; the demo has one of its own, so that it never touches real data."""
        root = Path(self.data_dir).resolve()
        return root / "demo" if self.demo else root


def make_app(options: ServeOptions) -> tuple[Flask, Provider]:
    """Make the app and its provider.

    Raises:
        ConfigError: with every finding.
    """
    app = Flask("portula", instance_path=str(options.folder), static_folder=None)
    if options.config:
        app.config.from_pyfile(str(Path(options.config).resolve()))
    app.config.from_prefixed_env()
    settings = dict(app.config.get("OAUTH2_PROVIDER", {}))
    if options.database_url:
        settings["DATABASE_URL"] = options.database_url
    if options.trusted_proxies is not None:
        settings["TRUSTED_PROXIES"] = options.trusted_proxies
    settings["OIDC_ISS_ENDPOINT"] = _issuer(options, settings)
    if not settings.get("SECRET_KEYS") and not app.config.get("SECRET_KEY"):
        key = secrets.token_urlsafe(48) if options.passing else _secret_key(options.folder)
        settings["SECRET_KEYS"] = (key,)
    app.config["OAUTH2_PROVIDER"] = settings
    with third_party_plugins(options.only):
        provider = Provider(app, stand_alone=True)

    @app.get("/")
    def home() -> Response:
        return provider.pages.render(
            "portula/home.html",
            issuer=provider.issuer,
            paths=sorted(provider.door.paths),
            received=request.args.to_dict() if options.demo else {},
        )

    return app, provider


def _issuer(options: ServeOptions, settings: dict[str, Any]) -> str | Callable[[Any], str]:
    """Return the issuer, fixed at start: told, configured, or made of a loopback address."""
    told: str | Callable[[Any], str] | None = options.issuer or settings.get("OIDC_ISS_ENDPOINT")
    if told:
        return told
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


def _secret_key(folder: Path) -> str:
    """Return the key of the data folder, making it readable to nobody else when it is not there yet."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / SECRET_KEY_FILE
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    return path.read_text().strip()


def prepare(options: ServeOptions) -> tuple[ServeOptions, Provider, dict[str, str]]:
    """Do what is done once, in the parent: keys, migrations, demo data. Return options that no worker need guess at.

    Raises:
        ConfigError: the configuration does not stand, or the port is taken.
    """
    if bool(options.tls_cert) != bool(options.tls_key):
        raise ConfigError("--tls-cert and --tls-key: give both or neither")
    address = _free_address(options)
    app, provider = make_app(options)
    (options.folder / ISSUER_FILE).write_text(f"{provider.issuer}\n")
    with app.app_context():
        lines = provider.hooks.collect(HostHooks.portula_demo) if options.demo else {}
    return replace(options, issuer=provider.issuer, host=address), provider, lines


def _free_address(options: ServeOptions) -> str:
    """Return the address to listen on, which a name such as `localhost` stands for; nobody may listen there yet."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((options.host, options.port))
        except OSError as error:
            raise ConfigError(f"--host {options.host} --port {options.port}: {error.strerror}") from error
        return str(probe.getsockname()[0])


def application() -> WSGIApplication:
    """Make a worker's application from the options in the environment; granian calls this in each worker."""
    given = json.loads(os.environ[OPTIONS_VARIABLE])
    given["only"] = None if given["only"] is None else tuple(given["only"])
    _, provider = make_app(ServeOptions(**given))
    return provider.wsgi()


def run(options: ServeOptions) -> None:
    """Serve until told to stop."""
    from granian import Granian
    from granian.constants import Interfaces, SSLProtocols
    from granian.log import LogLevels

    os.environ[OPTIONS_VARIABLE] = json.dumps(asdict(options))
    Granian(
        "portula.cli.serve:application",
        factory=True,
        interface=Interfaces.WSGI,
        address=options.host,
        port=options.port,
        workers=options.workers,
        blocking_threads=BLOCKING_THREADS,
        respawn_failed_workers=True,
        websockets=False,
        log_level=LogLevels.warning,
        ssl_cert=Path(options.tls_cert) if options.tls_cert else None,
        ssl_key=Path(options.tls_key) if options.tls_key else None,
        ssl_protocol_min=SSLProtocols.tls12,
    ).serve()
