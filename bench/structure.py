"""How far a request goes through the code, and how much code there is.

    PYTHONPATH=tests .venv/bin/python bench/structure.py

A request is sent once to warm up and once to be traced. Counted are the files of portula in which a function runs, and
how often one function calls into another distribution: core, or a room.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from compare import HERE, Worker, got
from house.words import lines_of_core, vocabulary
from rich.console import Console
from rich.table import Table


class Trace:
    """The files and the changes of distribution of one request."""

    def __init__(self) -> None:
        """Begin empty."""
        self.files: set[str] = set()
        self.changes = 0
        self._stack: list[str | None] = []

    def __call__(self, frame: FrameType, event: str, _value: object) -> None:
        """Note a call or a return, as `sys.setprofile` gives it."""
        if event == "return" and self._stack:
            self._stack.pop()
        if event != "call":
            return
        path = frame.f_code.co_filename
        inside = path.startswith(str(HERE)) and "/src/" in path
        distribution = path.partition("/src/")[0] if inside else None
        before = next((one for one in reversed(self._stack) if one), None)
        self._stack.append(distribution)
        if inside:
            self.files.add(path)
            self.changes += before is not None and before != distribution


def traced(prepare: Callable[[], Callable[[], object]]) -> Trace:
    """Send a request that `prepare` makes, the second time under the eye of a trace."""
    prepare()()
    send, trace = prepare(), Trace()
    sys.setprofile(trace)
    try:
        send()
    finally:
        sys.setprofile(None)
    return trace


def authorization(worker: Worker) -> Callable[[], object]:
    """Return what sends an authorization request of a person who is signed in and need not be asked."""
    query = "response_type=code&scope=openid+read&code_challenge_method=S256&code_challenge=" + "v" * 43
    path = f"{query}&client_id={worker.app.client.client_id}"

    def send() -> bytes:
        environ = got("/o/authorize/", HTTP_COOKIE=worker.browser, QUERY_STRING=path)
        return b"".join(worker.deployment.app.wsgi_app(environ, lambda *_: lambda _: None))

    return send


def code(worker: Worker) -> Callable[[], object]:
    """Return what redeems a code for tokens, an ID token among them."""
    held: list[dict[str, str]] = []
    post: Any = worker.post
    worker.post = lambda _path, **form: held.append(form) or {}  # type: ignore[method-assign,func-returns-value]
    worker.tokens()
    worker.post = post  # type: ignore[method-assign]
    return lambda: worker.post("/o/token/", **held[0])


def python_lines(*folders: Path) -> int:
    """Return how many lines of Python there are below these folders."""
    return sum(len(path.read_text().splitlines()) for folder in folders for path in folder.rglob("*.py"))


def main() -> None:
    """Print the figures."""
    requests, sizes = Table("request", "files", "calls into another distribution"), Table("what", "figure")
    with tempfile.TemporaryDirectory() as folder:
        worker = Worker(Path(folder), None)
        for name, prepare in {
            "token (code, openid)": lambda: code(worker),
            "token (client credentials)": lambda: worker.prepared("W1 client credentials"),
            "token (refresh)": lambda: worker.prepared("W3 refresh"),
            "authorize": lambda: authorization(worker),
            "introspection": lambda: worker.prepared("W2 introspection"),
            "userinfo": lambda: worker.prepared("W5 userinfo"),
        }.items():
            trace = traced(prepare)
            requests.add_row(name, str(len(trace.files)), str(trace.changes))
    plugins = sorted((HERE / "plugins").iterdir())
    sizes.add_row("lines of core", str(python_lines(HERE / "core/src")))
    sizes.add_row("lines of rooms", str(python_lines(*(room / "src" for room in plugins))))
    sizes.add_row("lines of portula-testing", str(python_lines(HERE / "testing/src")))
    tests = (HERE / "tests", HERE / "core/tests", *(room / "tests" for room in plugins))
    sizes.add_row("lines of tests", str(python_lines(*tests)))
    for room in plugins:
        if vocabulary(room):
            sizes.add_row(f"lines of core with words of {room.name}", str(len(lines_of_core(HERE, room))))
    console = Console()
    console.print(requests)
    console.print(sizes)


if __name__ == "__main__":
    main()
