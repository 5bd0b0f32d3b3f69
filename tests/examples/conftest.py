"""The examples, each copied away from the tree so that its database is made elsewhere."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from support.server import free_port, wait_until_up

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SECRET_KEY = "a secret key of the examples' own"


class Example:
    """One example in a folder of its own."""

    def __init__(self, name: str, folder: Path) -> None:
        self.folder = folder / name
        shutil.copytree(
            EXAMPLES / name, self.folder, ignore=shutil.ignore_patterns("instance", "__pycache__")
        )
        self.readme = (self.folder / "README.md").read_text(encoding="utf-8")

    @property
    def commands(self) -> str:
        """What the README tells to type, a line broken by a backslash made whole."""
        blocks = re.findall(r"```sh\n(.*?)```", self.readme, re.DOTALL)
        return "".join(blocks).replace("\\\n  ", "")

    @contextmanager
    def running(self, **settings: str) -> Iterator[str]:
        """Run it as the README says, on a port of its own; give its URL."""
        line = next(line for line in self.commands.splitlines() if line.startswith("flask --app app run"))
        port = free_port()
        arguments = (
            line.replace("--port 5000", f"--port {port}").replace("--port 5001", f"--port {port}").split()
        )
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            env=self.environment(**settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            wait_until_up(process, f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=20)

    def environment(self, **settings: str) -> dict[str, str]:
        return {**os.environ, "FLASK_SECRET_KEY": SECRET_KEY, "COLUMNS": "300", **settings}

    def create_client(self) -> tuple[str, str]:
        """Type the README's `createapplication`; return client_id and client_secret as printed."""
        line = next(line for line in self.commands.splitlines() if "createapplication" in line)
        done = subprocess.run(
            [sys.executable, "-m", *line.replace('"', "").split()],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            check=True,
            text=True,
            timeout=60,
        )
        printed = {
            cells[0]: cells[-1]
            for row in done.stdout.splitlines()
            if len(cells := row.replace("│", " ").split()) >= 2
        }
        return printed["client_id"], printed["client_secret"]


@pytest.fixture
def example(tmp_path: Path) -> Callable[[str], Example]:
    return lambda name: Example(name, tmp_path)


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], ModuleType]]:
    """Import the app of an example into this process, anew each time."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("FLASK_SECRET_KEY", SECRET_KEY)

        def load_app(name: str) -> ModuleType:
            path = Example(name, tmp_path_factory.mktemp("example")).folder / "app.py"
            spec = importlib.util.spec_from_file_location(f"example_{name}", path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            monkeypatch.setitem(sys.modules, spec.name, module)
            spec.loader.exec_module(module)
            return module

        yield load_app


@pytest.fixture
def get_token() -> Callable[..., str]:
    """Get a token as the READMEs do it with curl."""

    def ask(url: str, client: tuple[str, str], scope: str) -> str:
        form = {"grant_type": "client_credentials", "scope": scope}
        answer: Any = httpx.post(f"{url}/o/token/", auth=client, data=form).raise_for_status().json()
        return str(answer["access_token"])

    return ask
