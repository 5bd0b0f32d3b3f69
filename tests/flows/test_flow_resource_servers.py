"""Resource servers apart from `portula serve` read its JWT access tokens: ours, in another process, and Authlib's."""

import os
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from authlib.integrations.flask_oauth2 import ResourceProtector
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from flask import Flask
from joserfc.jwk import KeySet
from support.server import Server, free_port, start, stop, wait_until_up

from portula_testing import jws
from portula_testing.tls import Authority

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("resource-servers")]

API = "https://api.example/"
APP = """
from flask import Flask

import portula_fetch
import portula_jose
import portula_resource_server
from portula import Provider
from portula_resource_server import current_token, require_oauth

app = Flask(__name__)
app.config.from_prefixed_env()
Provider(app, plugins=[portula_resource_server, portula_jose, portula_fetch], discover=False)


@app.get("/tea")
@require_oauth("read")
def tea():
    return {"for": current_token.client_id}
"""


@dataclass(frozen=True)
class Issuer(Server):
    """A provider over https."""

    context: ssl.SSLContext
    """Who trusts it."""

    def client(self, **options: str) -> tuple[str, str]:
        """Make a client that acts for itself."""
        made = self.create_client("confidential", "client-credentials", **options)
        return made["client_id"], made["client_secret"]

    def post(self, path: str, client: tuple[str, str], **form: str) -> httpx.Response:
        """Send a form."""
        return httpx.post(f"{self.url}/o/{path}/", auth=client, data=form, verify=self.context)

    def token(self, client: tuple[str, str], **form: str) -> str:
        """Return an access token of a client for itself."""
        asked = {"grant_type": "client_credentials", "scope": "read", "resource": API, **form}
        answer = self.post("token", client, **asked)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(scope="module")
def issuer(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    folder, port = tmp_path_factory.mktemp("issuer"), free_port()
    url = f"https://127.0.0.1:{port}"
    settings = {
        "ACCESS_TOKEN_FORMAT": "jwt",
        "OIDC_ISS_ENDPOINT": f"{url}/o",
        "PROTECTED_RESOURCES": {API: {}, "https://files.example/": {}},
        "PASSWORD_HASH_PROFILE": "testing",
        "CLIENT_SECRET_HASH_PROFILE": "testing",
    }
    (folder / "config.py").write_text(f"OAUTH2_PROVIDER = {settings!r}\n")
    cert, key = authority.issue(folder)
    process = start(
        [
            *("--config", str(folder / "config.py"), "--data-dir", str(folder / "data"), "serve"),
            *("--port", str(port), "--tls-cert", str(cert), "--tls-key", str(key), "--allow-errors"),
        ]
    )
    context = ssl.create_default_context(cadata=authority.pem.decode())
    try:
        wait_until_up(process, url, verify=context)
        yield Issuer(url, folder / "data", folder / "config.py", context)
    finally:
        stop(process)


@pytest.fixture(scope="module")
def client(issuer: Issuer) -> tuple[str, str]:
    return issuer.client()


@pytest.fixture(scope="module")
def resource(issuer: Issuer, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Our resource server, which knows the issuer's name and nothing else of it."""
    folder, port = tmp_path_factory.mktemp("resource"), free_port()
    (folder / "app.py").write_text(APP)
    prefix = "FLASK_OAUTH2_PROVIDER__"
    environment = {
        "FLASK_SECRET_KEY": "a secret key of the resource server",
        f"{prefix}RESOURCE_SERVER_ISSUER": f"{issuer.url}/o",
        f"{prefix}RESOURCE_SERVER_AUDIENCES": f'["{API}"]',
        f"{prefix}FETCH_CA_BUNDLE": str(authority.write(folder)),
        f"{prefix}FETCH_ALLOWED_PRIVATE_HOSTS": '["127.0.0.1"]',
    }
    process = start(
        ["-m", "flask", "--app", "app", "run", "--port", str(port)],
        program=sys.executable,
        cwd=folder,
        env={**os.environ, **environment},
    )
    try:
        wait_until_up(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}/tea"
    finally:
        stop(process)


def visit(url: str, token: str) -> httpx.Response:
    return httpx.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=20)


def test_ours_reads_what_the_issuer_signed_for_it_alone(
    issuer: Issuer, client: tuple[str, str], resource: str
) -> None:
    token = issuer.token(client)
    answer = visit(resource, token)
    assert (answer.status_code, answer.json()) == (200, {"for": client[0]})
    refused = [
        issuer.token(client, resource="https://files.example/"),
        issuer.token(client, resource=""),  # for the issuer
        token[:-4],
        jws.TokenKey("ES256").sign(jws.taken_apart(token)[1], typ="at+jwt"),
        jws.unsigned_token(jws.taken_apart(token)[1], typ="at+jwt"),
    ]
    assert [visit(resource, each).status_code for each in refused] == [401] * len(refused)
    assert visit(resource, issuer.token(client, scope="write")).status_code == 403
    issuer.post("revoke_token", client, token=token)
    assert visit(resource, token).status_code == 200  # it is verified, and nobody is asked
    assert issuer.post("introspect", client, token=token).json() == {"active": False}


def test_a_token_by_another_key_of_the_issuer_counts(
    issuer: Issuer, client: tuple[str, str], resource: str
) -> None:
    other = issuer.client(algorithm="ES256")
    assert visit(resource, issuer.token(client)).status_code == 200
    assert visit(resource, issuer.token(other)).status_code == 200


def test_authlib_reads_it_too(issuer: Issuer, client: tuple[str, str]) -> None:
    jwks = httpx.get(f"{issuer.url}/o/.well-known/jwks.json", verify=issuer.context).json()

    class Validator(JWTBearerTokenValidator):  # type: ignore[misc] # Authlib has no types
        def get_jwks(self) -> Any:
            return KeySet.import_key_set(jwks)

    protector, app = ResourceProtector(), Flask("authlib")
    protector.register_token_validator(Validator(issuer=f"{issuer.url}/o", resource_server=API))
    app.add_url_rule("/tea", "tea", protector("read")(lambda: "tea"))
    http = app.test_client()

    def status(token: str) -> int:
        return http.get("/tea", headers={"Authorization": f"Bearer {token}"}).status_code

    assert status(issuer.token(client)) == 200
    assert status(issuer.token(client, scope="write")) == 403
    assert status(issuer.token(client, resource="https://files.example/")) == 401
