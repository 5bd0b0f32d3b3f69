"""A real browser administers: with and without JavaScript, wide and narrow, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.server import Server, running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PASSWORD = "correct horse battery staple"
WIDTHS = {"phone": 360, "desk": 1440}
PATHS = (
    *("", "application/", "access-token/", "refresh-token/", "grant/", "system/", "application/add/"),
    *("manage/users/", "manage/users/edit/", "manage/keys/"),
    *("manage/initial-access-tokens/", "manage/initial-access-tokens/edit/"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("admin") / "data") as running_server:
        running_server.run("createuser", "ada", "--admin", "--password-stdin", text=PASSWORD)
        running_server.create_client(
            "confidential",
            "client-credentials",
            name="A name that is longer than a phone is wide, no end in sight",
        )
        yield running_server


@pytest.fixture(params=WIDTHS)
def page(chromium: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Page]:
    phone = request.param == "phone"
    context = chromium.new_context(
        viewport={"width": WIDTHS[request.param], "height": 800},
        color_scheme="dark" if phone else "light",
        java_script_enabled=not phone,
    )
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    opened.goto(f"{server.issuer}/admin/")
    opened.fill("input[name=username]", "ada")
    opened.fill("input[name=password]", PASSWORD)
    opened.click("#login-submit")
    opened.wait_for_selector("h1:text('Admin')")
    yield opened
    context.close()


def test_a_client_is_made_edited_given_a_second_secret_and_switched_off(server: Server, page: Page) -> None:
    page.click("a.door:has-text('Applications')")
    page.click("text=New application")
    page.fill("input[name=name]", "Courier")
    page.fill("textarea[name=redirect_uris]", "ftp://courier.example/cb")
    page.click("#save")
    page.wait_for_selector(".notice-error")
    page.fill("textarea[name=redirect_uris]", "https://courier.example/cb")
    page.click("#save")
    first = page.text_content("#client-secret")
    page.click("text=I have copied it")
    page.click("#add-secret")
    assert page.text_content("#client-secret") != first
    page.click("text=I have copied it")
    page.click(".secret-list button >> nth=0")
    page.click("#confirm")
    page.wait_for_selector("text=The secret was removed.")
    page.click("text=Edit")
    page.fill("input[name=name]", "Carrier")
    page.click("#save")
    page.wait_for_selector("h1:has-text('Carrier')")
    page.click("button:has-text('Disable')")
    page.click("#confirm")
    page.wait_for_selector("text=1 application disabled.")


def test_no_page_is_wider_than_the_window_and_none_runs_a_script(
    server: Server, page: Page, tmp_path: Path
) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for path in PATHS:
        page.goto(f"{server.issuer}/admin/{path}")
        picture = page.screenshot(path=tmp_path / f"{re.sub('[^a-z]', '-', path)}.png", full_page=True)
        width = int.from_bytes(picture[16:20], "big")  # of the PNG, which is as wide as the page
        viewport = page.viewport_size
        assert viewport is not None
        assert width == viewport["width"], path
    assert complaints == []


def test_the_keyboard_reaches_the_first_link_with_a_ring_around_it(server: Server, page: Page) -> None:
    page.goto(f"{server.issuer}/admin/")
    page.keyboard.press("Tab")
    assert page.locator(":focus-visible").count() == 1
