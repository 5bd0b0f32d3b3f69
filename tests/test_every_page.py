"""No page is forgotten by the tests that open every page (tests/browser/test_browser_accessibility.py)."""

from pathlib import Path

import pytest
from support.every_page import NO_PAGES, NO_TEMPLATES
from support.pages_of_kinds import APPLICATION, BY_KIND
from support.pages_site import Site
from support.shown_pages import SHOWN

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Site(tmp_path_factory.mktemp("site"))
    with made.listener:
        yield made


def test_every_view_that_answers_get_is_opened_or_named_with_a_reason(site):
    answering = {
        rule.endpoint
        for rule in site.app.url_map.iter_rules()
        if rule.methods and "GET" in rule.methods and rule.rule not in site.provider.machine_endpoints.paths
    }
    opened = {page.view for page in SHOWN} | set(BY_KIND)
    assert answering - opened == set(NO_PAGES)


def test_every_template_is_opened_or_named_with_a_reason():
    found = {
        path.relative_to(path.parents[1]).as_posix()
        for folder in ("core", "plugins")
        for path in (ROOT / folder).glob("**/src/**/templates/*/*.html")
        if not path.name.startswith("_")
    }
    opened = {page.template for page in SHOWN} | set(BY_KIND.values()) | {APPLICATION}
    assert found - opened == set(NO_TEMPLATES)
    assert opened <= found


def test_a_page_is_called_by_one_name():
    names = [page.name for page in SHOWN]
    assert len(set(names)) == len(names)
