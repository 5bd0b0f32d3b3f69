"""fastmcp's OIDCProxy logs the users of an MCP server in at portula, and verifies the JWTs that it gets."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.browser import Browser
from support.server import CONFIGURATION, Server, free_port, running, start, stop, wait_until_up

pytestmark = pytest.mark.service

HERE = Path(__file__).resolve().parent
CLIENT = HERE.parent / "examples" / "mcp_sdk.py"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def mcp() -> str:
    """The URL of the MCP server."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def server(tmp_path: Path, mcp: str) -> Iterator[Server]:
    resource = f"{mcp}/mcp"
    given = {
        "OIDC_ENABLED": True,
        "SIGNING_ALGORITHMS": ["RS256"],
        "ACCESS_TOKEN_FORMAT": "jwt",
        "PROTECTED_RESOURCES": {resource: {}},
        "RESOURCE_INDICATORS_DEFAULT": resource,
    }
    configuration = f"{CONFIGURATION}OAUTH2_PROVIDER.update({given!r})\n"
    with running(tmp_path / "data", configuration=configuration) as running_server:
        running_server.create_user("ann", PASSWORD)
        yield running_server


@pytest.fixture
def proxied(server: Server, mcp: str, tmp_path: Path) -> Iterator[str]:
    """The MCP server, with a client of its own at the provider."""
    options = {"redirect_uris": f"{mcp}/auth/callback"}
    client = server.create_client("confidential", "authorization-code", "refresh-token", **options)
    words = [str(HERE / "fastmcp_server.py"), server.issuer, mcp.rpartition(":")[2]]
    process = start(
        [*words, client["client_id"], client["client_secret"]], program=sys.executable, cwd=tmp_path
    )
    try:
        wait_until_up(process, mcp)
        yield mcp
    finally:
        stop(process)


def test_a_user_of_the_server_signs_in_at_the_provider(server: Server, proxied: str, tmp_path: Path) -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    words = [sys.executable, str(CLIENT), proxied]
    with (
        subprocess.Popen(words, cwd=tmp_path, text=True, **pipes) as client,
        httpx.Client(timeout=30) as outside,
        Browser(server.url) as browser,
    ):
        assert client.stdout is not None
        to_provider = outside.get(client.stdout.readline().removeprefix("visit ").strip())
        browser.get(to_provider.headers["location"])
        browser.sign_in("ann", PASSWORD)
        to_server = browser.submit("consent-allow").headers["location"]
        to_client = outside.get(to_server)
        output, _ = client.communicate(f"{to_client.headers['location']}\n", timeout=60)
        assert client.returncode == 0
    found = json.loads(output)
    assert found["tools"] == ["clock", "whoami"]
    assert len(found["whoami"]) == 32
