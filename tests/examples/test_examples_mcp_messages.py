"""examples/mcp_server: what the endpoint answers, whatever is sent (MCP 2025-11-25, Streamable HTTP)."""

import json

import pytest

from portula.plugin import Application

URL = "http://127.0.0.1:5000"
OPENED = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}


def message(**members):
    return {key: value for key, value in {**OPENED, "params": {}, **members}.items() if value is not ...}


def call(name="clock", **members):
    return message(method="tools/call", params={"name": name, **members})


@pytest.fixture(scope="module")
def send(load):
    """Send a body with a token, and with other header fields where they are named."""
    module = load("mcp_server")
    http = module.app.test_client()
    with module.app.app_context():
        described = Application(client_id="", grant_types=("client_credentials",))
        client, secret = module.provider.clients.create(described)
    pair = (client.client_id, secret)
    answer = http.post("/o/token/", data={"grant_type": "client_credentials"}, auth=pair, base_url=URL)
    bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}

    def send(body, method="POST", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body)
        fields = {"Content-Type": "application/json", **bearer}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        fields = {name: value for name, value in fields.items() if value is not None}
        return http.open("/mcp", method=method, data=data, headers=fields, base_url=URL)

    return send


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[" * 90_000, b"1" * 5000, "{}".encode("utf-16")),
    ],
)
def test_what_is_no_json(send, body):
    answer = send(body)
    assert (answer.status_code, answer.json["error"]["code"], answer.json["id"]) == (400, -32700, None)


@pytest.mark.parametrize(
    "body",
    [
        *([], [OPENED], None, 1, "ping", {}, {"id": 1}, {"jsonrpc": "2.0", "id": 1, "result": {}}),
        *(message(jsonrpc=version) for version in (..., "1.0", 2.0, None, [])),
        *(message(method=method) for method in (..., None, 1, [], {})),
        *(message(id=number) for number in (None, True, 1.5, [], {}, float("nan"))),
        message(method=..., id=...),
    ],
)
def test_what_is_no_message(send, body):
    answer = send(body)
    assert (answer.status_code, answer.json["error"]["code"], answer.json["id"]) == (400, -32600, None)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        *((message(method=name), -32601) for name in ("", "tools", "mcp", "\ud800", "__class__", "x" * 9999)),
        *((message(method="ping", params=params), -32602) for params in (None, [], 1, "a")),
        *((message(params=params), -32602) for params in ({}, {"protocolVersion": 1}, ["2025-11-25"])),
        (message(method="tools/list", params={"cursor": "2"}), -32602),
        *((call(name), -32602) for name in (None, 1, [], {}, "", "nothing", "__class__")),
        (message(method="tools/call"), -32602),
        *((call(arguments=arguments), -32602) for arguments in (None, [], "a")),
    ],
)
def test_what_cannot_be_answered(send, body, code):
    for number in (1, 0, -(10**30), "", "one", "\ud800"):
        answer = send({**body, "id": number})
        assert (answer.status_code, answer.json["error"]["code"], answer.json["id"]) == (200, code, number)


@pytest.mark.parametrize("accepted", [None, "*/*", "application/json", "text/event-stream, application/*"])
@pytest.mark.parametrize("revision", [None, "2025-03-26", "2025-06-18", "2025-11-25"])
def test_what_is_answered(send, revision, accepted):
    headers = {"MCP_Protocol_Version": revision, "Accept": accepted}
    assert send(message(method="ping"), **headers).json == {"jsonrpc": "2.0", "id": 1, "result": {}}
    tools = send(message(method="tools/list", params=...), **headers).json["result"]["tools"]
    assert [tool["name"] for tool in tools] == ["clock", "whoami"]
    assert send(call(arguments={"zone": 1}), **headers).json["result"]["content"][0]["type"] == "text"


@pytest.mark.parametrize(
    ("wish", "agreed"),
    [
        ("2025-06-18", "2025-06-18"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("", "2025-11-25"),
    ],
)
def test_the_revision_is_the_clients_or_the_newest(send, wish, agreed):
    answer = send(message(params={"protocolVersion": wish, "capabilities": {}}))
    assert answer.json["result"]["protocolVersion"] == agreed


@pytest.mark.parametrize("method", ["notifications/initialized", "ping", "unknown"])
@pytest.mark.parametrize("params", [..., {}, []])
def test_a_notification_is_taken(send, method, params):
    answer = send(message(method=method, params=params, id=...))
    assert (answer.status_code, answer.data) == (202, b"")


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        *((400, {"MCP_Protocol_Version": value}) for value in ("2026-07-28", "2024-11-05", "", "one")),
        *((406, {"Accept": value}) for value in ("text/event-stream", "text/html, application/json;q=0")),
        *(
            (415, {"Content_Type": value})
            for value in (None, "text/plain", "application/x-www-form-urlencoded")
        ),
    ],
)
def test_what_the_transport_does_not_speak(send, status, headers):
    answer = send(message(method="ping"), **headers)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, -32600)


def test_a_huge_message_is_not_read(send):
    assert send(message(method="x" * 100_000)).status_code == 413


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_is_neither_stream_nor_session(send, method):
    answer = send(b"", method)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


# --- Pages of other origins (Streamable HTTP, Security Warning) ---


@pytest.fixture
def http(load, monkeypatch):
    monkeypatch.setenv("MCP_ORIGINS", "https://tool.example http://localhost:6274")
    return load("mcp_server").app.test_client()


@pytest.mark.parametrize("origin", ["https://tool.example", "http://localhost:6274", "http://127.0.0.1:5000"])
def test_a_page_that_is_named_reads_the_challenge(http, origin):
    for method, status in (("POST", 401), ("OPTIONS", 200), ("GET", 405)):
        answer = http.open("/mcp", method=method, headers={"Origin": origin})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (status, origin)
        assert answer.headers["Access-Control-Expose-Headers"] == "WWW-Authenticate"
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "GET", "DELETE"])
@pytest.mark.parametrize("origin", ["null", "", "https://evil.example", "https://tool.example.evil.example"])
def test_any_other_is_refused(http, origin, method):
    answer = http.open("/mcp", method=method, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
