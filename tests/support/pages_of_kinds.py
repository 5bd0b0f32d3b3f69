"""The administrator's pages of each kind of records, found as people find them: by links."""

from collections.abc import Iterator
from typing import Any

from support.pages_site import Site

BY_KIND = {
    "portula_admin.records": "portula_admin/records.html",
    "portula_admin.view": "portula_admin/record.html",
    "portula_admin.act": "portula_admin/confirm.html",
    "portula_admin.managed": "portula_admin/managed_list.html",
    "portula_admin.managed_view": "portula_admin/managed.html",
    "portula_admin.managed_edit": "portula_admin/managed_form.html",
    "portula_admin.managed_act": "portula_admin/managed_confirm.html",
}
"""Views of `pages_of_kinds`, and their templates; the record of an application has one of its own."""
APPLICATION = "portula_admin/application.html"


def pages_of_kinds(site: Site, page: Any) -> Iterator[str]:
    """Open what each link of the navigation leads to, and yield its name, as often as there is a page."""
    page.goto(f"{site.url}/o/admin/")
    lists = _hrefs(page, ".bar-nav a")
    for address in lists:
        yield from _pages_of_list(site, page, address)
    page.goto(f"{site.url}/o/admin/manage/users/view/?id={site.ann.sub}")
    for address in _first_of_each(_hrefs(page, ".panel .row-link")):
        yield from _pages_of_record(site, page, address)


def _pages_of_list(site, page, address):
    page.goto(f"{site.url}{address}")
    yield f"list {address}"
    records, ways = _hrefs(page, ".row-link"), _hrefs(page, ".title-line > a")
    for way in ways:
        page.goto(f"{site.url}{way}")
        yield f"form {way}"
        if page.locator("#save").count():
            page.locator("form").evaluate("form => form.noValidate = true")
            page.click("#save")
            yield f"form with errors {way}"
    for record in records[:1]:
        yield from _pages_of_record(site, page, record)


def _pages_of_record(site, page, address):
    page.goto(f"{site.url}{address}")
    yield f"record {address}"
    ways = _hrefs(page, ".title-line a")
    values = page.locator(".title-line button[name=action]").evaluate_all("all => all.map(b => b.value)")
    for value in values:
        page.goto(f"{site.url}{address}")
        page.click(f".title-line button[value={value}]")
        yield f"{value} {address}"
    for way in ways:
        page.goto(f"{site.url}{way}")
        yield f"edit {way}"


def _hrefs(page, selector):
    return page.locator(selector).evaluate_all("all => all.map(a => a.getAttribute('href'))")


def _first_of_each(addresses):
    """Return the first address of each path."""
    return list({address.partition("?")[0]: address for address in reversed(addresses)}.values())
