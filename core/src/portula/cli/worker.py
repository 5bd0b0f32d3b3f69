"""The worker processes of `portula serve`: forks of the parent, and never longer there than it."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import uvicorn

from portula.cli.edge import IDLE_SECONDS, LINGER_SECONDS, Connection, EdgeServer
from portula.cli.gate import WAITING_SECONDS, Gate, ServedApplication
from portula.cli.serve import PreparedServer, ServeOptions, tls_context, wsgi_of
from portula.cli.supervisor import Supervisor, Times
from portula.cli.threads import Threads
from portula.host.logs import configure_logging
from portula.model.errors import ConfigError

log = logging.getLogger("portula")

THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)
"""Threads that answer requests: a slow password hash holds up only one. More would only change places."""

LIGHT_THREADS = 2
"""Further ones for what needs no storage, so that it is answered while the others wait for a database that hangs."""

OBJECTS_BETWEEN_COLLECTIONS = 5_000
"""Objects that a worker makes before Python looks for cycles among them: at its 700 that takes 7 % of a request."""

LONGEST_PAUSE = 10.0
"""Seconds between two attempts to open a provider whose storage does not answer."""


def open_in_time(gate: Gate, make: Callable[[], ServedApplication], tried: Callable[[], object]) -> None:
    """Open the gate to the application that `make` returns, asking it again until it does; never gives up.

    Args:
        gate: answers 503 until then.
        make: returns the application, or raises.
        tried: called after each attempt.
    """
    pause, reported = 0.5, ""
    while True:
        try:
            served = make()
        except ConfigError as error:
            reason = "; ".join(error.findings)
        except Exception as error:  # a plugin's, or a driver's: the worker answers 503 and tries again
            log.debug("the provider does not open", exc_info=True)
            reason = f"{type(error).__name__}: {error}"
        else:
            gate.open_to(served)
            if reported:
                log.warning("worker %d answers again", os.getpid())
            tried()
            return
        tried()
        if reason != reported:
            log.error("worker %d answers 503 until this is mended: %s", os.getpid(), reason)
            reported = reason
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


class Lifeline:
    """The socket to the parent: a beat goes up each second, and it ends when the parent does."""

    def __init__(self, line: socket.socket) -> None:
        """Take this end of the socket."""
        self._line = line

    def beat(self) -> None:
        """Tell the parent that requests are answered."""
        with suppress(OSError):  # full, so that the parent has enough to read; or the parent is gone
            self._line.send(b".", socket.MSG_DONTWAIT)

    def watch(self, stop: Callable[[], None], stop_seconds: float) -> None:
        """Wait for the end of the parent; then stop, and end in any case after `stop_seconds`."""
        with suppress(OSError):
            while self._line.recv(1):
                pass
        stop()
        time.sleep(stop_seconds)
        logging.shutdown()
        os._exit(1)


def _in_background(target: Callable[..., None], *arguments: object) -> None:
    threading.Thread(target=target, args=arguments, daemon=True).start()


def _config(gate: Gate, options: ServeOptions) -> uvicorn.Config:
    return uvicorn.Config(
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
        timeout_graceful_shutdown=max(1, int(options.stop_timeout - LINGER_SECONDS - 1)),
    )


def run(prepared: PreparedServer) -> None:
    """Let workers serve until this process is told to stop."""
    options = prepared.options
    for store in prepared.provider.stores.values():
        close = getattr(store, "close", None)
        if close is not None:
            close()  # no connection is shared with a worker
    gc.collect()
    gc.freeze()  # what is there for good is neither looked through nor copied by the workers
    times = Times(hang=options.hang_timeout, stop=options.stop_timeout)
    Supervisor(partial(serve, prepared), prepared.listener, options.workers, times).run()


def serve(prepared: PreparedServer, listener: socket.socket, line: socket.socket) -> None:
    """Serve until the parent says stop or is gone.

    Args:
        prepared: by the parent, of which this process is a fork.
        listener: a socket that listens and does not block.
        line: this end of the socket to the parent.
    """
    options, provider, lifeline = prepared.options, prepared.provider, Lifeline(line)
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    configure_logging(provider.core_settings, whole_process=True)  # the thread that writes is not in a fork
    threads = Threads(THREADS)
    gate = Gate(
        threads,
        Threads(LIGHT_THREADS),
        body_seconds=options.body_timeout,
        multiprocess=options.workers > 1,
        health_path=provider.core_settings.HEALTH_PATH,
        access_log=options.access_log,
    )

    def beat() -> None:
        if threads.longest() < options.hang_timeout / 2:
            lifeline.beat()

    def open_provider() -> ServedApplication:
        provider.check_storage()
        return ServedApplication(
            wsgi_of(options, provider),
            provider.core_settings.MAX_BODY_BYTES,
            provider.machine_endpoints.needs_no_storage,
        )

    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # else a line for whatever a stranger sends
    server = EdgeServer(
        _config(gate, options),
        gate,
        listener,
        tls=tls_context(options),
        busy_seconds=options.body_timeout + WAITING_SECONDS + options.hang_timeout,
        begin=lambda tried: _in_background(open_in_time, gate, open_provider, tried),
        beat=beat,
    )
    _in_background(lifeline.watch, server.stop, options.stop_timeout)
    asyncio.run(server.serve())
    if threads.longest():
        logging.shutdown()
        os._exit(1)  # a request hangs, and with it its thread
