"""axe-core finds nothing to object to on any page, light and wide, dark and narrow (WCAG 2.2 AA, and more).

With PORTULA_TEST_SCREENSHOTS=FOLDER each page is photographed there, to be looked at.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.every_page import sign_in
from support.pages_of_kinds import APPLICATION, BY_KIND, pages_of_kinds
from support.pages_site import Site, running_site
from support.shown_pages import SHOWN, Shown

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LOOKS = (("light", 1280), ("dark", 360))
RUN = """async () => (await axe.run(document, {
  resultTypes: ["violations"],
  rules: {"target-size": {enabled: true}},
})).violations.flatMap((rule) => rule.nodes.map(
  (node) => `${rule.id} at ${node.target.join(" ")}: ${rule.help} (${rule.helpUrl})`))
"""
WIDTH = "() => document.documentElement.scrollWidth"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("pages")) as running:
        yield running


@pytest.fixture(scope="module")
def axe() -> str:
    return Path(os.environ["PORTULA_TEST_NODE_MODULES"], "axe-core", "axe.min.js").read_text()


def _browse(chromium: Browser, site: Site) -> BrowserContext:
    """Return a browser that runs no script of a page, so that none goes on by itself, and reaches nobody else."""
    context = chromium.new_context()
    context.route(re.compile(rf"^(?!{re.escape(site.url)}/)|\.js$"), lambda route: route.abort())
    context.set_default_timeout(15_000)
    return context


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, site: Site) -> dict[str, list]:
    """Cookies of each person."""
    cookies = {"nobody": []}
    for who in ("ann", "root", "helper", "guest"):
        context = _browse(chromium, site)
        page = context.new_page()
        page.goto(f"{site.url}/accounts/")
        sign_in(page, who)
        page.wait_for_selector("text=Your account")
        cookies[who] = context.cookies()
        context.close()
    return cookies


@pytest.fixture
def page_of(chromium: Browser, site: Site, signed_in: dict[str, list]):
    """Return a function that opens a browser of somebody."""
    contexts = []

    def open_page(who: str) -> Page:
        contexts.append(_browse(chromium, site))
        contexts[-1].add_cookies(signed_in[who])
        return contexts[-1].new_page()

    yield open_page
    for context in contexts:
        context.close()


def problems(page: Page, axe: str, name: str) -> list[str]:
    """Return what is wrong with the page that is open, as it looks in each way."""
    found = []
    page.wait_for_load_state()  # a click returns when the page has begun
    page.locator("details").evaluate_all("all => all.forEach(details => details.open = true)")
    page.evaluate(axe)
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 800})
        looked = f"{name}, {scheme}, {width} px"
        found += [f"{looked}: {problem}" for problem in page.evaluate(RUN)]
        if page.evaluate(WIDTH) > width:
            found.append(f"{looked}: the page is wider than the window")
        if folder := os.environ.get("PORTULA_TEST_SCREENSHOTS"):
            file = f"{re.sub('[^a-z]+', '-', name.partition('?')[0])}-{scheme}.png"
            page.screenshot(path=Path(folder, file), full_page=True)
    return found


def test_what_is_wrong_is_found(chromium: Browser, axe: str) -> None:
    page = chromium.new_page()
    page.set_content("<p style='width: 2000px; color: #777; background: #888'>Hello</p>")
    found = "\n".join(problems(page, axe, "bad"))
    page.context.close()
    assert "bad, light, 1280 px: color-contrast at p: Elements must meet" in found
    assert "bad, dark, 360 px: document-title at html" in found
    assert "bad, dark, 360 px: the page is wider than the window" in found


@pytest.mark.parametrize("shown", [pytest.param(shown, id=shown.name) for shown in SHOWN])
def test_nothing_is_wrong_with(site: Site, page_of, axe: str, shown: Shown) -> None:
    page = page_of(shown.who)
    shown.open(site, page)
    assert site.answer == (shown.view, shown.status)
    assert site.template == shown.template
    found = problems(page, axe, shown.name)
    assert not found, "\n".join(found)


def test_nothing_is_wrong_with_the_pages_of_any_kind_of_records(site: Site, page_of, axe: str) -> None:
    page, found, opened, templates = page_of("root"), [], set(), set()
    for name in pages_of_kinds(site, page):
        opened.add(site.answer[0])
        templates.add(site.template)
        found += problems(page, axe, name)
    assert not found, "\n".join(found)
    assert opened >= set(BY_KIND)
    assert templates >= {*BY_KIND.values(), APPLICATION}
