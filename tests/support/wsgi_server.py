"""Werkzeug's server in a thread, for tests with a browser."""

import threading
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler, make_server


class Quiet(WSGIRequestHandler):
    """Says nothing of what it is asked."""

    def log(self, *_, **__):
        """Say nothing."""


def whole(application):
    """Answer at once: the server leaves an answer open where the browser is gone before all of it is sent."""

    def answer(environ, start_response):
        parts = application(environ, start_response)
        try:
            return [b"".join(parts)]
        finally:
            getattr(parts, "close", bool)()

    return answer


@contextmanager
def serving(application, port=0, fd=None):
    """Serve an application on a loopback port, or on a socket that listens, until the end of the block."""
    server = make_server("127.0.0.1", port, whole(application), threaded=True, request_handler=Quiet, fd=fd)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
