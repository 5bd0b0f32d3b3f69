"""What programs measure in their own process: a provider with every room, two clients, and requests made by hand."""

from __future__ import annotations

import base64
import hashlib
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask

from portula import Provider, hookimpl
from portula.host.modes import storage_check_deferred
from portula.plugin import (
    AccessToken,
    Application,
    Authorization,
    Grant,
    RefreshToken,
)
from portula_storage_sql import migrate
from portula_storage_sql.engine import make_engine, parse_url
from portula_testing.memory import MemoryStore

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from sqlalchemy import Engine

POSTGRESQL = "PORTULA_TEST_POSTGRESQL_URL"
"""Address of a server on which a database may be made and dropped."""

CALLBACK = "https://app.example.com/callback"
SETTINGS: dict[str, Any] = {
    "OIDC_ISS_ENDPOINT": "https://id.example.com/o",
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 600,  # a batch is made before it is timed
    "OIDC_ENABLED": True,
    "PASSWORD_HASH_PROFILE": "testing",  # one account is made; no operation looks at a password
}


class EmptiedStore(MemoryStore):
    """A store in memory that forgets between batches: it has no indexes, and what it scans should not grow."""

    def forget(self) -> None:
        """Drop codes and tokens; clients and people stay."""
        for cls in (Authorization, Grant, AccessToken, RefreshToken):
            self._rows[cls].clear()


class Memory:
    """A plugin that contributes the store in memory."""

    @hookimpl
    def portula_stores(self, provider: Provider) -> dict[str, type[EmptiedStore]]:
        """Contribute it under the name `memory`."""
        return {"memory": EmptiedStore}


@dataclass(frozen=True)
class Party:
    """A registered confidential client and the header it authenticates with."""

    client: Application
    authorization: str


@dataclass
class Deployment:
    """An app with a provider, a person and two clients: `shop` has tokens, `api` asks about them."""

    storage: str
    folder: Path
    plugins: tuple[object, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Start the provider; bring the schema up to date."""
        self.app = Flask("bench", instance_path=str(self.folder), static_folder=None)
        self.app.config.update(
            SECRET_KEY=secrets.token_urlsafe(32), OAUTH2_PROVIDER={**SETTINGS, **self.settings}
        )
        with storage_check_deferred():
            self.provider = Provider(self.app, plugins=self.plugins)
        self.engine: Engine | None = getattr(self.provider.stores.get("storage_sql"), "engine", None)
        if self.engine is not None:
            migrate.upgrade(self.engine, self.provider.stores["storage_sql"].records)
        self.doors: dict[str, WSGIApplication] = {
            "fast": self.provider.wsgi(),
            "Flask": self.app.wsgi_app,
        }
        grants = ("client_credentials", "authorization_code", "refresh_token")
        self.shop = self.party(Application(client_id="", grant_types=grants, redirect_uris=(CALLBACK,)))
        self.api = self.party(Application(client_id="", grant_types=grants[:1], redirect_uris=(CALLBACK,)))

    def party(self, registered: Application) -> Party:
        """Register a client."""
        client, secret = self.provider.clients.create(registered)
        pair = base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()
        return Party(client, f"Basic {pair}")

    def forget(self) -> None:
        """Let the store in memory start each batch empty."""
        for store in self.provider.stores.values():
            if isinstance(store, EmptiedStore):
                store.forget()


def s256(verifier: str) -> str:
    """Return the code_challenge of a code_verifier (RFC 7636 §4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def posted(path: str, party: Party, **form: str) -> WSGIEnvironment:
    """Return the WSGI environment of a POST, with the headers that a client program and a proxy send."""
    body = urlencode(form).encode()
    return {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "id.example.com",
        "HTTP_USER_AGENT": "client/1.0",
        "HTTP_ACCEPT": "application/json",
        "HTTP_ACCEPT_ENCODING": "gzip, deflate",
        "HTTP_CONNECTION": "keep-alive",
        "HTTP_AUTHORIZATION": party.authorization,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def client_credentials(deployment: Deployment, size: int) -> list[WSGIEnvironment]:
    """Return requests of a client for tokens of its own, each good for one call."""
    deployment.forget()
    form = {"grant_type": "client_credentials", "scope": "read write"}
    return [posted("/o/token/", deployment.shop, **form) for _ in range(size)]


def in_memory(folder: Path, *plugins: object) -> Deployment:
    """Return a provider that keeps everything in this process."""
    return Deployment("memory", folder, (Memory(), *plugins), {"STORAGE": "memory"})


@contextmanager
def database(address: str) -> Iterator[str]:
    """Give the address of a database that is made on a PostgreSQL server and dropped again."""
    server, name = make_engine(parse_url(address)), f"portula_bench_{uuid.uuid4().hex[:12]}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        server.dispose()
