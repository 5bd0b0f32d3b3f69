"""A client that nobody made by hand: it registers itself against `portula serve`, and Authlib does the rest."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from authlib.integrations.requests_client import OAuth2Session
from support.browser import Browser
from support.server import CONFIGURATION, Server, running

pytestmark = pytest.mark.thorough

PASSWORD = "correct horse battery staple"
REDIRECT_URI = "https://client.example/callback"
REGISTRATION = CONFIGURATION.replace("{", '{\n    "DCR_ENABLED": True,', 1)


@pytest.fixture(scope="module")
def registering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two workers, at which holders of an initial access token register clients."""
    folder: Path = tmp_path_factory.mktemp("registering") / "data"
    with running(folder, "--workers", "2", configuration=REGISTRATION) as server:
        server.create_user("ann", PASSWORD)
        yield server


@pytest.fixture(scope="module")
def metadata(registering: Server) -> dict[str, Any]:
    document: dict[str, Any] = httpx.get(f"{registering.url}/.well-known/oauth-authorization-server/o").json()
    return document


def initial_token(server: Server, name: str, uses: int = 1) -> str:
    made = server.run("registration", "token", "create", name, "--uses", str(uses))
    return str(made["initial_access_token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_a_client_registers_itself_and_completes_the_code_flow(
    registering: Server, metadata: dict[str, Any], method: str
) -> None:
    asked = {
        "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": method,
        "grant_types": ["authorization_code", "refresh_token"],
        "client_name": f"Tea house {method}",
        "tos_uri": "https://client.example/tos",
        "scope": "read something:else",
    }
    token = initial_token(registering, method)
    answer = httpx.post(metadata["registration_endpoint"], json=asked, headers=bearer(token), timeout=30)
    assert answer.status_code == 201, answer.text
    client = answer.json()
    assert client["scope"] == "read"
    verifier = "registered-" + "v" * 50
    with (
        Browser(registering.url) as browser,
        OAuth2Session(
            client["client_id"],
            client.get("client_secret"),
            token_endpoint_auth_method=method,
            scope=client["scope"],
            redirect_uri=REDIRECT_URI,
            code_challenge_method="S256",
        ) as session,
    ):
        url, state = session.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier
        )
        login = browser.get(url)
        assert asked["client_name"] in login.text
        assert asked["tos_uri"] in login.text
        browser.sign_in("ann", PASSWORD)
        sent = browser.submit("consent-allow")
        tokens = session.fetch_token(
            metadata["token_endpoint"],
            authorization_response=sent.headers["location"],
            state=state,
            code_verifier=verifier,
        )
        assert session.refresh_token(metadata["token_endpoint"], tokens["refresh_token"])["scope"] == "read"
    _look_after(client, asked)


def _look_after(client: dict[str, Any], asked: dict[str, Any]) -> None:
    """Read, change and remove a registration, as its client does (RFC 7592)."""
    uri, headers = client["registration_client_uri"], bearer(client["registration_access_token"])
    assert httpx.get(uri, headers=headers).json()["client_name"] == asked["client_name"]
    document = {**asked, "client_id": client["client_id"], "client_name": "Tea"}
    changed = httpx.put(uri, json=document, headers=headers)
    assert changed.json()["client_name"] == "Tea"
    headers = bearer(changed.json()["registration_access_token"])
    assert httpx.delete(uri, headers=headers).status_code == 204
    assert httpx.get(uri, headers=headers).status_code == 401


def test_a_used_up_token_is_used_up_for_every_worker(registering: Server, metadata: dict[str, Any]) -> None:
    headers = bearer(initial_token(registering, "twice", uses=2))
    document = {"redirect_uris": [REDIRECT_URI]}
    answers = [
        httpx.post(metadata["registration_endpoint"], json=document, headers=headers, timeout=30).status_code
        for _ in range(6)
    ]
    assert answers == [201, 201, 401, 401, 401, 401]
