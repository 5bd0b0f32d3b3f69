"""Lists of clients that are known by a document show what is kept, and ask nobody."""

import json
from dataclasses import replace

import pytest
from support.browser import forms_of
from support.client_documents import CALLBACK, URL
from support.client_world import PARTY, World

from portula.cli.main import flask_group
from portula.errors import FetchFailed
from portula.plugin import Artifact, Plan
from portula_cimd.documents import KIND

APPS = "/o/authorized_tokens/"
HOUR, DAY = 3600, 86400


def connected(world, number=1, **members):
    """Let Ann allow some clients; return her browser."""
    browser = world.house.browser()
    for count in range(number):
        url = URL if count == 0 else f"{URL}.{count}"
        world.publish(url, client_name=f"App {count}", **members)
        browser.authorize(replace(PARTY, client_id=url))
    return browser


@pytest.mark.parametrize("later", [0, HOUR, 2 * DAY])
@pytest.mark.parametrize("source", ["there", "down", "gone", "changed"])
def test_the_page_of_connected_apps_fetches_nothing(later, source):
    world = World()
    browser = connected(world, 3)
    world.clock.forward(later)
    browser.sign_in()
    for url in list(world.web.published):
        if source == "down":
            world.web.published[url] = FetchFailed("nobody answers")
        elif source == "gone":
            del world.web.published[url]
        elif source == "changed":
            world.publish(url, client_name="Another name")
    before = len(world.web.fetched)
    page = browser.get(APPS)
    assert page.status_code == 200
    assert [f"App {number}" in page.text for number in range(3)] == [True] * 3
    assert len(world.web.fetched) == before


@pytest.mark.parametrize("later", [0, 2 * DAY])
def test_nor_does_a_process_that_was_started_anew(tmp_path, later):
    first = World(folder=tmp_path)
    connected(first, 2)
    first.house.close()
    world = World(folder=tmp_path)
    try:
        world.clock.forward(later)
        browser = world.house.browser()
        browser.sign_in()
        page = browser.get(APPS)
        assert "App 0" in page.text
        assert "App 1" in page.text
        assert world.web.fetched == []
    finally:
        world.house.close()


def test_nor_what_a_document_leads_to():
    world, sector = World(), "https://app.example/sector.json"
    world.web.published[sector] = json.dumps([CALLBACK]).encode()
    browser = connected(world, subject_type="pairwise", sector_identifier_uri=sector)
    assert sector in world.web.fetched
    world.clock.forward(2 * DAY)
    browser.sign_in()
    del world.web.fetched[:]
    assert "App 0" in browser.get(APPS).text
    assert world.web.fetched == []


def test_an_app_of_which_nothing_is_kept_is_listed_by_its_url():
    world = World()
    browser = connected(world)
    plan, world.web.published = Plan(), {}
    plan.remove(Artifact, digest=world.house.provider.keys.digest(KIND, URL))
    world.house.provider.storage.apply(plan)
    world.clock.forward(DAY)
    assert world.find() is None
    browser.sign_in()
    page = browser.get(APPS)
    assert URL in page.text
    assert "App 0" not in page.text


def test_access_is_taken_away_while_the_source_is_down():
    world = World()
    browser = connected(world)
    world.web.published[URL] = FetchFailed("nobody answers")
    world.clock.forward(2 * DAY)
    browser.sign_in()
    page = browser.get(APPS)
    before = len(world.web.fetched)
    browser.submit(page, next(iter(forms_of(page.text)[0].buttons)))
    assert "App 0" not in browser.get(APPS).text
    assert len(world.web.fetched) == before


def test_commands_name_a_client_by_its_document_without_fetching_it():
    world = World()
    connected(world)
    world.web.published[URL] = FetchFailed("nobody answers")
    world.clock.forward(2 * DAY)
    world.web.fetched.clear()
    runner = world.house.app.test_cli_runner()

    def run(*words):
        return json.loads(runner.invoke(flask_group, [*words, "--json"], catch_exceptions=False).stdout)

    (row,) = run("tokens", "list", "--client", URL)
    assert row["client_id"] == URL
    assert run("clients", "tokens", URL) == []
    assert run("tokens", "revoke", "--client", URL, "--yes") == {"revoked": 1}
    assert world.web.fetched == []
