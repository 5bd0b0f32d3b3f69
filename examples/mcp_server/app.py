"""An MCP server in Flask, and the provider that guards it, in one app."""

import os
from datetime import UTC, datetime

from flask import Flask, request

from portula import Provider
from portula_resource_server import current_token, require_oauth

URL = os.environ.get("MCP_URL", "http://127.0.0.1:5000")

app = Flask(__name__)
app.config.from_prefixed_env()
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


@app.post("/mcp")
@require_oauth("tools")
def mcp():
    """Answer one JSON-RPC message (MCP, Streamable HTTP); the tools take no arguments."""
    message = request.get_json()
    if "id" not in message:  # a notification
        return "", 202
    answers = {"initialize": initialize, "ping": dict, "tools/list": list_tools, "tools/call": call_tool}
    method = answers.get(message["method"])
    if method is None:
        error = {"code": -32601, "message": f"there is no method {message['method']}"}
        return {"jsonrpc": "2.0", "id": message["id"], "error": error}
    result = method(**message.get("params", {})) if method is not dict else {}
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


def initialize(protocolVersion, **_params):  # noqa: N803 - as the protocol names it
    """Agree on what the client speaks."""
    server = {"name": "clock of portula", "version": "1.0"}
    return {"protocolVersion": protocolVersion, "capabilities": {"tools": {}}, "serverInfo": server}


def list_tools(**_params):
    """Describe the tools."""
    nothing = {"type": "object", "properties": {}}
    return {
        "tools": [
            {"name": name, "description": text, "inputSchema": nothing} for name, (text, _) in TOOLS.items()
        ]
    }


def call_tool(name, **_params):
    """Use one."""
    return {"content": [{"type": "text", "text": TOOLS[name][1]()}]}
