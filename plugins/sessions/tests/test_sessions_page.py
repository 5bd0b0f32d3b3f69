import pytest
from support.browser import forms_of
from support.fitting import fitting

import portula_sessions
from portula import Plugin, hookimpl
from portula.plugin import AuthenticatedUser
from portula_sessions.devices import device_name
from portula_testing.provider import MovableClock, TestLogin, make_provider

PAGE = "/o/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Mobile/15E148 Safari/604.1"
)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
    "Safari/537.36"
)


class SessionLogin(TestLogin):
    """A login on the sessions of the provider."""

    @hookimpl
    def portula_login(self, provider):
        self.provider = provider
        return self

    def current(self):
        session = self.provider.hooks.ask(Plugin.portula_sessions).current()
        return session and AuthenticatedUser(
            session.subject, session.username, session.auth_time, sid=session.sid
        )


class Site:
    def __init__(self):
        self.clock = MovableClock(1_700_000_000)
        provider = make_provider(portula_sessions, SessionLogin(), clock=self.clock)
        self.app, self.sessions = provider.app, provider.hooks.ask(Plugin.portula_sessions)
        self.app.add_url_rule("/in/<subject>", "in", self._sign_in)
        self.app.add_url_rule("/who", "who", lambda: getattr(self.sessions.current(), "subject", "nobody"))

    def _sign_in(self, subject):
        return self.sessions.start(subject, subject.title(), ["pwd"]).sid

    def browser(self, subject="ada", agent=FIREFOX, address="203.0.113.7"):
        browser = self.app.test_client()
        environ = {"REMOTE_ADDR": address}
        browser.sid = browser.get(
            f"/in/{subject}", headers={"User-Agent": agent}, environ_overrides=environ
        ).text
        browser.who = lambda: browser.get("/who").text
        return browser


@pytest.fixture
def site():
    return Site()


def form_of(page, sid=""):
    (form,) = [form for form in forms_of(page.text) if form.fields.get("sid", "") == sid]
    return form.fields


def test_a_person_sees_where_they_are_signed_in_this_browser_first(site):
    laptop = site.browser()
    site.clock.advance(3600)
    site.browser(agent=IPHONE, address="2001:db8::1")
    site.browser("bob", agent="Bobs-Client/1.0")
    page = laptop.get(PAGE)
    assert page.status_code == 200
    text = " ".join(page.text.split())
    assert text.index("Firefox on Linux") < text.index("Safari on iPhone")
    assert text.count("This browser") == 1
    assert text.index("This browser") < text.index("Safari on iPhone")
    for shown in ("203.0.113.7", "2001:db8::1", "14 November 2023, 22:13", "14 November 2023, 23:13"):
        assert shown in text
    assert "Bobs-Client" not in text
    assert page.headers["Cache-Control"] == "no-store"


def test_one_session_is_ended_and_the_others_go_on(site):
    laptop, phone, other = site.browser(), site.browser(agent=IPHONE), site.browser()
    answer = laptop.post(PAGE, data=form_of(laptop.get(PAGE), phone.sid))
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert [browser.who() for browser in (laptop, phone, other)] == ["ada", "nobody", "ada"]


def test_all_others_are_ended_at_once(site):
    browsers = [site.browser() for _ in range(3)]
    bob = site.browser("bob")
    browsers[1].post(PAGE, data=form_of(browsers[1].get(PAGE)))
    assert [browser.who() for browser in browsers] == ["nobody", "ada", "nobody"]
    assert bob.who() == "bob"


def test_a_person_may_end_the_session_of_this_browser(site):
    laptop = site.browser()
    laptop.post(PAGE, data=form_of(laptop.get(PAGE), laptop.sid))
    assert laptop.who() == "nobody"
    assert laptop.get(PAGE).location.startswith("/login?")


def test_a_single_session_has_no_others_to_end(site):
    assert "end-others" not in site.browser().get(PAGE).text


def test_nobody_is_sent_to_sign_in(site):
    browser = site.app.test_client()
    for answer in (browser.get(PAGE), browser.post(PAGE, data={"sid": "x"})):
        assert (answer.status_code, answer.location) == (303, "/login?next=%2Fo%2Fsessions%2F")


def test_no_form_ends_the_session_of_somebody_else(site):
    ada, bob = site.browser(), site.browser("bob")
    fields = {**form_of(ada.get(PAGE), ada.sid), "sid": bob.sid}
    assert ada.post(PAGE, data=fields).status_code == 400
    assert bob.who() == "bob"


def test_a_form_of_another_browser_or_entry_is_refused(site):
    """Attack S10."""
    laptop, phone = site.browser(), site.browser()
    token = form_of(phone.get(PAGE), laptop.sid)["csrf_token"]
    for fields in (
        {"sid": laptop.sid, "csrf_token": token},
        {"sid": phone.sid, "csrf_token": form_of(laptop.get(PAGE))["csrf_token"]},
        {"csrf_token": form_of(laptop.get(PAGE), phone.sid)["csrf_token"]},
        {"sid": phone.sid},
        {},
    ):
        assert laptop.post(PAGE, data=fields).status_code == 400
    assert (laptop.who(), phone.who()) == ("ada", "ada")


def test_what_a_browser_calls_itself_is_shown_as_text(site):
    page = site.browser(agent="<svg onload=1>\u202e/1").get(PAGE)
    assert "&lt;svg onload=1&gt;" in page.text
    assert "<svg" not in page.text


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        (CHROME, "Chrome on Windows"),
        (f"{CHROME} Edg/130.0", "Edge on Windows"),
        (f"{CHROME} OPR/115.0", "Opera on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile", "Chrome on Android"),
        ("Mozilla/5.0 (X11; CrOS x86_64) AppleWebKit/537.36 Chrome/130.0", "Chrome on ChromeOS"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1", "Safari on macOS"),
        ("Mozilla/5.0 (something else)", "Unknown browser"),
        ("curl/8.9.1", "curl"),
        ("x" * 300, "x" * 40),
        ("", "Unknown browser"),
    ],
)
def test_a_device_has_a_short_name(agent, name):
    assert device_name(agent) == name


def test_another_room_that_answers_the_slot_takes_the_page_away():
    class Others:
        @hookimpl
        def portula_sessions(self, provider):
            return fitting("portula_sessions")

    provider = make_provider(portula_sessions, Others(), settings={"PLUGINS_CHOICE": {"sessions": "Others"}})
    assert provider.app.test_client().get(PAGE).status_code == 404
    assert provider.hooks.collect(Plugin.portula_account_links) == []
