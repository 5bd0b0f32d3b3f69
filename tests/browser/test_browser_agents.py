"""A real browser, and clients that nobody registered, that demand a fresh login, or that a demo plays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from security.driving import pkce
from support.server import CONFIGURATION, Server, free_port, running, start, stop, wait_until_up

from portula_testing.tls import Authority, HttpsServer, Reply

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HttpsServer, Path]]:
    folder, authority = tmp_path_factory.mktemp("documents"), Authority()
    with HttpsServer(authority, folder) as server:
        yield server, authority.write(folder)


@pytest.fixture(scope="module")
def server(documents: tuple[HttpsServer, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    given = {
        "CIMD_ENABLED": True,
        "FETCH_ALLOWED_PRIVATE_HOSTS": ["localhost", "127.0.0.1"],
        "FETCH_CA_BUNDLE": str(documents[1]),
    }
    lines = "".join(f"\n    {name!r}: {value!r}," for name, value in given.items())
    configuration = CONFIGURATION.replace("{", "{" + lines, 1)
    folder = tmp_path_factory.mktemp("agents") / "data"
    with running(folder, configuration=configuration) as running_server:
        running_server.create_user("ann", PASSWORD)
        yield running_server


@pytest.fixture
def client(documents: tuple[HttpsServer, Path]) -> str:
    """The address of a document of a client."""
    place = documents[0]
    document = {
        "client_id": f"{place.url}/agent.json",
        "client_name": "An agent",
        "redirect_uris": ["http://127.0.0.1:49999/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    }
    body = json.dumps(document).encode()
    place.answer("/agent.json", Reply(200, {"Content-Type": "application/json"}, body))
    return str(document["client_id"])


def ask(server: Server, client: str, challenge: str, **parameters: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": "http://127.0.0.1:49999/callback",
        "scope": "read",
        "state": "s",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **parameters,
    }
    return f"{server.issuer}/authorize/?{urlencode(asked)}"


def sign_in(page: Page, name: str = "ann", password: str = PASSWORD) -> None:
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.click("#login-submit")
    page.wait_for_load_state()


def sent_to(page: Page, button: str) -> dict[str, str]:
    """Press a button, and return the parameters of the address outside that the browser is sent to."""
    page.route("http://127.0.0.1:49999/**", lambda route: route.fulfill(body="The client is here."))
    with page.expect_request(lambda request: request.url.startswith("http://127.0.0.1:49999/")) as sent:
        page.click(button)
    page.wait_for_selector("text=The client is here.")
    return {name: values[0] for name, values in parse_qs(urlsplit(sent.value.url).query).items()}


def test_a_client_of_a_document_is_told_by_its_host_and_asked_about_each_time(
    server: Server, client: str, page: Page
) -> None:
    verifier, challenge = pkce()
    page.goto(ask(server, client, challenge))
    sign_in(page)
    shown = page.inner_text("main")
    assert "An agent" in shown
    assert urlsplit(client).hostname in shown
    answer = sent_to(page, "#consent-allow")
    form = {
        "grant_type": "authorization_code",
        "code": answer["code"],
        "redirect_uri": "http://127.0.0.1:49999/callback",
        "client_id": client,
        "code_verifier": verifier,
    }
    tokens = httpx.post(f"{server.issuer}/token/", data=form).json()
    assert tokens["token_type"] == "Bearer"
    page.goto(ask(server, client, challenge))
    assert page.locator("#consent-allow").count() == 1
    assert sent_to(page, "#consent-deny")["error"] == "access_denied"
    page.goto(f"{server.issuer}/authorized_tokens/")
    assert "An agent" in page.inner_text("main")


def test_who_is_signed_in_signs_in_again_where_a_resource_demands_it(
    server: Server, client: str, page: Page
) -> None:
    _, challenge = pkce()
    page.goto(ask(server, client, challenge))
    sign_in(page)
    page.goto(ask(server, client, challenge, max_age="0"))
    assert page.locator("#login-submit").count() == 1
    sign_in(page)
    assert "code" in sent_to(page, "#consent-allow")


def test_a_document_that_is_none_is_told_on_a_page_that_leads_nowhere(
    server: Server, documents: tuple[HttpsServer, Path], page: Page
) -> None:
    documents[0].answer("/bad.json", Reply(200, {"Content-Type": "application/json"}, b"{}"))
    answer = page.goto(ask(server, f"{documents[0].url}/bad.json", pkce()[1]))
    assert answer is not None
    assert answer.status == 400
    assert "cannot be answered" in page.inner_text("main")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, port = tmp_path_factory.mktemp("demo") / "data", free_port()
    process = start(["serve", "--demo", "--data-dir", str(folder), "--port", str(port)])
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(process, url)
        yield url
    finally:
        stop(process)


def look_until(page: Page, text: str) -> None:
    """Look again until a run shows something: after some seconds its page is shown as it stands."""
    page.wait_for_load_state()
    while not page.locator(f"text={text}").count():
        page.click("text=Refresh")
        page.wait_for_load_state()


def test_a_demo_plays_a_grant_and_shows_each_message(demo: str, page: Page) -> None:
    page.goto(demo)
    page.click("text=Play a client of each grant")
    page.click("main a:has-text('client_credentials')")
    page.click("#play")
    look_until(page, "access_token")
    shown = page.inner_text("main")
    assert "RFC 6749 §4.4.2" in shown
    assert "Bearer" in shown


def test_a_demo_plays_a_device_and_its_person(demo: str, page: Page) -> None:
    page.goto(f"{demo}/o/playground/?grant=device")
    page.click("#play")
    look_until(page, "RFC 8628 §3.3")
    assert "user_code" in page.inner_text("main")
    assert page.locator("main a[href*='/device/']").count()
