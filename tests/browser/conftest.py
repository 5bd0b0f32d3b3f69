"""The browser of all tests here, and a page of it, with JavaScript and without."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # installed for the tests with the browser alone

    path = shutil.which("chromium")
    assert path, "chromium is missing; `make services` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(params=[True, False], ids=["javascript", "no-javascript"])
def javascript(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def page(chromium: Browser, javascript: bool) -> Iterator[Page]:
    context = chromium.new_context(java_script_enabled=javascript)
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    yield opened
    context.close()
