"""examples/clients does what its README says: each client comes to its end, with a browser that HTTP plays."""

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from flask import Flask
from support.browser import Browser
from support.server import free_port, start, stop, wait_until_up

from portula import Provider

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/clients"
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")
NAMED = re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)
SHOWN = {
    "par": ["request_uri urn:ietf:params:oauth:request_uri:", "← 200"],
    "jar": ["request=eyJ", "← 200"],
    "jarm": ['response {"typ":"JWT"', "← 200"],
    "dpop": ["token_type DPoP", "← 200", "← 401"],
    "rar": ["← 200", 'allowed [{"amount": "12.50 EUR", "creditor": "Tea house"'],
    "resource": ["resource https://files.example/", "← 200", "← 401"],
    "jwt": ['access_token {"typ":"at+jwt"', "← 200"],
    "introspection": ['"token_introspection":{"active":true'],
    "mtls": ["x5t#S256", "← 200", "← 401"],
}
"""What each client prints, in this order."""


def copied_into(place):
    """Copy the example, so that its data are made elsewhere, and return its folder."""
    ignored = shutil.ignore_patterns("portula-data", "__pycache__")
    return shutil.copytree(EXAMPLE, place / "clients", ignore=ignored)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return copied_into(tmp_path_factory.mktemp("examples"))


@pytest.fixture(scope="module")
def server(folder):
    """The URL of the provider, and the password of its user."""
    port, tls_port = str(free_port()), str(free_port())
    words = ["server.py", "--port", port, "--tls-port", tls_port]
    process = start(words, program=sys.executable, cwd=folder)
    try:
        line = next(line for line in process.stdout if line.startswith("Demo password"))
        for url in (f"http://127.0.0.1:{port}", f"https://localhost:{tls_port}"):
            wait_until_up(process, url, verify=False)
        yield f"http://127.0.0.1:{port}", line.split()[-1]
    finally:
        stop(process)


def allow(server, address):
    """Do what a person does at an address, until the browser is back at the client."""
    url, password = server
    with Browser(url) as browser:
        browser.get(address)
        browser.sign_in("demo", password)
        back = browser.submit("consent-allow").headers["location"]
    assert httpx.get(back).status_code == 200


@pytest.mark.thorough
@pytest.mark.parametrize("name", SHOWN)
def test_a_client_comes_to_its_end(server, folder, name):
    words = [sys.executable, "clients.py", name, "--no-browser", "--server", server[0]]
    printed = ""
    with subprocess.Popen(
        words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    ) as client:
        try:
            for line in client.stdout:
                printed += line
                if line.startswith(server[0]):
                    allow(server, line.strip())
        except BaseException:
            client.kill()  # it waits for its browser
            raise
    assert client.returncode == 0, printed
    shown = ".*".join(map(re.escape, SHOWN[name]))
    assert re.search(f"{shown}.*It went well", printed, re.DOTALL), printed


@pytest.mark.thorough
def test_keys_and_certificates_are_for_their_owner_alone(server, folder):
    for file in (folder / "portula-data").glob("*.pem"):
        assert file.stat().st_mode & 0o077 == 0, file


def test_the_readme_names_every_client_and_what_the_folder_has():
    helped = subprocess.run(
        [sys.executable, "clients.py", "--help"], cwd=EXAMPLE, capture_output=True, check=True, text=True
    ).stdout
    assert f"{{{','.join(NAMED)}}}" in helped
    assert list(SHOWN) == NAMED
    for path in [*EXAMPLE.glob("*.py"), EXAMPLE / "plugins" / "api.py"]:
        assert f"`{path.relative_to(EXAMPLE)}`" in README
    for link in re.findall(r"\]\((.+?)\)", README):
        assert (EXAMPLE / link).is_file(), link


@pytest.mark.parametrize("started_before", [False, True])
def test_a_client_without_a_provider_says_what_to_start(tmp_path, started_before):
    folder = copied_into(tmp_path)
    if started_before:
        runpy.run_path(str(folder / "server.py"))["make_certificates"]()
    words = [sys.executable, "clients.py", "par", "--server", f"http://127.0.0.1:{free_port()}"]
    done = subprocess.run(words, cwd=folder, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "start one by `python server.py`" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_settings_make_a_provider_that_has_what_the_clients_need(tmp_path):
    folder = copied_into(tmp_path)
    runpy.run_path(str(folder / "server.py"))["make_certificates"]()
    app = Flask("clients", instance_path=str(folder / "instance"))
    app.config.from_pyfile(folder / "config.py")
    app.config["SECRET_KEY"] = "a secret key of this test"
    Provider(app)
    metadata = app.test_client().get("/.well-known/oauth-authorization-server/o").json
    assert metadata["authorization_details_types_supported"] == ["payment"]
    assert {"private_key_jwt", "tls_client_auth"} < set(metadata["token_endpoint_auth_methods_supported"])
    assert {"registration_endpoint", "pushed_authorization_request_endpoint"} < set(metadata)
