"""One server for all flows, a person on it, and a browser in their hands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import Browser
from support.server import Server, running


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`portula serve` on SQLite, with a user `ann`."""
    folder: Path = tmp_path_factory.mktemp("server") / "data"
    with running(folder) as running_server:
        running_server.create_user("ann", "correct horse battery staple")
        yield running_server


@pytest.fixture
def browser(server: Server) -> Iterator[Browser]:
    """A browser that has not been there before."""
    with Browser(server.url) as fresh:
        yield fresh
