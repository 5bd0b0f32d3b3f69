"""The page on which a person changes their password, and the link with which they set one."""

import json
import threading
from urllib.parse import urlsplit

import pytest
from support.browser import forms_of

from portula import Plugin, hookimpl
from portula.plugin import Artifact, Authorization, Plan, plan_to_add
from portula_accounts.password_links import PasswordLinks
from portula_accounts.users import UserError

PAGE = "/accounts/password/"
PASSWORD = "correct horse battery"
NEW = "a wholly new phrase"


def change(browser, present=PASSWORD, new=NEW, again=None, **further):
    fields = {
        **{name: value for name, value in browser.fields(PAGE).items() if name != "apps"},
        "present": present,
        "new": new,
        "again": new if again is None else again,
    }
    return browser.post(PAGE, {**fields, **further})


@pytest.fixture
def others(accounts):
    """Sign Ada in with two browsers, and give her an authorization."""
    facts = {"client_id": "tea", "subject": accounts.ada.sub, "scope": "", "issued_at": 1}
    accounts.provider.storage.apply(plan_to_add(Authorization(id="f1", **facts)))
    browsers = [accounts.browser(), accounts.browser()]
    for browser in browsers:
        browser.sign_in()
    return browsers


def signed_in(browser):
    return browser.get("/accounts/").status_code == 200


def revoked(accounts):
    return accounts.provider.storage.find(Authorization, id="f1").revoked_at is not None


# --- Changing ---


def test_the_account_page_leads_there(browser):
    browser.sign_in()
    assert f'href="{PAGE}"' in browser.get("/accounts/").text
    assert accounts_title(browser.get(PAGE)) == "Change your password"


def accounts_title(page):
    return page.text.partition("<h1>")[2].partition("</h1>")[0]


def test_a_changed_password_ends_the_other_sessions_and_leaves_apps_alone(accounts, others):
    here, there = others
    page = change(here)
    assert (page.status_code, accounts_title(page)) == (200, "Your password was changed")
    assert (signed_in(here), signed_in(there), revoked(accounts)) == (True, False, False)
    assert accounts.browser().sign_in().status_code == 400
    assert accounts.browser().sign_in(password=NEW).status_code == 302


def test_apps_are_disconnected_if_the_person_wants_that(accounts, others):
    assert change(others[0], apps="y").status_code == 200
    assert revoked(accounts)
    assert signed_in(others[0])


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"present": "wrong"}, "not your present password"),
        ({"present": ""}, "Enter your present password"),
        ({"new": "short"}, "at least 8"),
        ({"new": "password1"}, "too common"),
        ({"new": "ada-99731"}, "little more than a name"),
        ({"again": "something else"}, "not the same"),
        ({"csrf_token": "x"}, "open too long"),
    ],
)
def test_what_does_not_do_changes_nothing(accounts, others, fields, told):
    page = change(others[0], **fields)
    assert (page.status_code, told in page.text) == (400, True)
    assert PASSWORD not in page.text
    assert signed_in(others[1])
    assert accounts.login.users.find(accounts.ada.sub) == accounts.ada


def test_guessing_the_present_password_is_limited(accounts, browser):
    browser.sign_in()
    pages = [change(browser, present=f"wrong {number}") for number in range(6)]
    assert [page.status_code for page in pages] == [400] * 5 + [429]
    assert int(pages[-1].headers["Retry-After"]) > 0
    assert change(browser).status_code == 429


def test_nobody_is_sent_to_sign_in_and_comes_back(browser):
    page = browser.get(PAGE)
    assert page.status_code == 302
    assert browser.sign_in(path=page.headers["Location"]).headers["Location"] == PAGE


def test_changing_is_not_signing_in(accounts, browser):
    browser.sign_in()
    before = len(accounts.host.heard)
    change(browser)
    assert not [event for event in accounts.host.heard[before:] if type(event).__name__ == "LoginSucceeded"]


# --- Setting, with a link ---


@pytest.fixture
def made(make):
    return make(OIDC_ISS_ENDPOINT="http://localhost/o")


@pytest.fixture
def links(made):
    return PasswordLinks(made.provider, made.login.users)


def path_of(link):
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def set_password(browser, path, new=NEW):
    (form,) = forms_of(browser.get(path).text)
    return browser.post("/accounts/set-password/", {**form.fields, "new": new, "again": new})


def test_a_link_sets_a_password_once_and_ends_all_sessions(made, links):
    browser = made.browser()
    browser.sign_in()
    link = links.create(made.ada, "http://localhost")
    assert link.startswith("http://localhost/accounts/set-password/?token=")
    page = set_password(made.browser(), path_of(link))
    assert (page.status_code, accounts_title(page)) == (200, "Your password was changed")
    assert not signed_in(browser)
    assert made.browser().sign_in(password=NEW).status_code == 302
    assert made.browser().get(path_of(link)).status_code == 404


def test_a_link_is_kept_as_a_digest(made, links):
    token = links.create(made.ada, "http://localhost").partition("token=")[2]
    (kept,) = [each for each in made.provider.storage.select(Artifact) if each.kind == "password-link"]
    assert token not in repr(kept)


def test_of_two_who_use_a_link_at_once_one_succeeds(made, links):
    link = links.find(links.create(made.ada, "").partition("token=")[2])
    outcomes = []
    barrier = threading.Barrier(2)

    def use(password):
        barrier.wait()
        try:
            links.use(link, password)
        except UserError as error:
            outcomes.append(str(error))
        else:
            outcomes.append(password)

    threads = [threading.Thread(target=use, args=[f"phrase number {number}"]) for number in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome == "This link was used at this moment." for outcome in outcomes) == [False, True]


def test_a_refused_password_leaves_the_link(made, links):
    path = path_of(links.create(made.ada, ""))
    browser = made.browser()
    page = set_password(browser, path, "password1")
    assert (page.status_code, "too common" in page.text) == (400, True)
    assert set_password(browser, path).status_code == 200


@pytest.mark.parametrize("end", ["time", "another", "changed", "disabled", "removed", "nonsense"])
def test_a_link_that_does_not_count_says_so(made, links, end):
    link = links.create(made.ada, "", lifetime=60)
    users, ada = made.login.users, made.ada
    ends = {
        "time": lambda: made.host.advance(60),
        "another": lambda: links.create(ada, ""),
        "changed": lambda: users.set_password(ada, NEW),
        "disabled": lambda: users.disable(ada),
        "removed": lambda: users.remove(ada),
        "nonsense": lambda: None,
    }
    browser = made.browser()
    (form,) = forms_of(browser.get(path_of(link)).text)
    ends[end]()
    token = "\u00e9" if end == "nonsense" else form.fields["token"]
    posted = {**form.fields, "token": token, "new": "yet another phrase", "again": "yet another phrase"}
    for page in (
        browser.get("/accounts/set-password/", query_string={"token": token}),
        browser.post("/accounts/set-password/", posted),
    ):
        assert page.status_code == 404
        assert "does not count any more" in page.text
    assert made.browser().sign_in(password="yet another phrase").status_code == 400


def test_a_form_of_another_browser_is_refused(made, links):
    link = path_of(links.create(made.ada, ""))
    (form,) = forms_of(made.browser().get(link).text)
    page = made.browser().post("/accounts/set-password/", {**form.fields, "new": NEW, "again": NEW})
    assert page.status_code == 400
    assert made.login.users.find(made.ada.sub) == made.ada


def test_the_command_prints_a_link_this_once(made):
    from click.testing import CliRunner

    commands = {command.name: command for command in made.provider.hooks.collect(Plugin.portula_commands)}

    def run(*words):
        with made.app.app_context():
            return CliRunner().invoke(commands["users"], ["password", *words])

    done = run("ada", "--link", "--expires-in", "60", "--json")
    link = json.loads(done.stdout)["link"]
    assert "shown this once" in done.stderr
    assert made.login.users.find(made.ada.sub) == made.ada
    assert set_password(made.browser(), path_of(link)).status_code == 200
    assert run("ada", "--expires-in", "60").exit_code == 2
    assert run("ada", "--link", "--password-stdin").exit_code == 2


def test_a_link_needs_a_host(run):
    done = run("users", "password", "ada", "--link")
    assert (done.exit_code, "OIDC_ISS_ENDPOINT" in done.stderr) == (1, True)


# --- While somebody signs in ---


class Meanwhile(Plugin):
    """Does something once, in the midst of a request that begins or ends a session."""

    def __init__(self):
        self.act = None

    def _once(self):
        act, self.act = self.act, None
        if act is not None:
            act()

    def compares(self, passwords):
        """Act once a password was compared."""
        verify = passwords.verify

        def compared(*given):
            right = verify(*given)
            self._once()
            return right

        passwords.verify = compared

    @hookimpl
    def portula_record_session_end(self, session):
        self._once()


@pytest.mark.parametrize("way", ["set_password", "disable", "remove"])
def test_who_signs_in_while_the_account_changes_has_no_session(make, way):
    """A comparison takes its time: what it compared with may have changed (attack S27)."""
    meanwhile = Meanwhile()
    accounts = make(meanwhile)
    change_it = getattr(accounts.login.users, way)
    further = [NEW] if way == "set_password" else []
    meanwhile.compares(accounts.login.users.passwords)
    meanwhile.act = lambda: change_it(accounts.ada, *further)
    thief = accounts.browser()
    refused = thief.sign_in()
    assert refused.status_code == 400
    assert "is not right" in refused.text
    assert [event.reason for event in accounts.host.heard] == ["the account changed meanwhile"]
    if way == "disable":
        accounts.login.users.enable(accounts.ada)
    assert not signed_in(thief)


def test_a_new_hash_of_the_same_password_hinders_nobody(make):
    accounts = make(PASSWORD_HASH_PROFILE="owasp")
    outdated = accounts.login.users.passwords.hash(PASSWORD)
    accounts = make(PASSWORD_HASH_PROFILE="testing")
    plan = Plan()
    plan.change(accounts.ada, password_hash=outdated)
    accounts.provider.storage.apply(plan)
    browser = accounts.browser()
    assert browser.sign_in().status_code == 302
    assert signed_in(browser)
    assert accounts.login.users.find(accounts.ada.sub).password_hash != outdated


def test_two_who_sign_in_at_one_moment_renew_the_hash_once_and_are_both_signed_in(make):
    outdated = make(PASSWORD_HASH_PROFILE="owasp").login.users.passwords.hash(PASSWORD)
    meanwhile = Meanwhile()
    accounts = make(meanwhile, PASSWORD_HASH_PROFILE="testing")
    plan = Plan()
    plan.change(accounts.ada, password_hash=outdated)
    accounts.provider.storage.apply(plan)
    first, second = accounts.browser(), accounts.browser()
    meanwhile.compares(accounts.login.users.passwords)
    meanwhile.act = second.sign_in
    first.sign_in()
    assert signed_in(first)
    assert signed_in(second)
    assert [event.subject for event in accounts.host.heard] == [accounts.ada.sub] * 2


def test_a_session_that_begins_while_the_others_are_ended_ends_too(make):
    meanwhile = Meanwhile()
    accounts = make(meanwhile)
    owner, thief, late = accounts.browser(), accounts.browser(), accounts.browser()
    for browser in (owner, thief):
        browser.sign_in()
    begun = []
    meanwhile.act = lambda: begun.append(late.sign_in().status_code)
    assert change(owner).status_code == 200
    assert begun == [302]
    assert [signed_in(browser) for browser in (owner, thief, late)] == [True, False, False]


def test_failures_elsewhere_keep_nobody_from_another_password(make):
    """Least of all who is attacked: their own browser counts by itself."""
    accounts = make(LOGIN_FAILURE_LIMIT_PER_USERNAME=3)
    owner = accounts.browser()
    owner.sign_in()
    for number in range(3):
        accounts.browser().sign_in(password="wrong password", address=f"198.51.100.{number}")
    assert accounts.browser().sign_in(address="203.0.113.1").status_code == 429
    assert change(owner).status_code == 200
