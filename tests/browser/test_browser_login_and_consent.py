"""A real browser signs in and consents, with and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest
from support.server import Server, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("browser") / "data") as running_server:
        running_server.create_user("ann", PASSWORD)
        yield running_server


def _open_consent(server: Server, page: Page, response_mode: str = "query") -> str:
    """Open the authorization endpoint, sign in if asked, and return the redirect URI's path on the server."""
    redirect_uri = f"{server.url}/client-lands-here"
    client = server.create_client(
        "confidential", "authorization-code", redirect_uris=redirect_uri, name="Browser app"
    )
    page.goto(
        f"{server.issuer}/authorize/?response_type=code&client_id={client['client_id']}&state=s&scope=read"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        f"&response_mode={response_mode}"
    )
    page.wait_for_selector("text=Browser app")
    page.fill("input[name=username]", "ann")
    page.fill("input[name=password]", PASSWORD)
    page.click("#login-submit")
    page.wait_for_selector("#consent-allow")
    assert "Reading scope" in page.content()
    return redirect_uri


def test_login_and_allow(server: Server, page: Page, tmp_path: Path) -> None:
    redirect_uri = _open_consent(server, page)
    page.screenshot(path=tmp_path / "consent.png")
    page.click("#consent-allow")
    page.wait_for_url(f"{redirect_uri}*")
    sent = dict(parse_qsl(urlsplit(page.url).query))
    assert sent["state"] == "s"
    assert sent["iss"] == server.issuer
    assert len(sent["code"]) >= 43


def test_login_and_deny(server: Server, page: Page) -> None:
    redirect_uri = _open_consent(server, page)
    page.click("#consent-deny")
    page.wait_for_url(f"{redirect_uri}*")
    sent = dict(parse_qsl(urlsplit(page.url).query))
    assert sent["error"] == "access_denied"
    assert "code" not in sent


def test_a_form_posted_response_arrives(server: Server, page: Page, javascript: bool) -> None:
    redirect_uri = _open_consent(server, page, "form_post")
    with page.expect_request(
        lambda request: request.url == redirect_uri and request.method == "POST"
    ) as arriving:
        page.click("#consent-allow")
        if not javascript:
            page.click("text=Continue")
    posted = dict(parse_qsl(arriving.value.post_data or ""))
    assert posted["state"] == "s"
    assert posted["iss"] == server.issuer
    assert posted["code"]


def test_connected_apps_and_sign_out(server: Server, page: Page) -> None:
    redirect_uri = _open_consent(server, page)
    page.click("#consent-allow")
    page.wait_for_url(f"{redirect_uri}*")
    page.goto(f"{server.issuer}/authorized_tokens/")
    page.wait_for_selector("text=Browser app")
    page.goto(f"{server.url}/accounts/logout/")
    page.click("#logout-confirm")
    page.goto(f"{server.issuer}/authorized_tokens/")
    page.wait_for_selector("#login-submit")
