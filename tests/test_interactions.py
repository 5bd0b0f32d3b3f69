"""A page on which a person decides, called by a room of its own: a device flow in process (attack S71)."""

import importlib.util
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from support.browser import forms_of

from portula import Plugin, hookimpl
from portula.plugin import Application, Artifact, AuthenticatedUser, Authorization, Demands, Login, User
from portula_testing.provider import client_for, make_provider
from portula_testing.writing import remove_from

ROOMS = ("generators", "oauth2", "scopes_settings", "consent")
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
SPIKE = Path(__file__).parent / "plugins" / "dists" / "spike_device" / "portula_spike_device.py"


def spike():
    spec = importlib.util.spec_from_file_location("portula_spike_device", SPIKE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class People(Login):
    """Who sits at the browser: set by hand."""

    def __init__(self):
        self.name, self.act = "ann", "1"

    @hookimpl
    def portula_login(self, provider):
        return self

    def current(self):
        return self.name and AuthenticatedUser(
            self.name, self.name, 1_700_000_000, sid="s", authentication=self.act
        )

    def login_url(self, next_url, client=None):
        return f"/login?next={next_url}"

    def sign_out(self):
        self.name = None

    def find(self, subject):
        return User(subject, subject)


class House:
    def __init__(self, *plugins):
        self.people = People()
        self.provider = make_provider(
            *ROOMS, spike(), self.people, *plugins, settings={"OIDC_ISS_ENDPOINT": "http://localhost/o"}
        )
        self.client, self.secret = client_for(self.provider, GRANT, "refresh_token", "authorization_code")
        self.browser = self.provider.app.test_client()
        begun = self.post("device_authorization", scope="read")
        assert begun.status_code == 200, begun.text
        self.device, self.user = begun.json["device_code"], begun.json["user_code"]
        self.url = f"/o/device/?user_code={self.user}"

    def post(self, endpoint, **form):
        auth = (self.client.client_id, self.secret)
        return self.provider.app.test_client().post(f"/o/{endpoint}/", data=form, auth=auth)

    def poll(self):
        return self.post("token", grant_type=GRANT, device_code=self.device)

    def page(self, url=None):
        page = self.browser.get(url or self.url)
        assert page.status_code == 200, page.text
        return page

    def press(self, page, button="consent-allow", browser=None):
        (form,) = forms_of(page.text)
        name, value = form.buttons[button]
        return (browser or self.browser).post(form.action, data={**form.fields, name: value})

    def kept(self, cls=Authorization):
        return self.provider.storage.select(cls)


@pytest.fixture
def house():
    return House()


def test_what_a_person_allows_is_the_devices(house):
    assert house.poll().json["error"] == "authorization_pending"
    page = house.page()
    assert "Read" in page.text or "read" in page.text
    assert "Afterwards you go to" not in page.text
    assert house.press(page).text == "You can go back to your device."
    (given,) = house.kept()
    assert (given.subject, given.scope, given.sid, given.auth_time) == ("ann", "read", "s", 1_700_000_000)
    assert house.poll().json["scope"] == "read"
    assert house.poll().json["error"] == "invalid_grant"


def test_what_they_deny_it_does_not_get(house):
    house.press(house.page(), "consent-deny")
    assert house.kept() == []
    assert house.poll().json["error"] == "access_denied"


def test_it_is_remembered_with_the_answer_and_asked_about_all_the_same(house):
    house.press(house.page())
    consent = house.provider.hooks.ask(Plugin.portula_consent)
    with house.provider.app.test_request_context():
        assert consent.recall(house.client, "ann") == {"read"}
    begun = house.post("device_authorization", scope="read").json
    assert "consent-allow" in house.page(f"/o/device/?user_code={begun['user_code']}").text


def test_a_second_click_and_a_second_page_do_nothing_more(house):
    first, second = house.page(), house.page()
    house.press(first)
    assert house.press(first).status_code == 400
    assert "no such code" in house.press(second, "consent-deny").text
    assert len(house.kept()) == 1
    assert house.poll().status_code == 200


def test_another_browser_cannot_answer(house):
    other = house.provider.app.test_client()
    assert house.press(house.page(), browser=other).status_code == 400
    assert house.kept() == []


@pytest.mark.parametrize("name", ["bob", None])
def test_who_comes_in_between_cannot_answer(house, name):
    page = house.page()
    house.people.name = name
    assert house.press(page).status_code == 400
    assert house.kept() == []


def test_who_is_not_signed_in_goes_to_the_login_and_comes_back(house):
    house.people.name = None
    to = urlsplit(house.browser.get(house.url).location)
    assert to.path == "/login"
    house.people.name = "ann"
    assert "consent-allow" in house.page(parse_qs(to.query)["next"][0]).text


def test_what_plugins_demand_holds_there_too():
    class Again:
        @hookimpl
        def portula_interaction_demands(self, interaction):
            return Demands(login=not interaction.fresh)

    house = House(Again())
    to = parse_qs(urlsplit(house.browser.get(house.url).location).query)["next"][0]
    assert house.browser.get(to).status_code == 302
    house.people.act = "2"
    house.press(house.page(to))
    assert len(house.kept()) == 1


def test_what_plugins_keep_beside_an_authorization_is_kept_with_it():
    class Audit:
        fails = False

        @hookimpl
        def portula_record_authorization(self, event):
            if self.fails:
                raise OSError("away")
            return [Artifact(digest=event.id, kind="audit", payload=event.as_json(), issued_at=event.at)]

    audit = Audit()
    house = House(audit)
    audit.fails = True
    page = house.page()
    assert house.press(page).status_code == 500
    assert house.kept() == []
    audit.fails = False
    assert house.press(page).status_code == 200
    (noted,) = [kept.payload for kept in house.kept(Artifact) if kept.kind == "audit"]
    assert (noted["client_id"], noted["subject"], noted["sid"]) == (house.client.client_id, "ann", "s")


def test_a_code_that_is_typed_into_a_form_is_asked_about(house):
    there = house.browser.post("/o/device/", data={"user_code": house.user})
    assert there.status_code == 303
    assert "consent-allow" in house.page(there.location).text


@pytest.mark.parametrize("query", ["", "?user_code=x", "?interaction=x", "?user_code=x&user_code=y"])
def test_what_nobody_asked_for_is_a_page_that_says_so(house, query):
    assert house.browser.get(f"/o/device/{query}").status_code == 400


def test_a_page_of_one_room_is_no_page_of_another(house):
    name = forms_of(house.page().text)[0].fields["interaction"]
    answer = house.browser.get(f"/o/authorize/?interaction={name}")
    assert (answer.status_code, "waited too long" in answer.text) == (400, True)


def test_a_client_that_is_gone_gets_nothing(house):
    page = house.page()
    remove_from(house.provider.storage, Application, client_id=house.client.client_id)
    assert house.press(page).status_code == 400
    assert house.kept() == []


def test_what_fails_is_a_page_and_keeps_nothing(house, monkeypatch):
    def fail(plan):
        raise OSError("the store is away")

    page = house.page()
    monkeypatch.setattr(house.provider.storage, "apply", fail)
    answer = house.press(page)
    monkeypatch.undo()
    assert (answer.status_code, "server_error" in answer.text) == (500, True)
    assert house.kept() == []
    assert "allowed" not in next(kept for kept in house.kept(Artifact) if kept.kind == "user_code").payload
    assert house.press(page).status_code == 200
