"""While the storage does not answer: 503, or `temporarily_unavailable` at the redirect URI, and one line of log."""

import logging

import pytest

from failures.flows import FLOWS
from failures.houses import House, expect
from portula import Plugin
from portula.errors import StorageDown
from portula.plugin import Application
from portula_testing.failures import crossings, failing

TELLING = {"client credentials", "code", "refresh", "userinfo", "login", "logout"}
"""Flows whose reads and writes are unlike each other's; of the others every call meets it below."""


@pytest.mark.parametrize("flow", [flow for flow in FLOWS if flow.name in TELLING], ids=lambda flow: flow.name)
def test_the_storage_is_down_for_the_first_read_and_the_last_write(flow, caplog):
    labels = [label for label in crossings(flow) if label.startswith("store.")]
    writes = [label for label in labels if label.startswith("store.apply")]
    for label in dict.fromkeys(labels[:1] + writes[-1:]):
        assert failing(flow, label, StorageDown, fault="outage") == []
    assert "Traceback" not in caplog.text


@pytest.mark.thorough
def test_the_storage_is_down_at_any_call(flow, store_call):
    assert failing(flow, store_call, StorageDown, fault="outage") == []


@pytest.fixture
def house():
    made = House()
    made.restart()
    made.client("client_credentials", "authorization_code")
    made.person()
    return made


@pytest.fixture
def down(house, monkeypatch):
    """Return a function that lets the store answer no more, and one that lets it answer again."""

    def fail(*args, **kwargs):
        raise StorageDown("DATABASE_URL: nobody answers there")

    def begin():
        for verb in ("find", "select", "apply", "walk"):
            monkeypatch.setattr(house.provider.storage, verb, fail)
        monkeypatch.setattr(house.provider.storage, "find_along", fail)

    return begin, monkeypatch.undo


def test_a_token_request_is_one_line(house, down, caplog):
    down[0]()
    caplog.set_level(logging.INFO, "portula")
    answer = house.browser().post("/o/token/", data={"grant_type": "client_credentials"}, headers=house.basic)
    assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "5"
    (line,) = caplog.records
    assert line.exc_info is None
    assert "nobody answers there" in line.getMessage()
    assert "nobody answers there" not in answer.text
    down[1]()
    expect(
        house.browser().post("/o/token/", data={"grant_type": "client_credentials"}, headers=house.basic), 200
    )


@pytest.mark.parametrize("path", ["/o/authorize/?client_id=x", "/accounts/", "/o/admin/"])
def test_a_page_is_a_page_of_the_house(house, down, path, caplog):
    browser = house.browser()
    house.sign_in(browser)
    down[0]()
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Content-Security-Policy" in answer.headers
    assert "Not available just now" in answer.text
    assert "Traceback" not in caplog.text


def test_the_client_hears_of_it_where_it_is_known(house, down, monkeypatch):
    browser = house.browser()
    house.sign_in(browser)
    find, fail = house.provider.storage.find, []

    def fails_after_the_client(cls, **keys):
        if fail and cls is not Application:
            raise StorageDown("DATABASE_URL: nobody answers there")
        fail.append(cls)
        return find(cls, **keys)

    monkeypatch.setattr(house.provider.storage, "find", fails_after_the_client)
    answer = house.ask(browser)
    assert answer.status_code == 302
    assert "error=temporarily_unavailable" in answer.location
    assert "state=the+state" in answer.location


def test_keys_in_memory_are_published_and_sign(house, down, caplog):
    jose = house.provider.hooks.ask(Plugin.portula_jose)
    before = house.browser().get("/o/.well-known/jwks.json")
    down[0]()
    house.clock.advance(60)
    after = house.browser().get("/o/.well-known/jwks.json")
    assert (after.status_code, after.json) == (200, before.json)
    assert jose.sign({}, typ="JWT", algorithm="ES256")
    assert len([line for line in caplog.records if "signing keys" in line.getMessage()]) == 1
    assert house.browser().get("/o/.well-known/openid-configuration").status_code == 200


def test_a_veto_that_meets_it_refuses_and_blames_nobody(house):
    class Rule(Plugin):
        def portula_validate_token_request(self, exchange):
            raise StorageDown("DATABASE_URL: nobody answers there")

    class Ruled(House):
        def plugins(self):
            return (Rule(),)

    flow = Ruled()
    flow.restart()
    flow.client("client_credentials")
    answer = flow.browser().post("/o/token/", data={"grant_type": "client_credentials"}, headers=flow.basic)
    assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
