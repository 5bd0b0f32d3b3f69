"""The redirect URI of the client: a server on loopback, for one answer (RFC 8252 §7.3)."""

from __future__ import annotations

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import click

PATH = "/callback"
PAGE = b"<!doctype html><html lang=en><title>Done</title><p>Done. You can close this page and go back to the terminal."


class Callback:
    """A loopback address that takes one authorization response."""

    def __init__(self) -> None:
        """Listen on a port that the system chooses."""
        self._answers: SimpleQueue[dict[str, str]] = SimpleQueue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self._answers))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The redirect URI."""
        return f"http://127.0.0.1:{self._server.server_port}{PATH}"

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> dict[str, str]:
        """Return the parameters with which the browser comes.

        Raises:
            ClickException: it does not come in time.
        """
        try:
            return self._answers.get(timeout=seconds)
        except Empty:
            raise click.ClickException("nobody came back from the browser") from None


class _Handler(BaseHTTPRequestHandler):
    timeout = 30

    def __init__(self, answers: SimpleQueue[dict[str, str]], *args: object) -> None:
        self._answers = answers
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Take what comes to the path, and show a page."""
        parts = urlsplit(self.path)
        found = parts.path == PATH
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        if found:
            self.wfile.write(PAGE)
            self._answers.put(dict(parse_qsl(parts.query)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
        """Say nothing."""
