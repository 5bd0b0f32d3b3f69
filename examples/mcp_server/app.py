"""An MCP server in Flask, and the provider that guards it, in one app."""

import json
import os
from datetime import UTC, datetime

from flask import Flask, abort, request

from portula import Provider
from portula_resource_server import current_token, require_oauth

URL = os.environ.get("MCP_URL", "http://127.0.0.1:5000")
ORIGINS = {URL, *os.environ.get("MCP_ORIGINS", "").split()}  # of the pages that may call it
REVISIONS = ("2025-11-25", "2025-06-18", "2025-03-26")

app = Flask(__name__)
app.config.from_prefixed_env()
app.config["MAX_CONTENT_LENGTH"] = 100_000
app.config["OAUTH2_PROVIDER"] = {
    "PROFILE": "mcp",
    "OIDC_ISS_ENDPOINT": f"{URL}/o",
    "SCOPES": {"tools": "Use the tools"},
    "PROTECTED_RESOURCES": {f"{URL}/mcp": {"scopes": ["tools"]}},
    "DCR_ENABLED": True,  # for clients that have no document: those of before CIMD
    "DCR_REGISTRATION_MODE": "open",
    "FETCH_ALLOWED_PRIVATE_HOSTS": os.environ.get("MCP_DOCUMENT_HOSTS", "").split(),
    "FETCH_CA_BUNDLE": os.environ.get("MCP_CA_BUNDLE"),
}
provider = Provider(app)

TOOLS = {
    "clock": ("Tells the time", lambda: datetime.now(UTC).isoformat(timespec="seconds")),
    "whoami": ("Tells who allowed this client", lambda: str(current_token.subject)),
}
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602


class RpcError(Exception):
    """An error of JSON-RPC 2.0, section 5.1, and the HTTP status that it goes with."""

    def __init__(self, code, message, status=200):
        super().__init__(message)
        self.code, self.status = code, status


@app.before_request
def check_origin():
    """Let no page but those of ORIGINS call the tools (DNS rebinding; Streamable HTTP, Security Warning)."""
    if request.path == "/mcp" and request.headers.get("Origin", URL) not in ORIGINS:
        abort(403)


@app.after_request
def let_pages_read(response):
    """Let the pages of ORIGINS read answers and challenges (Fetch standard, CORS protocol)."""
    if request.path == "/mcp" and (origin := request.headers.get("Origin")) in ORIGINS:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Headers"] = "Authorization, *"
        response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate"
        response.vary.add("Origin")
    return response


@app.post("/mcp")
@require_oauth("tools")
def mcp():
    """Answer one JSON-RPC message (MCP 2025-11-25, Streamable HTTP)."""
    number = None
    try:
        check_headers()
        message = read_message(request.get_data())
        if "id" not in message:  # a notification
            return "", 202
        number = message["id"]
        return {"jsonrpc": "2.0", "id": number, "result": result_of(message)}
    except RpcError as error:
        described = {"code": error.code, "message": str(error)}
        return {"jsonrpc": "2.0", "id": number, "error": described}, error.status


def check_headers():
    """Refuse what the transport does not speak; a request without a revision is one of 2025-03-26."""
    revision = request.headers.get("MCP-Protocol-Version", REVISIONS[-1])
    if revision not in REVISIONS:
        raise RpcError(INVALID_REQUEST, f"MCP-Protocol-Version: one of {', '.join(REVISIONS)}", 400)
    if not request.is_json:
        raise RpcError(INVALID_REQUEST, "Content-Type: application/json", 415)
    if "Accept" in request.headers and not request.accept_mimetypes["application/json"]:
        raise RpcError(INVALID_REQUEST, "Accept: application/json is needed", 406)


def read_message(body):
    """Read one request or notification; batches and responses are none."""
    try:
        message = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise RpcError(PARSE_ERROR, "the body is no JSON", 400) from None
    if not isinstance(message, dict):
        raise RpcError(INVALID_REQUEST, "a message is one object", 400)
    if message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
        raise RpcError(INVALID_REQUEST, 'a message has jsonrpc, which is "2.0", and a method', 400)
    if type(message.get("id", "")) not in (str, int):
        raise RpcError(INVALID_REQUEST, "an id is a string or an integer", 400)
    return message


def result_of(message):
    """Return what the method that a request names makes of its parameters."""
    method, params = METHODS.get(message["method"]), message.get("params", {})
    if method is None:
        raise RpcError(METHOD_NOT_FOUND, "there is no such method")
    if not isinstance(params, dict):
        raise RpcError(INVALID_PARAMS, "params is an object")
    return method(params)


def initialize(params):
    """Agree on a revision: the one that the client wishes, or the newest here."""
    wish = params.get("protocolVersion")
    if not isinstance(wish, str):
        raise RpcError(INVALID_PARAMS, "protocolVersion is needed")
    server = {"name": "clock of portula", "version": "1.0"}
    revision = wish if wish in REVISIONS else REVISIONS[0]
    return {"protocolVersion": revision, "capabilities": {"tools": {}}, "serverInfo": server}


def list_tools(params):
    """Describe the tools, on one page, so that there is no cursor."""
    if "cursor" in params:
        raise RpcError(INVALID_PARAMS, "there is no such page")
    nothing = {"type": "object", "properties": {}}
    return {
        "tools": [
            {"name": name, "description": text, "inputSchema": nothing} for name, (text, _) in TOOLS.items()
        ]
    }


def call_tool(params):
    """Use one; the tools take no arguments."""
    name = params.get("name")
    if not isinstance(name, str) or name not in TOOLS:
        raise RpcError(INVALID_PARAMS, "there is no such tool")
    if not isinstance(params.get("arguments", {}), dict):
        raise RpcError(INVALID_PARAMS, "arguments is an object")
    return {"content": [{"type": "text", "text": TOOLS[name][1]()}]}


METHODS = {
    "initialize": initialize,
    "ping": lambda _params: {},
    "tools/list": list_tools,
    "tools/call": call_tool,
}
