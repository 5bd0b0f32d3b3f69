"""`portula serve --tls-client-ca`: clients may show a certificate in TLS, and a plugin sees it."""

import ssl

import httpx
import pytest
from support.server import free_port, start, stop, wait_until_up

from portula_testing.tls import Authority

pytestmark = pytest.mark.thorough

PLUGIN = """
from portula import hookimpl
from portula.plugin import Endpoint, json_answer


def told(message):
    shown = message.client_certificate
    return json_answer(200, {"certificate": shown.hex() if shown else None})


@hookimpl
def portula_endpoints(provider):
    return [Endpoint("me", "me", ("GET",), told)]
"""


def test_a_certificate_is_seen_by_plugins_and_one_of_a_stranger_ends_the_handshake(tmp_path):
    own, clients, strangers = Authority("own"), Authority("clients"), Authority("strangers")
    folders = {name: tmp_path / name for name in ("own", "clients", "strangers", "plugins")}
    for folder in folders.values():
        folder.mkdir()
    (folders["plugins"] / "me.py").write_text(PLUGIN)
    config = tmp_path / "config.py"
    config.write_text(f"OAUTH2_PROVIDER = {{'PLUGINS_DIR': {str(folders['plugins'])!r}}}\n")
    cert, key = own.issue(folders["own"])
    port = free_port()
    url = f"https://127.0.0.1:{port}"
    process = start(
        [
            *("--config", str(config), "--data-dir", str(tmp_path / "data")),
            *("serve", "--port", str(port), "--tls-cert", str(cert), "--tls-key", str(key)),
            *("--tls-client-ca", str(clients.write(folders["clients"]))),
        ]
    )

    def ask(authority=None, folder=None):
        context = ssl.create_default_context(cadata=own.pem.decode())
        if authority is not None:
            context.load_cert_chain(*authority.issue(folder, client=True))
        return httpx.get(f"{url}/o/me", verify=context)

    try:
        wait_until_up(process, url, verify=ssl.create_default_context(cadata=own.pem.decode()))
        assert ask().json() == {"certificate": None}
        shown = ask(clients, folders["clients"]).json()["certificate"]
        pem = (folders["clients"] / "localhost.pem").read_text()
        assert bytes.fromhex(shown) == ssl.PEM_cert_to_DER_cert(pem)
        with pytest.raises(httpx.TransportError):
            ask(strangers, folders["strangers"])
        assert ask().status_code == 200
    finally:
        stop(process)
