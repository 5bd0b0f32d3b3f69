"""`portula serve --tls-client-ca`: certificates of the server's own TLS, and a client that authenticates by one."""

import ssl

import httpx
import pytest
from support.server import CONFIGURATION, PORTULA, Server, free_port, start, stop, wait_until_up

from portula_testing.tls import Authority

pytestmark = pytest.mark.thorough

METADATA = """{
  "token_endpoint_auth_method": "tls_client_auth",
  "tls_client_auth_san_dns": "reports.example",
  "tls_client_certificate_bound_access_tokens": true
}"""


def test_a_client_is_known_by_the_certificate_of_the_connection(tmp_path):
    own, clients = Authority("own"), Authority("clients")
    folders = [tmp_path / name for name in ("own", "clients")]
    for folder in folders:
        folder.mkdir()
    authorities = clients.write(folders[1])
    settings = f'"MTLS_ENABLED": True, "MTLS_TRUSTED_CAS": {str(authorities)!r},'
    config = tmp_path / "config.py"
    config.write_text(CONFIGURATION.replace("{", f"{{\n    {settings}", 1))
    cert, key = own.issue(folders[0])
    port = free_port()
    server = Server(f"https://127.0.0.1:{port}", tmp_path / "data", config)
    process = start(
        [
            *("--config", str(config), "--data-dir", str(server.data_dir), "serve", "--port", str(port)),
            *("--tls-cert", str(cert), "--tls-key", str(key), "--tls-client-ca", str(authorities)),
            "--allow-errors",
        ],
        program=PORTULA,
    )

    def context(*names):
        made = ssl.create_default_context(cadata=own.pem.decode())
        if names:
            made.load_cert_chain(*clients.issue(folders[1], *names, client=True))
        return made

    try:
        wait_until_up(process, server.url, verify=context())
        metadata = tmp_path / "client.json"
        metadata.write_text(METADATA)
        client = server.create_client("confidential", "client-credentials", metadata=f"@{metadata}")
        form = {
            "grant_type": "client_credentials",
            "scope": "introspection",
            "client_id": client["client_id"],
        }
        token_url, introspect = f"{server.issuer}/token/", f"{server.issuer}/introspect/"
        for other in (context(), context("other.example")):
            assert httpx.post(token_url, data=form, verify=other).json()["error"] == "invalid_client"
        right = context("reports.example")
        token = httpx.post(token_url, data=form, verify=right).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        active = httpx.post(introspect, data={"token": token}, headers=headers, verify=right).json()
        assert active["active"] is True
        for other in (context(), context("other.example")):  # a new key too, with the same name or another
            answer = httpx.post(introspect, data={"token": token}, headers=headers, verify=other)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    finally:
        stop(process)
