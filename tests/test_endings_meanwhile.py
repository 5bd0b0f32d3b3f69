"""What an authorization rests on ends while it is made: the session, the account, what the person allowed before."""

import pytest
from support.browser import forms_of

from portula import Plugin, hookimpl
from portula.plugin import Authorization
from portula_testing.provider import client_for, installed_rooms, make_provider

PASSWORD = "a long password of hers"
CALLBACK = "https://client.example/cb"
ISSUER = "http://localhost/o"


class Meanwhile(Plugin):
    """Does something once, between the judgement of a request and the moment at which it is written."""

    act = None

    @hookimpl
    def portula_record_authorization(self, event):
        act, self.act = self.act, None
        if act is not None:
            act()


class House:
    """A provider with people of its own, one of whom is signed in."""

    def __init__(self):
        self.meanwhile = Meanwhile()
        self.provider = make_provider(
            *[room for room in installed_rooms() if room not in ("storage_sql", "storage_redis")],
            self.meanwhile,
            settings={"OIDC_ISS_ENDPOINT": ISSUER, "OIDC_ENABLED": True},
        )
        self.ask = self.provider.hooks.ask
        self.users = self.ask(Plugin.portula_login).users
        with self.provider.app.app_context():
            self.ann = self.users.create("ann", PASSWORD)
            self.client, _ = client_for(
                self.provider, "authorization_code", redirect_uris=(CALLBACK,), require_pkce=False
            )
        self.browser = self.provider.app.test_client()
        self.sign_in()

    def sign_in(self):
        self.post("/accounts/login/", username="ann", password=PASSWORD)

    def post(self, path, browser=None, **fields):
        browser = browser or self.browser
        form = forms_of(browser.get(path).text)[0]
        return browser.post(form.action or path, data={**form.fields, **fields})

    def other_tab(self):
        """Return a browser with the cookies of this one."""
        tab = self.provider.app.test_client()
        for cookie in self.browser._cookies.values():
            tab.set_cookie(cookie.key, cookie.value)
        return tab

    def authorize(self, **further):
        query = {
            "client_id": self.client.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            **further,
        }
        return self.browser.get("/o/authorize/", query_string=query)

    def allow(self):
        form = forms_of(self.authorize().text)[0]
        return self.browser.post(form.action, data={**form.fields, "allow": "yes"})

    def live(self):
        given = self.provider.storage.select(Authorization, subject=self.ann.sub)
        return [each for each in given if each.revoked_at is None]

    def sign_out(self):
        assert self.post("/accounts/logout/", self.other_tab()).status_code == 200

    def disable_for_a_moment(self):
        self.users.disable(self.ann)
        self.users.enable(self.ann)

    def set_password(self):
        self.users.set_password(self.ann, "wholly other words", end_apps=True)

    def take_back(self):
        self.ask(Plugin.portula_consent).memory.withdraw(self.ann.sub, self.client.client_id)

    def take_all_back(self):
        plan = self.users.plan_end_of_links(self.ann)
        self.ask(Plugin.portula_consent).forget(self.ann.sub, plan)
        self.provider.storage.apply(plan)


ENDS = ["sign_out", "disable_for_a_moment", "set_password"]


@pytest.fixture
def house():
    return House()


@pytest.mark.parametrize("end", ENDS)
def test_nothing_begins_in_a_session_that_ended_meanwhile(house, end):
    """Whoever ended it wanted all of it to end; and no app could be told of the end that was before it."""
    assert "code=" in house.allow().location
    before = len(house.live())
    house.meanwhile.act = getattr(house, end)
    answer = house.authorize(prompt="none")
    assert "error=login_required" in answer.location
    assert len(house.live()) <= before
    assert house.browser.get("/accounts/").status_code == 302


@pytest.mark.parametrize("end", ENDS)
def test_an_answer_comes_too_late_for_a_session_that_ended_meanwhile(house, end):
    house.meanwhile.act = getattr(house, end)
    answer = house.allow()
    assert answer.status_code == 400
    assert house.live() == []


@pytest.mark.parametrize("end", ["take_back", "take_all_back"])
def test_what_was_taken_back_meanwhile_is_asked_about_again(house, end):
    assert "code=" in house.allow().location
    house.meanwhile.act = getattr(house, end)
    before = {each.id for each in house.live()}
    answer = house.authorize(prompt="none")
    assert "error=consent_required" in answer.location
    assert {each.id for each in house.live()} <= before


def test_what_was_taken_back_before_the_answer_came_is_allowed_by_it(house):
    """The person answers a page that asks about all of it."""
    house.meanwhile.act = house.take_back
    assert "code=" in house.allow().location
    assert len(house.live()) == 1
