"""examples/nginx_mtls does what its README says: real nginx passes the certificate on, and curl shows it."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from support.server import PORTULA, free_port, start, stop, wait_until_up

pytestmark = pytest.mark.service

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/nginx_mtls"
NGINX = os.environ.get("PORTULA_TEST_NGINX") or shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The example with its certificates, and those of a stranger who names himself as the client does."""
    folder = tmp_path_factory.mktemp("examples") / "nginx_mtls"
    shutil.copytree(EXAMPLE, folder)
    commands = (folder / "README.md").read_text(encoding="utf-8").split("```sh\n")[1].partition("```")[0]
    subprocess.run(["sh", "-euc", commands], cwd=folder, check=True, capture_output=True, timeout=60)
    forged = next(line for line in commands.replace("\\\n", "").splitlines() if "reports" in line)
    forged = (
        forged.partition("-CA ")[0]
        .replace("client-key.pem", "forged-key.pem")
        .replace("client.pem", "forged.pem")
    )
    subprocess.run(["sh", "-euc", forged], cwd=folder, check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture(scope="module")
def client_id(folder):
    provider = [PORTULA, "--config", "config.py", "--data-dir", "data"]
    subprocess.run([*provider, "init"], cwd=folder, check=True, capture_output=True, timeout=60)
    made = [*provider, "createapplication", "confidential", "client-credentials"]
    made += ["--metadata", "@client.json", "--json"]
    done = subprocess.run(made, cwd=folder, check=True, capture_output=True, timeout=60)
    return json.loads(done.stdout)["client_id"]


@pytest.fixture(scope="module")
def url(folder, client_id):
    """The URL of nginx in front of a provider."""
    inner, outer = free_port(), free_port()
    config = folder / "nginx.conf"
    config.write_text(config.read_text().replace(":8000", f":{inner}").replace(":8443", f":{outer}"))
    (folder / "temporary").mkdir()
    settings = folder / "config.py"
    settings.write_text(settings.read_text().replace("authority.pem", str(folder / "authority.pem")))
    url = f"https://localhost:{outer}"
    arguments = ["--config", str(settings), "--data-dir", str(folder / "data"), "serve"]
    process = start([*arguments, "--port", str(inner), "--issuer", f"{url}/o"])
    try:
        wait_until_up(process, f"http://127.0.0.1:{inner}")
        assert NGINX, "nginx is missing: make services"
        nginx = subprocess.Popen([NGINX, "-p", str(folder), "-c", "nginx.conf"], stderr=subprocess.DEVNULL)
        try:
            yield url
        finally:
            nginx.terminate()
            nginx.wait(timeout=20)
    finally:
        stop(process)


@pytest.fixture
def curl(folder, url):
    """Return a function that asks with a certificate, or without, and gives status and document."""

    def ask(path, certificate=None, headers=(), **form):
        given = ["--cacert", "authority.pem", "--retry", "20", "--retry-connrefused", "--retry-delay", "1"]
        if certificate:
            given += ["--cert", f"{certificate}.pem", "--key", f"{certificate}-key.pem"]
        for header in headers:
            given += ["--header", header]
        for name, value in form.items():
            given += ["--data", f"{name}={value}"]
        command = [
            "curl",
            "--silent",
            "--show-error",
            "--write-out",
            "\n%{http_code}",
            *given,
            f"{url}{path}",
        ]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=60)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(body or "{}")

    return ask


def pem(folder, name):
    return (folder / f"{name}.pem").read_text()


def test_a_client_is_known_by_the_certificate_that_nginx_passes_on(curl, folder, client_id):
    form = {"grant_type": "client_credentials", "scope": "read", "client_id": client_id}
    status, tokens = curl("/o/token/", "client", **form)
    assert (status, tokens["token_type"]) == (200, "Bearer")
    token = tokens["access_token"]
    sent = [f"X-SSL-Cert: {quote(pem(folder, 'client'))}"]
    for certificate, headers in ((None, ()), (None, sent), ("forged", ()), ("forged", sent)):
        status, refused = curl("/o/token/", certificate, headers, **form)
        assert (status, refused["error"]) == (401, "invalid_client")
    asked = {"token": token, "client_id": client_id}
    status, told = curl("/o/introspect/", "client", sent, **asked)
    assert (status, told["active"]) == (200, True)
    assert "x5t#S256" in told["cnf"]


def test_a_bound_token_passes_through_nginx_with_its_certificate_alone(curl, folder, client_id):
    form = {"grant_type": "client_credentials", "scope": "introspection", "client_id": client_id}
    token = curl("/o/token/", "client", **form)[1]["access_token"]
    bearer = f"Authorization: Bearer {token}"
    sent = f"X-SSL-Cert: {quote(pem(folder, 'client'))}"
    assert curl("/o/introspect/", "client", [bearer], token=token)[1]["active"] is True
    for certificate, headers in ((None, [bearer]), (None, [bearer, sent]), ("forged", [bearer, sent])):
        status, refused = curl("/o/introspect/", certificate, headers, token=token)
        assert (status, refused["error"]) == (401, "invalid_token")


def test_the_example_names_files_that_are_there(folder):
    for name in ("nginx.conf", "config.py", "client.json"):
        assert name in (folder / "README.md").read_text()
        assert Path(folder / name).exists()
