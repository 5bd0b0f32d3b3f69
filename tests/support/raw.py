"""HTTP as no client library would send it: bytes on a socket, and what came back."""

import socket
import struct
import time
from contextlib import suppress
from typing import Self

import httpx

from support.server import Server

PATIENCE = 10.0


class Wire:
    """One connection to a server."""

    def __init__(self, server: Server) -> None:
        port = int(server.url.rpartition(":")[2])
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)

    def send(self, *parts: bytes) -> Self:
        """Send bytes; a peer that closed already is no failure."""
        with suppress(OSError):
            self.socket.sendall(b"".join(parts))
        return self

    def end(self) -> Self:
        """Say that nothing more comes, and go on listening."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def read(self) -> bytes:
        """Return all that comes until the server closes."""
        parts = []
        while True:
            try:
                part = self.socket.recv(65536)
            except ConnectionResetError:
                break
            if not part:
                break
            parts.append(part)
        self.socket.close()
        return b"".join(parts)

    def statuses(self) -> list[int]:
        """Return the status of each answer, read until the server closes."""
        return [int(part[:3]) for part in self.read().split(b"HTTP/1.1 ")[1:]]

    def give_up(self, *, abruptly: bool) -> None:
        """Close the connection: with a reset, or in peace."""
        if abruptly:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def head(*lines: str, path: str = "/o/token/", method: str = "POST") -> bytes:
    """Return the head of a request with these further lines."""
    given = [f"{method} {path} HTTP/1.1", "Host: id.example", *lines]
    return "".join(f"{line}\r\n" for line in (*given, "")).encode()


def answers(server: Server) -> float:
    """Ask as an honest client does, and return the seconds it took."""
    began = time.monotonic()
    told = httpx.post(f"{server.issuer}/token/", data={"grant_type": "client_credentials"}, timeout=PATIENCE)
    assert (told.status_code, told.json()["error"]) == (401, "invalid_client")
    return time.monotonic() - began
