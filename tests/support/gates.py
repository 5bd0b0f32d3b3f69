"""A gate without a web server: requests as ASGI scopes, answers as they were sent."""

import asyncio

from portula.cli.gate import Gate, ServedApplication
from portula.cli.threads import Threads


def scope_of(method="GET", path=b"/x", headers=(), version="1.1"):
    return {
        "type": "http",
        "method": method,
        "http_version": version,
        "scheme": "http",
        "path": path.decode(),
        "raw_path": path,
        "query_string": b"a=%2F",
        "headers": [(b"host", b"id.example"), *headers],
        "server": ("127.0.0.1", 8000),
        "client": ("192.0.2.7", 4711),
        "state": {},
    }


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response(
        "200 OK", [("Content-Type", "text/plain"), ("X-Length", environ.get("CONTENT_LENGTH", "-"))]
    )
    return [body]


class Client:
    """What a web server tells and hears."""

    def __init__(self, *messages):
        self.messages = list(messages)
        self.sent = []

    async def receive(self):
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)

    async def send(self, message):
        self.sent.append(message)

    @property
    def status(self):
        return self.sent[0]["status"] if self.sent else None

    @property
    def headers(self):
        return dict(self.sent[0]["headers"])

    @property
    def body(self):
        return self.sent[1]["body"]


def part(body, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def make_gate(application=echo, *, threads=1, body_seconds=1.0, max_body=100, **options):
    gate = Gate(Threads(threads), Threads(1), body_seconds=body_seconds, multiprocess=False, **options)
    if application:
        gate.open_to(ServedApplication(application, max_body, lambda path: path == "/light"))
    return gate


def ask(gate, scope, *messages):
    client = Client(*messages)
    asyncio.run(gate(scope, client.receive, client.send))
    return client
