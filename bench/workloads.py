"""What is measured: a provider with every room on each storage, five operations, and requests ready to be sent."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import Flask
from measure import sent, sent_json

from portula import Plugin, Provider, hookimpl
from portula.host.modes import storage_check_deferred
from portula.plugin import (
    AccessToken,
    Application,
    Authorization,
    Grant,
    OAuthRequest,
    RefreshToken,
    exchange_of,
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

    @cached_property
    def subject(self) -> str:
        """The person for whom codes are issued."""
        login: Any = self.provider.hooks.ask(Plugin.portula_login)
        return str(login.users.create("bench", secrets.token_urlsafe(16)).sub)

    def forget(self) -> None:
        """Let the store in memory start each batch empty."""
        for store in self.provider.stores.values():
            if isinstance(store, EmptiedStore):
                store.forget()

    def code(self, *scopes: str) -> tuple[str, str]:
        """Issue a code as the authorization endpoint does once the person agreed; return it and its verifier."""
        verifier, code = secrets.token_urlsafe(48), secrets.token_urlsafe(32)
        request = OAuthRequest(
            "/o/authorize/",
            body=[
                ("redirect_uri", CALLBACK),
                ("code_challenge", s256(verifier)),
                ("code_challenge_method", "S256"),
            ],
        )
        request.client, request.user = self.shop.client, self.subject
        request.scopes = ["read", "write", *scopes]
        request.using_default_redirect_uri = False
        client_id = self.shop.client.client_id
        self.provider.validator.save_authorization_code(client_id, {"code": code}, request)
        self.provider.storage.apply(exchange_of(request, self.provider).plan)
        return code, verifier

    def tokens(self) -> dict[str, Any]:
        """Let the shop redeem a code."""
        return sent_json(self.doors["fast"], redemption(self))


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


def client_credentials(deployment: Deployment) -> WSGIEnvironment:
    """W1."""
    form = {"grant_type": "client_credentials", "scope": "read write"}
    return posted("/o/token/", deployment.shop, **form)


def redemption(deployment: Deployment) -> WSGIEnvironment:
    """W2."""
    return _redeemed(deployment)


def sign_in(deployment: Deployment) -> WSGIEnvironment:
    """W5: the answer has an ID token."""
    return _redeemed(deployment, "openid")


def _redeemed(deployment: Deployment, *scopes: str) -> WSGIEnvironment:
    code, verifier = deployment.code(*scopes)
    form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
    return posted("/o/token/", deployment.shop, grant_type="authorization_code", **form)


def refresh(deployment: Deployment) -> WSGIEnvironment:
    """W3: the first refresh after the code was redeemed."""
    token = deployment.tokens()["refresh_token"]
    return posted("/o/token/", deployment.shop, grant_type="refresh_token", refresh_token=token)


def introspection(deployment: Deployment) -> WSGIEnvironment:
    """W4: another confidential client asks about a person's token."""
    return posted("/o/introspect/", deployment.api, token=deployment.tokens()["access_token"])


@dataclass(frozen=True)
class Operation:
    """One of the things that are measured."""

    key: str
    name: str
    make: Callable[[Deployment], WSGIEnvironment]
    """Makes one request that was never sent before."""

    def batch(self, deployment: Deployment, size: int) -> list[WSGIEnvironment]:
        """Return requests, each good for one call; what they need is stored."""
        deployment.forget()
        with deployment.app.app_context():
            return [self.make(deployment) for _ in range(size)]

    def answer_size(self, deployment: Deployment) -> int:
        """Return the bytes of an answer."""
        return len(sent(deployment.doors["fast"], self.batch(deployment, 1)[0]))


OPERATIONS = (
    Operation("W1", "client credentials", client_credentials),
    Operation("W2", "code with PKCE", redemption),
    Operation("W3", "refresh, rotating", refresh),
    Operation("W4", "introspection", introspection),
    Operation("W5", "code with PKCE, ID token", sign_in),
)


def in_memory(folder: Path, *plugins: object) -> Deployment:
    """Return a provider that keeps everything in this process."""
    return Deployment("memory", folder, (Memory(), *plugins), {"STORAGE": "memory"})


@contextmanager
def deployments(folder: Path) -> Iterator[list[Deployment]]:
    """Give a provider on each storage: a SQLite file, memory, and PostgreSQL where its address is known."""
    made = [Deployment("SQLite", folder / "sqlite"), in_memory(folder / "memory")]
    address = os.environ.get(POSTGRESQL)
    if address is None:
        yield made
        return
    with database(address) as url:
        made.append(Deployment("PostgreSQL", folder / "postgresql", settings={"DATABASE_URL": url}))
        yield made


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
