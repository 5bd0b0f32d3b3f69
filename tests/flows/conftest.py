"""One server for all flows, and the people and clients on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.server import Server, running

USER, PASSWORD = "ann", "correct horse battery staple"
REDIRECT_URI = "https://client.example/callback"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`portula serve` on SQLite, with a user `ann`."""
    folder: Path = tmp_path_factory.mktemp("server") / "data"
    with running(folder) as running_server:
        running_server.create_user(USER, PASSWORD)
        yield running_server
