"""The certificate that a client showed in TLS: of the server's own connection, or in a header of a trusted proxy."""

import base64
import logging
from ssl import PEM_cert_to_DER_cert
from urllib.parse import quote

import pytest
from hosting import Memory, make_app
from hypothesis import given
from hypothesis import strategies as st

from portula import ConfigError, Provider, hookimpl
from portula.cli.gate import environ_of
from portula.errors import OAuth2Error
from portula.plugin import Endpoint, json_answer
from portula.web.certificates import CERTIFICATE_CHARACTERS_MOST, MalformedCertificate, client_certificate
from portula_testing.tls import Authority

PEM = Authority("a client").pem.decode()
DER = PEM_cert_to_DER_cert(PEM)
BYTES = f":{base64.b64encode(DER).decode()}:"
OTHER = PEM_cert_to_DER_cert(Authority("another").pem.decode())


def told(message):
    shown = message.client_certificate
    forwarded = {name: value for name, value in message.headers.items() if "cert" in name}
    return json_answer(200, {"certificate": shown and shown.hex(), "headers": forwarded})


class Room:
    @hookimpl
    def portula_endpoints(self, provider):
        return [Endpoint("me", "me", ("GET", "POST"), told)]


def world(**settings):
    app = make_app(**settings)
    provider = Provider(app, plugins=[Room(), Memory()], discover=False)

    def page():
        try:
            answer = told(provider.current_message())
        except OAuth2Error as error:
            return {"error": error.error}, error.status_code
        return answer.body, answer.status, dict(answer.headers)

    app.add_url_rule("/page", view_func=page)
    return app, provider


def ask(app, path="/o/me", header=None, value="", tls=None):
    headers = {} if header is None else {header: value}
    environ = {} if tls is None else {"SSL_CLIENT_CERT": tls}
    return app.test_client().get(path, headers=headers, environ_overrides=environ)


@pytest.mark.parametrize("path", ["/o/me", "/page"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Client-Cert", BYTES),
        ("X-SSL-Cert", quote(PEM)),
        ("x-ssl-cert", quote(PEM, safe="+/")),
        ("X-SSL-Cert", quote(PEM.strip())),
    ],
    ids=["bytes", "PEM", "PEM with slashes", "PEM without a last line"],
)
def test_a_header_that_the_proxy_sets_is_believed_where_it_is_named(path, name, value):
    app, _ = world(TRUSTED_PROXIES=1, CLIENT_CERTIFICATE_HEADER=name)
    assert ask(app, path, name, value).json == {"certificate": DER.hex(), "headers": {}}
    assert ask(app, path).json["certificate"] is None
    assert ask(app, path, tls=PEM).json["certificate"] is None  # of the proxy's own connection


@pytest.mark.parametrize("path", ["/o/me", "/page"])
@pytest.mark.parametrize("settings", [{}, {"TRUSTED_PROXIES": 1}])
def test_a_header_that_no_setting_names_is_nobodys_and_reaches_no_plugin(path, settings):
    app, _ = world(**settings)
    for name in ("Client-Cert", "Client-Cert-Chain"):
        assert ask(app, path, name, BYTES).json == {"certificate": None, "headers": {}}
    assert ask(app, path, "X-SSL-Cert", quote(PEM)).json["certificate"] is None


def test_another_header_than_the_named_one_is_not_believed():
    app, _ = world(TRUSTED_PROXIES=1, CLIENT_CERTIFICATE_HEADER="X-SSL-Cert")
    assert ask(app, header="Client-Cert", value=BYTES).json == {"certificate": None, "headers": {}}


def test_without_a_proxy_the_setting_stops_the_start():
    with pytest.raises(ConfigError, match=r"CLIENT_CERTIFICATE_HEADER: .*TRUSTED_PROXIES"):
        world(CLIENT_CERTIFICATE_HEADER="Client-Cert")
    with pytest.raises(ConfigError, match="CLIENT_CERTIFICATE_HEADER"):
        world(TRUSTED_PROXIES=1, CLIENT_CERTIFICATE_HEADER="Client_Cert")


@pytest.mark.parametrize("path", ["/o/me", "/page"])
def test_the_server_s_own_tls_is_believed_where_no_header_is_named(path):
    app, _ = world()
    assert ask(app, path, tls=PEM).json["certificate"] == DER.hex()
    assert ask(app, path, tls="").json["certificate"] is None


def test_it_comes_by_the_asgi_extension_too():
    scope = {
        "method": "GET",
        "scheme": "https",
        "raw_path": b"/o/me",
        "query_string": b"",
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 9),
        "headers": [(b"ssl-client-cert", b"forged"), (b"ssl_client_cert", b"forged")],
    }
    assert "SSL_CLIENT_CERT" not in environ_of(scope, b"", None)
    with_one = {**scope, "extensions": {"tls": {"client_cert_chain": [PEM]}}}
    assert client_certificate(environ_of(with_one, b"", None), None) == DER
    without = {**scope, "extensions": {"tls": {"client_cert_chain": []}}}
    assert client_certificate(environ_of(without, b"", None), None) is None


MALFORMED = {
    "two": f"{BYTES}, {BYTES}",
    "two joined": f"{BYTES},{BYTES}",
    "a forged one before": f":{base64.b64encode(OTHER).decode()}:,{BYTES}",
    "two PEM": quote(PEM + PEM),
    "no base64": ":!!!:",
    "no end": BYTES[:-1],
    "cut": f":{base64.b64encode(DER[:-1]).decode()}:",
    "something behind": f":{base64.b64encode(DER + b'x').decode()}:",
    "no DER": f":{base64.b64encode(b'a certificate').decode()}:",
    "nothing": "::",
    "empty PEM": quote("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"),
    "a key": quote("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
    "a word": "NONE",
    "latin": "\xe9",
    "large": f":{base64.b64encode(bytes(CERTIFICATE_CHARACTERS_MOST)).decode()}:",
}


@pytest.mark.parametrize("path", ["/o/me", "/page"])
@pytest.mark.parametrize("value", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_certificate_refuses_the_request_and_is_logged_without_it(caplog, path, value):
    app, provider = world(TRUSTED_PROXIES=1, CLIENT_CERTIFICATE_HEADER="Client-Cert")
    answer = ask(app, path, "Client-Cert", value)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
    (record,) = [each for each in caplog.records if each.name == "portula"]
    assert record.levelno == logging.WARNING
    assert "Client-Cert cannot be read" in record.message
    assert value not in record.message
    app.wsgi_app = provider.wsgi()
    assert ask(app, path, "Client-Cert", value).data == answer.data


@given(
    text=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: f":{base64.b64encode(raw).decode()}:")
)
def test_nothing_but_a_refusal_ever_comes_of_bad_text(text):
    try:
        shown = client_certificate({"HTTP_X": text}, "X")
    except MalformedCertificate:
        return
    assert shown is None or shown[0] == 0x30
