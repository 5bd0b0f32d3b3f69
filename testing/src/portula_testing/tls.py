"""https on loopback, for tests: a certificate authority of their own, and a server that answers as it is told."""

from __future__ import annotations

import datetime as dt
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socket import SHUT_RDWR, socket
from typing import Any, Self
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK_NAMES = ("localhost", "127.0.0.1")
PATIENCE_SECONDS = 10
"""How long the server waits for a client that says nothing."""

_DAY = dt.timedelta(days=1)


class Authority:
    """A certificate authority that nobody trusts but who is given its `pem`."""

    def __init__(self, name: str = "portula testing authority") -> None:
        """Make its key and its certificate (RFC 5280)."""
        self._key = generate_private_key(SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        public = self._key.public_key()
        self._certificate = (
            _builder(self._name, self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, SHA256())
        )

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return self._certificate.public_bytes(Encoding.PEM)

    def write(self, folder: Path) -> Path:
        """Write its certificate into a folder and return the file, for settings that name a CA bundle."""
        path = folder / "authority.pem"
        path.write_bytes(self.pem)
        return path

    def issue(self, folder: Path, *names: str, client: bool = False) -> tuple[Path, Path]:
        """Write the certificate and the key of a server, or a client, into a folder and return both files (PEM).

        Args:
            folder: where they are written, named after the first name.
            names: host names and addresses the certificate is for; loopback when there are none.
            client: whether it is shown by a client.
        """
        use = ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH
        names = names or LOOPBACK_NAMES
        key = generate_private_key(SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = (
            _builder(subject, self._name, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, SHA256())
        )
        stem = names[0].replace(":", "_")
        paths = folder / f"{stem}.pem", folder / f"{stem}-key.pem"
        paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
        paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        paths[1].chmod(0o600)
        return paths


def _builder(subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + 30 * _DAY)
    )


def _usage(**uses: bool) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{use: uses.get(use, False) for use in every})


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request that reached the server."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    server_name: str | None
    """What TLS named (RFC 6066 §3); None for an address."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answers."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[bytes] = b""
    """Bytes are sent with their length; pieces one by one without, until the connection is closed."""

    @classmethod
    def json(cls, document: object, **headers: str) -> Reply:
        """Return a document as JSON; further headers are given with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return cls(200, {"Content-Type": "application/json", **named}, json.dumps(document).encode())


class HttpsServer:
    """An https server on a loopback port, in threads of this process.

    Example:
        with HttpsServer(authority, folder) as server:
            server.routes["/keys"] = lambda asked: Reply(body=b"{}")
            fetcher.get(f"{server.url}/keys", accept=())
    """

    def __init__(self, authority: Authority, folder: Path, *names: str) -> None:
        """Take who signs the certificate, a folder for it, and its names; see `Authority.issue`."""
        self.routes: dict[str, Callable[[ReceivedRequest], Reply]] = {}
        """Path to what answers there; other paths are answered 404."""
        self.asked: list[ReceivedRequest] = []
        """Every request, in the order of arrival."""
        self.closing = threading.Event()
        """Set when the server is about to stop: what makes it slow waits for this with a timeout, and never sleeps."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue(folder, *names))
        context.sni_callback = _note_server_name
        self._server = _Server(("127.0.0.1", 0), partial(_Handler, self), context)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_port

    @property
    def url(self) -> str:
        """Its address, by name, without a slash at the end."""
        return f"https://localhost:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections were made to it, whatever came of them."""
        return self._server.accepted

    def answer(self, path: str, *replies: Reply) -> str:
        """Answer a path with these in turn, the last again and again; return its URL."""
        left = list(replies)
        self.routes[path] = lambda _request: left.pop(0) if len(left) > 1 else left[0]
        return f"{self.url}{path}"

    def slowly(self, piece: bytes, seconds: float, pause: float = 0.05) -> Iterator[bytes]:
        """Yield a piece again and again for so many seconds, with a pause before each."""
        for _ in range(round(seconds / pause)):
            if self.closing.wait(pause):
                return
            yield piece

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop, and leave neither thread nor connection behind."""
        self.closing.set()
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()


_SERVER_NAMES = "portula_server_name"


def _note_server_name(connection: Any, name: str | None, _context: ssl.SSLContext) -> None:
    setattr(connection, _SERVER_NAMES, name)


class _TlsSocket(ssl.SSLSocket):
    """A socket that can be told what TLS named."""


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close waits for them
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], handler: Any, context: ssl.SSLContext) -> None:
        context.sslsocket_class = _TlsSocket
        self._context = context
        self._open: set[socket] = set()
        self.accepted = 0
        super().__init__(address, handler)

    def get_request(self) -> tuple[socket, Any]:
        plain, peer = super().get_request()
        self.accepted += 1
        plain.settimeout(PATIENCE_SECONDS)
        connection = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        self._open.add(connection)
        return connection, peer

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        for connection in list(self._open):
            with _whatever():
                socket.shutdown(connection, SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are what is tested."""


@contextmanager
def _whatever() -> Iterator[None]:
    try:
        yield
    except OSError:
        return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, owner: HttpsServer, *arguments: Any) -> None:
        self._owner = owner
        super().__init__(*arguments)

    def answer(self) -> None:
        self.close_connection = True
        place = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        named = getattr(self.connection, _SERVER_NAMES, None)
        asked = ReceivedRequest(self.command, place.path, place.query, headers, body, named)
        self._owner.asked.append(asked)
        handler = self._owner.routes.get(place.path)
        self._send(handler(asked) if handler else Reply(404))

    do_GET = do_POST = answer  # noqa: N815 - the names that http.server calls

    def _send(self, reply: Reply) -> None:
        pieces = (reply.body,) if isinstance(reply.body, bytes) else reply.body
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, bytes) and "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in pieces:
            self.wfile.write(piece)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server names it so
        """Say nothing: stderr belongs to the test."""
