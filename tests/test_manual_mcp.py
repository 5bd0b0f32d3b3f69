"""The page about MCP is enough: its apps start as they stand, and a client goes the way that it describes."""

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from support.client_documents import Documents
from test_manual import blocks

import portula_jose
import portula_protected_resource
import portula_resource_server
from portula import Provider
from portula.plugin import FetchResponse
from portula_fetch.fetcher import SafeFetcher

PAGE = "docs/mcp.md"
TEXT = (Path(__file__).resolve().parents[1] / PAGE).read_text(encoding="utf-8")
HOST = "https://mcp.example.com"


def code(name, **given):
    """Return what the Python of a file on the page defines."""
    (block,) = [block for block in blocks(PAGE) if block.startswith(f"# {name}\n")]
    namespace = {"__name__": "manual", **given}
    exec(block, namespace)
    return namespace


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLASK_SECRET_KEY", "a secret key for tests alone")
    monkeypatch.setattr(Flask, "auto_find_instance_path", lambda self: str(tmp_path / "instance"))
    return code("app.py", answer_to=lambda message: {"id": message["id"]})["app"]


def test_the_way_of_a_client(app):
    http = app.test_client()
    refused = http.post("/mcp", json={"id": 1}, base_url=HOST)
    assert refused.status_code == 401
    challenge = refused.headers["WWW-Authenticate"]
    assert 'scope="tools"' in challenge
    (named,) = {*re.findall(r"GET (/\.well-known/oauth-protected-resource\S*)`", TEXT)}
    assert f'resource_metadata="{HOST}{named}"' in challenge
    (issuer,) = http.get(named, base_url=HOST).json["authorization_servers"]
    assert f"`{issuer}`" in TEXT
    (place,) = {*re.findall(r"GET (/\.well-known/oauth-authorization-server\S*)`", TEXT)}
    assert http.get(place, base_url=HOST).json["client_id_metadata_document_supported"] is True


def test_the_document_of_the_page_counts(app, monkeypatch):
    (document,) = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    members, found = json.loads(document), FetchResponse(200, "application/json", document.encode())
    monkeypatch.setattr(SafeFetcher, "get", lambda self, url, **keywords: found)
    client = app.extensions["portula"]["portula"].clients.find(members["client_id"])
    assert client.redirect_uris == tuple(members["redirect_uris"])


def test_a_server_elsewhere_leads_to_its_issuer():
    app = Flask("elsewhere")
    app.config["SECRET_KEY"] = "a secret key for tests alone"
    app.config.update(code("server.py"))
    rooms = [portula_resource_server, portula_jose, portula_protected_resource, Documents()]
    Provider(app, plugins=rooms, discover=False)
    document = app.test_client().get("/.well-known/oauth-protected-resource/mcp", base_url=HOST).json
    assert document["resource"] == f"{HOST}/mcp"
    assert document["authorization_servers"] == ["https://id.example.com/o"]
