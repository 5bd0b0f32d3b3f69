"""Authlib, a client library of other people, completes every flow against `portula serve`."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from authlib.integrations.requests_client import OAuth2Session
from support.browser import Browser
from support.server import Server

pytestmark = pytest.mark.thorough

PASSWORD = "correct horse battery staple"
REDIRECT_URI = "https://client.example/callback"


@pytest.fixture(scope="module")
def metadata(server: Server) -> dict[str, Any]:
    """What the server says of itself where RFC 8414 §3 says to look."""
    document: dict[str, Any] = httpx.get(f"{server.url}/.well-known/oauth-authorization-server/o").json()
    assert document["issuer"] == server.issuer
    return document


@pytest.fixture(scope="module", params=["client_secret_basic", "client_secret_post", "none"])
def session(server: Server, request: pytest.FixtureRequest) -> Iterator[OAuth2Session]:
    """A client of each kind of authentication."""
    kind = "public" if request.param == "none" else "confidential"
    made = server.create_client(
        kind, "authorization-code", redirect_uris=REDIRECT_URI, name=f"Authlib {request.param}"
    )
    with OAuth2Session(
        made["client_id"],
        made.get("client_secret"),
        token_endpoint_auth_method=request.param,
        scope="read",
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
    ) as session:
        yield session


def test_code_with_pkce_refresh_and_revoke(
    browser: Browser, session: OAuth2Session, metadata: dict[str, Any]
) -> None:
    verifier = "authlib-" + "v" * 50
    url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    browser.get(url)
    browser.sign_in("ann", PASSWORD)
    answer = browser.submit("consent-allow")
    token = session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=answer.headers["location"],
        state=state,
        code_verifier=verifier,
    )
    assert token["token_type"] == "Bearer"
    assert token["scope"] == "read"

    refreshed = session.refresh_token(metadata["token_endpoint"], token["refresh_token"])
    assert refreshed["access_token"] != token["access_token"]
    assert refreshed["refresh_token"] != token["refresh_token"]

    revoked = session.revoke_token(metadata["revocation_endpoint"], refreshed["refresh_token"])
    assert revoked.status_code == 200
    assert "content-type" not in revoked.headers
    with pytest.raises(Exception, match="invalid_grant"):
        session.refresh_token(metadata["token_endpoint"], refreshed["refresh_token"])


def test_client_credentials_and_introspection(server: Server, metadata: dict[str, Any]) -> None:
    made = server.create_client("confidential", "client-credentials")
    with OAuth2Session(made["client_id"], made["client_secret"]) as client:
        token = client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", scope="read")
        known = client.introspect_token(metadata["introspection_endpoint"], token["access_token"]).json()
        assert known["active"] is True
        assert known["client_id"] == made["client_id"]
        assert known["scope"] == "read"
        client.revoke_token(metadata["revocation_endpoint"], token["access_token"])
        gone = client.introspect_token(metadata["introspection_endpoint"], token["access_token"]).json()
    assert gone == {"active": False}
