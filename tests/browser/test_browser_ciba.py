"""A real browser, as narrow as a telephone and by its keyboard alone, answers apps that ask for somebody (CIBA §8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.backchannel import GRANT, PATH
from support.server import CONFIGURATION, Server, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PASSWORD = "correct horse battery staple"
OPEN = "a[href*='backchannel_request=']"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    configuration = CONFIGURATION.replace("{", '{\n    "CIBA_MAX_REQUESTS_PER_USER": 64,', 1)
    with running(tmp_path_factory.mktemp("ciba") / "data", configuration=configuration) as running_server:
        running_server.create_user("ann", PASSWORD)
        yield running_server


@pytest.fixture(scope="module")
def till(server: Server) -> tuple[str, str]:
    made = server.run("createapplication", "confidential", GRANT, "refresh-token", "--name", "A till")
    return made["client_id"], made["client_secret"]


def ask(server: Server, till: tuple[str, str], message: str) -> str:
    form = {"scope": "openid read", "login_hint": "ann", "binding_message": message}
    answer = httpx.post(f"{server.url}{PATH}", data=form, auth=till)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["auth_req_id"])


def poll(server: Server, till: tuple[str, str], auth_req_id: str) -> Any:
    form = {"grant_type": GRANT, "auth_req_id": auth_req_id}
    return httpx.post(f"{server.issuer}/token/", data=form, auth=till).json()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(20):
        if page.locator(f"{selector}:focus").count():
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by the keyboard")


def look(page: Page, server: Server) -> None:
    """Open what waits, on a telephone, and sign in by the keyboard."""
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{server.issuer}/ciba/")
    page.wait_for_selector("input[name=username]:focus")
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Requests waiting for you')")


def answer(page: Page, message: str, button: str) -> str:
    """Open the request with a message, press a button, and return the address of the page that asked."""
    tab_to(page, f"li:has-text('{message}') {OPEN}")
    page.keyboard.press("Enter")
    page.wait_for_selector("#consent-allow")
    assert message in page.inner_text("main")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    asked = page.url
    tab_to(page, button)
    page.keyboard.press("Enter")
    return asked


def test_a_person_allows_what_they_expect_and_is_not_asked_again(
    server: Server, page: Page, till: tuple[str, str]
) -> None:
    auth_req_id = ask(server, till, "W4SCT")
    look(page, server)
    asked = answer(page, "W4SCT", "#consent-allow")
    page.wait_for_selector("text=The app may go on")
    page.reload()
    page.wait_for_selector("text=The app may go on")
    assert poll(server, till, auth_req_id)["token_type"] == "Bearer"
    page.goto(asked)
    page.wait_for_selector("text=Nothing waits for you here")
    tab_to(page, "a:has-text('Requests waiting for you')")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Requests waiting for you')")
    assert "W4SCT" not in page.inner_text("main")


def test_of_two_requests_a_person_denies_the_one_that_is_not_theirs(
    server: Server, page: Page, till: tuple[str, str]
) -> None:
    theirs, another = ask(server, till, "TABLE 12"), ask(server, till, "TABLE 99")
    look(page, server)
    answer(page, "TABLE 99", "#consent-deny")
    page.wait_for_selector("text=The app gets nothing")
    assert poll(server, till, another)["error"] == "access_denied"
    assert poll(server, till, theirs)["error"] == "authorization_pending"


def test_both_buttons_are_of_one_size(server: Server, page: Page, till: tuple[str, str]) -> None:
    ask(server, till, "TABLE 7")
    look(page, server)
    page.click(f"li:has-text('TABLE 7') {OPEN}")
    page.wait_for_load_state()  # the style sheet too
    sizes = [page.locator(name).bounding_box() for name in ("#consent-deny", "#consent-allow")]
    deny, allow = [(box["width"], box["height"]) for box in sizes if box]
    assert deny == allow
