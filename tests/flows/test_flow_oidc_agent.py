"""oidc-agent, as Debian has it, gets tokens for a command line by the device flow, and refreshes them."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.browser import Browser
from support.server import CONFIGURATION, Server, running

pytestmark = pytest.mark.service

PASSWORD = "correct horse battery staple"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SETTINGS = '{\n    "OIDC_ENABLED": True,\n    "DEVICE_FLOW_INTERVAL": 1,'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    configuration = CONFIGURATION.replace("{", SETTINGS, 1)
    with running(tmp_path / "data", configuration=configuration) as running_server:
        running_server.create_user("ann", PASSWORD)
        yield running_server


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a running agent, with a home of its own."""
    assert shutil.which("oidc-agent"), "oidc-agent is missing: make services"
    with tempfile.TemporaryDirectory(prefix="oa") as short:  # the path of a socket has an end
        home = {**os.environ, "HOME": str(tmp_path), "TMPDIR": short}
        said = subprocess.run(
            ["oidc-agent"], capture_output=True, check=True, env=home, text=True, timeout=20
        )
        named = dict(re.findall(r"(OIDC_SOCK|OIDCD_PID)=([^;\s]+)", said.stdout))
        try:
            yield {**home, **named}
        finally:
            subprocess.run(
                ["oidc-agent", "--kill"], capture_output=True, check=True, env={**home, **named}, timeout=20
            )


def test_a_command_line_gets_tokens_and_keeps_them_fresh(server: Server, agent: dict[str, str]) -> None:
    client = server.create_client("public", GRANT, "refresh-token")
    words = [
        "oidc-gen",
        "--flow=device",
        "--pub",
        f"--issuer={server.issuer}",
        f"--client-id={client['client_id']}",
        "--scope=openid offline_access",
        "--confirm-default",
        "--prompt=none",
        "--pw-cmd=echo password",
        "tea",
    ]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(words, env=agent, text=True, **pipes) as made, Browser(server.url) as browser:
        assert made.stdout is not None
        code = next(found[1] for line in made.stdout if (found := re.search(r"enter the code: (\S+)", line)))
        browser.get("/o/device/")
        browser.submit("device-continue", user_code=code)
        browser.sign_in("ann", PASSWORD)
        assert "The device is connected" in browser.submit("consent-allow").text
        output, _ = made.communicate(timeout=60)
        assert made.returncode == 0, output

    tokens = {_token(agent, "--time=1"), _token(agent, "--time=999999")}
    assert len(tokens) == 2, "the second lives too short for what is asked, and is refreshed"
    current = {"Authorization": f"Bearer {_token(agent, '--time=1')}"}
    assert httpx.get(f"{server.issuer}/userinfo/", headers=current, timeout=30).json()["sub"]


def _token(agent: dict[str, str], *options: str) -> str:
    words = ["oidc-token", *options, "tea"]
    done = subprocess.run(words, capture_output=True, check=True, env=agent, text=True, timeout=30)
    return done.stdout.strip()
