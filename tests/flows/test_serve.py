"""`portula serve`: what it prints, what it refuses, and how it behaves as a process."""

import os
import re
import shlex
import socket
import ssl
import stat
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.browser import Browser, sent_back
from support.server import PORTULA, Server, free_port, running, start, stop, wait_until_up

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.thorough


def _refused(*arguments: str) -> str:
    done = subprocess.run(
        [PORTULA, "serve", "--port", "0", *arguments], capture_output=True, check=False, text=True, timeout=30
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    """A demo server, and the lines it printed: label to text."""
    port = free_port()
    folder = tmp_path_factory.mktemp("demo")
    process = start(["serve", "--demo", "--data-dir", str(folder), "--port", str(port)])
    assert process.stdout is not None
    lines: dict[str, str] = {}
    for line in process.stdout:
        found = re.match(r"(.+?)\s{2,}(\S.*)", line)
        if found:
            lines[found[1]] = found[2].strip()
        if "Ctrl-C" in line:
            break
    wait_until_up(process, f"http://127.0.0.1:{port}")
    yield f"http://127.0.0.1:{port}", lines
    stop(process)


def test_the_demo_completes_login_and_consent_with_what_it_printed(demo: tuple[str, dict[str, str]]) -> None:
    url, lines = demo
    with Browser(url) as browser:
        browser.get(lines["Open in a browser"])
        browser.sign_in(lines["Demo user"], lines["Demo password"])
        landed = browser.submit("consent-allow")
    assert landed.status_code == 200
    sent = dict(landed.url.params)
    assert sent["iss"] == lines["Issuer"] == f"{url}/o"
    assert sent["code"] in landed.text

    words = shlex.split(lines["Then redeem CODE"].replace("=CODE", f"={sent['code']}"))
    assert words[:2] == ["curl", "-u"]
    fields = dict(word.split("=", 1) for flag, word in pairwise(words) if flag == "-d")
    token = httpx.post(words[3], data=fields, auth=tuple(words[2].split(":", 1)))
    assert token.status_code == 200
    assert token.json()["token_type"] == "Bearer"

    (line,) = re.findall(r"^curl (.*/userinfo/)$", README, re.MULTILINE)
    _, header, address = shlex.split(line.replace("$PERSONS_TOKEN", token.json()["access_token"]))
    about = httpx.get(address.replace("http://127.0.0.1:8000", url), headers=dict([header.split(": ", 1)]))
    assert about.json()["preferred_username"] == lines["Demo user"]


def test_the_demo_keeps_to_a_database_of_its_own(demo: tuple[str, dict[str, str]]) -> None:
    folder = Path(demo[1]["Data"])
    assert folder.name == "demo"
    assert (folder / "portula.sqlite3").is_file()
    assert not (folder.parent / "portula.sqlite3").exists()


def test_the_secret_key_is_readable_to_its_owner_alone_and_stays(server: Server) -> None:
    path = server.data_dir / "secret_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    server.run("createapplication", "confidential", "client-credentials")
    assert path.read_text() == before


def test_the_start_page_and_unknown_paths_are_pages(server: Server) -> None:
    home = httpx.get(server.url)
    assert home.status_code == 200
    assert server.issuer in home.text
    assert httpx.get(f"{server.url}/nothing-here").status_code == 404


def test_a_page_visited_under_another_host_name_redirects_once(server: Server) -> None:
    other = server.url.replace("127.0.0.1", "localhost")
    with httpx.Client() as client:
        first = client.get(f"{other}/accounts/login/?next=/o/authorized_tokens/")
        assert first.status_code == 302
        asked = f"{server.url}/accounts/login/?next=/o/authorized_tokens/"
        assert first.headers["location"] == f"{asked}&portula_redirected=1"
        assert client.get(first.headers["location"]).headers["location"] == asked
        assert (
            client.get(f"{other}/accounts/login/").status_code == 200
        )  # a proxy that rewrites Host makes no loop


def test_metadata_and_tokens_are_the_same_under_another_host_name(server: Server) -> None:
    other = server.url.replace("127.0.0.1", "localhost")
    document = httpx.get(f"{other}/o/.well-known/oauth-authorization-server").json()
    assert document["issuer"] == server.issuer
    assert document["token_endpoint"] == f"{server.issuer}/token/"


def test_a_restart_keeps_tokens(tmp_path: Path) -> None:
    port = str(free_port())
    with running(tmp_path / "data", "--issuer", f"http://127.0.0.1:{port}/o") as server:
        client = server.create_client("confidential", "client-credentials")
        auth = (client["client_id"], client["client_secret"])
        token = httpx.post(
            f"{server.url}/o/token/", data={"grant_type": "client_credentials"}, auth=auth
        ).json()
    with running(tmp_path / "data", "--issuer", f"http://127.0.0.1:{port}/o") as server:
        known = httpx.post(f"{server.url}/o/introspect/", data={"token": token["access_token"]}, auth=auth)
    assert known.json()["active"] is True


def test_a_host_name_may_be_listened_on_and_is_in_the_issuer(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--host", "localhost") as server:
        document = httpx.get(f"{server.url}/o/.well-known/oauth-authorization-server").json()
    assert document["issuer"] == server.issuer.replace("127.0.0.1", "localhost")


def test_a_public_address_without_an_issuer_is_refused() -> None:
    message = _refused("--host", "0.0.0.0")
    assert "--host 0.0.0.0" in message
    assert "--issuer https://NAME/o" in message


def test_a_taken_port_is_said_in_one_line(server: Server, tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    message = _refused("--port", port, "--data-dir", str(tmp_path))
    assert f"--port {port}" in message
    assert "in use" in message


def test_all_errors_of_a_configuration_are_said_together(tmp_path: Path) -> None:
    config = tmp_path / "config.py"
    config.write_text(
        "OAUTH2_PROVIDER = {'ACCESS_TOKEN_EXPIRE_SECOND': 5, 'AUTHORIZATION_CODE_EXPIRE_SECONDS': 0}\n"
    )
    message = _refused("--config", str(config), "--data-dir", str(tmp_path / "data"))
    assert "did you mean 'ACCESS_TOKEN_EXPIRE_SECONDS'" in message
    assert "AUTHORIZATION_CODE_EXPIRE_SECONDS: 0 is not allowed" in message


def _self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert_file, key_file


def test_tls_from_1_2_up_with_secure_cookies(tmp_path: Path) -> None:
    cert, key = _self_signed(tmp_path)
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    arguments = ["--data-dir", str(tmp_path / "data"), "--port", str(port)]
    process = start(["serve", *arguments, "--tls-cert", str(cert), "--tls-key", str(key)])
    trusting = ssl.create_default_context(cafile=str(cert))
    try:
        wait_until_up(process, url, verify=trusting)
        page = httpx.get(f"{url}/accounts/login/", verify=trusting)
        assert page.headers["set-cookie"].startswith("__Host-portula_browser=")
        assert "Secure" in page.headers["set-cookie"]
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]  # no handshake
        trusting.set_alpn_protocols(["h2", "http/1.1"])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            trusting.wrap_socket(plain, server_hostname="127.0.0.1") as speaking,
        ):
            assert speaking.selected_alpn_protocol() == "http/1.1"
        trusting.maximum_version = ssl.TLSVersion.TLSv1_2
        document = httpx.get(f"{url}/o/.well-known/oauth-authorization-server", verify=trusting).json()
        assert document["issuer"] == f"{url}/o"
        for connection in silent:
            connection.close()
    finally:
        stop(process)


def test_a_long_authorization_request_survives_the_login(server: Server) -> None:
    client = server.create_client(
        "confidential", "authorization-code", redirect_uris="https://client.example/callback"
    )
    state = "s" * 6000
    with Browser(server.url) as browser:
        browser.get(
            f"/o/authorize/?response_type=code&client_id={client['client_id']}&state={state}"
            "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        )
        assert browser.page is not None
        assert len(str(browser.page.url)) < 500
        browser.sign_in("ann", "correct horse battery staple")
        answer = browser.submit("consent-allow")
    assert sent_back(answer)["state"] == state


def test_a_start_imports_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:  # which makes the tables
        config = server.config
    port = free_port()
    environment = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    process = start(
        [
            "serve",
            "--data-dir",
            str(config.parent),
            "--config",
            str(config),
            "--port",
            str(port),
            "--allow-errors",
        ],
        env=environment,
    )
    try:
        wait_until_up(process, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        told = process.stdout.read() if process.stdout else ""
        stop(process)
    imported = {
        line.rpartition("|")[2].strip() for line in told.splitlines() if line.startswith("import time")
    }
    assert "sqlalchemy.engine" in imported
    unused = {
        "sqlalchemy.orm",
        "sqlalchemy.dialects.postgresql",
        "alembic",
        "mako",
        "httpx",
        "redis",
        "qrcode",
    }
    assert imported & unused == set()
