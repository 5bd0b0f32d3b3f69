"""A real browser, as narrow as a telephone and by its keyboard alone, connects a device (RFC 8628 §3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.server import Server, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("device") / "data") as running_server:
        running_server.create_user("ann", PASSWORD)
        yield running_server


@pytest.fixture(scope="module")
def television(server: Server) -> dict[str, str]:
    made = server.run("createapplication", "public", GRANT, "refresh-token", "--name", "A television")
    return {"client_id": made["client_id"]}


@pytest.fixture
def codes(server: Server, television: dict[str, str]) -> Any:
    answer = httpx.post(f"{server.issuer}/device_authorization/", data={**television, "scope": "openid read"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def poll(server: Server, television: dict[str, str], codes: Any) -> Any:
    form = {**television, "grant_type": GRANT, "device_code": codes["device_code"]}
    return httpx.post(f"{server.issuer}/token/", data=form).json()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(20):
        if page.locator(f"{selector}:focus").count():
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached by the keyboard")


def connect(page: Page, address: str, code: str, button: str) -> None:
    """Go the whole way by the keyboard; `code` is empty where the address has it."""
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(address)
    page.wait_for_selector("#user_code:focus")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    page.wait_for_selector("input[name=username]:focus")
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("#consent-allow")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    tab_to(page, button)
    page.keyboard.press("Enter")


def test_a_person_types_the_code_and_allows_the_device(
    server: Server, page: Page, television: dict[str, str], codes: Any
) -> None:
    connect(page, codes["verification_uri"], codes["user_code"].lower(), "#consent-allow")
    page.wait_for_selector("text=The device is connected")
    page.reload()
    page.wait_for_selector("text=The device is connected")
    assert poll(server, television, codes)["token_type"] == "Bearer"


def test_the_address_with_the_code_leads_to_the_same_page(
    server: Server, page: Page, television: dict[str, str], codes: Any
) -> None:
    connect(page, codes["verification_uri_complete"], "", "#consent-deny")
    page.wait_for_selector("text=The device gets nothing")
    assert poll(server, television, codes)["error"] == "access_denied"


def test_both_buttons_are_of_one_size(server: Server, page: Page, codes: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(codes["verification_uri_complete"])
    page.click("#device-continue")
    page.fill("input[name=username]", "ann")
    page.fill("input[name=password]", PASSWORD)
    page.click("#login-submit")
    page.wait_for_load_state()  # the style sheet too
    sizes = [page.locator(name).bounding_box() for name in ("#consent-deny", "#consent-allow")]
    deny, allow = [(box["width"], box["height"]) for box in sizes if box]
    assert deny == allow
