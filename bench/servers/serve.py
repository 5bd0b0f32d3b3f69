"""Serves a WSGI application as `portula serve` does: its parent, its web server, its threads.

    serve.py FILE:FACTORY PORT WORKERS ARGUMENTS

FACTORY is called in each worker with ARGUMENTS, a JSON object. Of portula nothing is imported but the server, so that
an application of others pays for no more than that.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

BACKLOG = 1024
BODY_SECONDS, BUSY_SECONDS, STOP_SECONDS, HANG_SECONDS = 10, 60, 9, 60
THREADS, LIGHT_THREADS = min(8, 2 * (os.cpu_count() or 1) + 1), 2
MAX_BODY_BYTES = 64 * 1024
OBJECTS_BETWEEN_COLLECTIONS = 5_000


def made(place: str, arguments: dict[str, Any]) -> WSGIApplication:
    """Return the application that FILE:FACTORY makes."""
    file, _, name = place.rpartition(":")
    sys.path.insert(0, str(Path(file).parent))
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    factory: Callable[..., WSGIApplication] = getattr(module, name)
    return factory(**arguments)


def work(place: str, workers: str, arguments: str, listener: socket.socket, lifeline: socket.socket) -> None:
    """Be one worker."""
    import uvicorn

    from portula.cli.edge import IDLE_SECONDS, Connection, EdgeServer
    from portula.cli.gate import Gate, ServedApplication
    from portula.cli.threads import Threads

    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    gate = Gate(
        Threads(THREADS), Threads(LIGHT_THREADS), body_seconds=BODY_SECONDS, multiprocess=int(workers) > 1
    )

    def begin(ready: Callable[[], object]) -> None:
        gate.open_to(ServedApplication(made(place, json.loads(arguments)), MAX_BODY_BYTES))
        ready()

    server = EdgeServer(
        uvicorn.Config(
            gate,
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=IDLE_SECONDS,
        ),
        gate,
        listener,
        tls=None,
        busy_seconds=BUSY_SECONDS,
        begin=begin,
        beat=lambda: lifeline.send(b"."),
    )

    def watch() -> None:
        while lifeline.recv(1):
            pass
        server.stop()
        time.sleep(STOP_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    asyncio.run(server.serve())


def main(place: str, port: str, workers: str, arguments: str) -> None:
    """Be the parent of the workers."""
    from portula.cli.supervisor import Supervisor, Times

    listener = socket.create_server(("127.0.0.1", int(port)), backlog=BACKLOG)
    listener.setblocking(False)
    serve = partial(work, place, workers, arguments)
    Supervisor(serve, listener, int(workers), Times(HANG_SECONDS, STOP_SECONDS)).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
