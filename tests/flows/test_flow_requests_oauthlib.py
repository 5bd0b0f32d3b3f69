"""requests-oauthlib, another client library, completes every flow against `portula serve`."""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session
from support.browser import Browser
from support.server import Server

pytestmark = pytest.mark.thorough

PASSWORD = "correct horse battery staple"
REDIRECT_URI = "https://client.example/callback"


@pytest.fixture
def opened() -> Iterator[Callable[[OAuth2Session], OAuth2Session]]:
    """Close the sessions that a test opens."""
    with ExitStack() as stack:
        yield stack.enter_context


@pytest.fixture(autouse=True)
def _loopback_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "OAUTHLIB_INSECURE_TRANSPORT", "1")


def test_code_with_pkce_refresh_revoke_and_introspect(
    server: Server, browser: Browser, opened: Callable[[OAuth2Session], OAuth2Session]
) -> None:
    made = server.create_client("confidential", "authorization-code", redirect_uris=REDIRECT_URI)
    auth = HTTPBasicAuth(made["client_id"], made["client_secret"])
    session = opened(OAuth2Session(made["client_id"], redirect_uri=REDIRECT_URI, scope=["read", "write"]))
    verifier = "requests-oauthlib-" + "v" * 43
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    url, _ = session.authorization_url(
        f"{server.issuer}/authorize/", code_challenge=challenge, code_challenge_method="S256"
    )
    browser.get(url)
    browser.sign_in("ann", PASSWORD)
    answer = browser.submit("consent-allow")
    token = session.fetch_token(
        f"{server.issuer}/token/",
        authorization_response=answer.headers["location"],
        auth=auth,
        code_verifier=verifier,
    )
    assert set(token["scope"]) == {"read", "write"}

    refreshed = session.refresh_token(
        f"{server.issuer}/token/", refresh_token=token["refresh_token"], auth=auth
    )
    assert refreshed["refresh_token"] != token["refresh_token"]
    known = requests.post(
        f"{server.issuer}/introspect/", data={"token": refreshed["access_token"]}, auth=auth, timeout=10
    ).json()
    assert known["active"] is True
    assert known["username"] == "ann"
    superseded = requests.post(
        f"{server.issuer}/introspect/", data={"token": token["access_token"]}, auth=auth, timeout=10
    ).json()
    assert superseded == {"active": False}

    given_back = requests.post(
        f"{server.issuer}/revoke_token/", data={"token": refreshed["refresh_token"]}, auth=auth, timeout=10
    )
    assert given_back.status_code == 200
    known = requests.post(
        f"{server.issuer}/introspect/", data={"token": refreshed["access_token"]}, auth=auth, timeout=10
    ).json()
    assert known == {"active": False}


def test_client_credentials(server: Server, opened: Callable[[OAuth2Session], OAuth2Session]) -> None:
    made = server.create_client("confidential", "client-credentials")
    session = opened(OAuth2Session(client=BackendApplicationClient(made["client_id"])))
    token = session.fetch_token(
        f"{server.issuer}/token/", client_id=made["client_id"], client_secret=made["client_secret"]
    )
    assert token["token_type"] == "Bearer"
    assert "refresh_token" not in token
