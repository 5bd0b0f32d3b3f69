import dataclasses
import html
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.browser import forms_of

from portula.errors import Conflict, DuplicateRecord
from portula.plugin import AccessToken, Application, Artifact, Authorization, Grant, Plan, TokenRevoked
from portula_testing.writing import add_to, remove_from

APPS = "/o/authorized_tokens/"


@pytest.fixture
def connected(made):
    """Ada has allowed Tea to read, and Tea holds a code, an access token and a refresh token."""
    remember(made, "ada", ["read"])
    for subject, client_id, family in (("ada", "tea", "f1"), ("ada", "coffee", "f2"), ("bob", "tea", "f3")):
        shared = {
            "subject": subject,
            "client_id": client_id,
            "scope": "read",
            "issued_at": 1,
        }
        for record in (
            Authorization(id=family, **shared),
            Grant(digest=f"code {family}", authorization=family, expires_at=2_000_000_000, **shared),
        ):
            add_to(made.provider.storage, record)
    return made


def revoked(made, family):
    return made.provider.storage.find(Authorization, id=family).revoked_at


def remember(made, subject, scopes, client=None):
    """Keep what was allowed; again if somebody else was quicker."""
    while True:
        plan = Plan()
        made.consent.remember(client or made.client, subject, scopes, plan)
        try:
            return made.provider.storage.apply(plan)
        except (Conflict, DuplicateRecord):
            continue


def test_consents_are_remembered_and_joined(made):
    assert made.consent.recall(made.client, "ada") == frozenset()
    remember(made, "ada", ["write"])
    remember(made, "ada", ["read", "write"])
    assert made.consent.recall(made.client, "ada") == {"read", "write"}
    assert made.consent.recall(made.client, "bob") == frozenset()
    other = dataclasses.replace(made.client, client_id="coffee")
    assert made.consent.recall(other, "ada") == frozenset()


def test_consents_given_at_one_moment_are_all_remembered(made):
    scopes = [f"s{number}" for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda scope: remember(made, "ada", [scope]), scopes))
    assert made.consent.recall(made.client, "ada") == set(scopes)


def test_what_is_remembered_does_not_name_the_person(made):
    remember(made, "ada", ["read"])
    family = made.provider.keys.digests("consent-subject", "ada")
    (consent,) = made.provider.storage.select(Artifact, family=family)
    assert "ada" not in json.dumps(dataclasses.asdict(consent))


@pytest.mark.parametrize("path", [APPS, APPS.rstrip("/")])
def test_the_page_lists_the_apps_of_the_person_signed_in(connected, browser, path):
    page = browser.get(path)
    assert page.status_code == 200
    assert "Tea &lt;svg onload=1&gt;" in page.text
    assert "Read what you wrote" in page.text
    assert "14 November 2023" in page.text
    other = browser.get(path, headers={"Subject": "bob"}).text
    assert "Tea" not in other
    assert "No app is connected" in other


def test_an_app_that_is_gone_can_still_be_removed(connected, browser):
    remove_from(connected.provider.storage, Application, client_id="tea")
    page = browser.get(APPS).text
    assert "tea" in page
    browser.post(APPS, data=forms_of(page)[0].fields)
    assert "No app is connected" in browser.get(APPS).text


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_is_sent_to_sign_in(made, method):
    answer = getattr(made.app.test_client(), method)(APPS)
    assert (answer.status_code, answer.location) == (303, f"/login?next={APPS}")


def test_removing_an_app_ends_all_it_holds_of_the_person_and_nothing_else(connected, host, browser):
    answer = browser.post(APPS, data=forms_of(browser.get(APPS).text)[0].fields)
    assert (answer.status_code, answer.location.partition("?")[0]) == (303, APPS)
    said = browser.get(answer.location).text
    assert 'role="status"><bdi class="strong">Tea &lt;svg onload=1&gt;</bdi> has no access' in said
    assert revoked(connected, "f1") == host.time
    assert revoked(connected, "f2") is revoked(connected, "f3") is None
    assert connected.consent.recall(connected.client, "ada") == frozenset()
    assert host.heard == [
        TokenRevoked(
            provider=connected.provider,
            client_id="tea",
            subject="ada",
            authorization="f1",
            at=host.time,
            address="127.0.0.1",
        )
    ]


def test_removing_an_app_ends_what_it_has_under_the_authorization_of_another(connected, browser):
    storage = connected.provider.storage
    for digest, subject, client_id, under in (
        ("exchanged", "ada", "tea", "f2"),
        ("of coffee", "ada", "coffee", "f2"),
        ("of bob", "bob", "tea", "f3"),
    ):
        shared = {"subject": subject, "client_id": client_id, "authorization": under, "scope": "read"}
        add_to(storage, AccessToken(digest=digest, issued_at=1, expires_at=2_000_000_000, **shared))
    browser.post(APPS, data=forms_of(browser.get(APPS).text)[0].fields)
    left = [each.digest for each in storage.select(AccessToken) if each.revoked_at is None]
    assert sorted(left) == ["of bob", "of coffee"]


def test_a_notice_that_was_not_ours_or_is_old_is_not_shown(connected, host, browser):
    answer = browser.post(APPS, data=forms_of(browser.get(APPS).text)[0].fields)
    assert "has no access" not in browser.get(f"{APPS}?removed=Tea").text
    host.time += 61
    assert "has no access" not in browser.get(answer.location).text


def test_removing_twice_does_no_harm(connected, host, browser):
    fields = forms_of(browser.get(APPS).text)[0].fields
    assert [browser.post(APPS, data=fields).status_code for _ in range(2)] == [303, 303]
    assert len(host.heard) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"csrf_token": ""},
        {"csrf_token": "ü"},
        {"client_id": "coffee"},
        {"client_id": ""},
        {"client_id": ["tea", "tea"]},
        {"client_id": "\0"},
        {"client_id": "a" * 5000},
        {"client_id": b"\xff"},
    ],
)
def test_a_form_that_is_not_ours_removes_nothing(connected, host, browser, change):
    fields = forms_of(browser.get(APPS).text)[0].fields
    assert browser.post(APPS, data={**fields, **change}).status_code == 400
    assert revoked(connected, "f1") is None
    assert host.heard == []


def test_the_token_of_another_person_removes_nothing(connected, browser):
    fields = forms_of(browser.get(APPS).text)[0].fields
    remember(connected, "bob", ["read"])
    assert browser.post(APPS, data=fields, headers={"Subject": "bob"}).status_code == 400
    assert connected.consent.recall(connected.client, "bob") == {"read"}


def test_each_app_has_a_form_of_its_own(connected, browser):
    coffee = Application(client_id="coffee", name="Coffee")
    add_to(connected.provider.storage, coffee)
    remember(connected, "ada", ["read", "write", "offline_access", "unknown"], coffee)
    forms = {form.fields["client_id"]: form.fields for form in forms_of(browser.get(APPS).text)}
    assert forms.keys() == {"tea", "coffee"}
    failed = browser.post(APPS, data={**forms["tea"], "csrf_token": "x"}).text
    assert {form.fields["client_id"] for form in forms_of(failed)} == {"tea", "coffee"}
    assert failed.count('role="alert"') == 1
    browser.post(APPS, data=forms["coffee"])
    assert revoked(connected, "f2") is not None
    assert revoked(connected, "f1") is None


def test_all_authorizations_are_found_however_many(connected, host, monkeypatch):
    monkeypatch.setattr("portula.flow.revoking.PAGE", 2)
    for number in range(5):
        add_to(
            connected.provider.storage,
            Authorization(id=f"more {number}", client_id="tea", subject="ada", scope="", issued_at=1),
        )
    connected.consent.memory.withdraw("ada", "tea")
    assert {event.authorization for event in host.heard} == {"f1", *(f"more {number}" for number in range(5))}


def test_losing_the_slot_leaves_no_page():
    from flask import Flask
    from support.fitting import fitting

    import portula_consent
    from portula import Provider, hookimpl
    from portula_testing.memory import MemoryStore

    class Own:
        @hookimpl
        def portula_consent(self, provider):
            return fitting("portula_consent")

        @hookimpl
        def portula_stores(self, provider):
            return {"memory": MemoryStore}

    app = Flask("own")
    app.config["OAUTH2_PROVIDER"] = {
        "SECRET_KEYS": ["0123456789abcdef"],
        "PLUGINS_CHOICE": {"consent": "Own"},
    }
    Provider(app, plugins=[Own(), portula_consent], discover=False)
    assert app.test_client().get(APPS).status_code == 404


def test_many_apps_stand_on_pages_and_each_can_be_removed_where_it_stands(made, browser):
    for number in range(120):
        client = dataclasses.replace(made.client, client_id=f"app-{number:03}")
        add_to(made.provider.storage, client)
        remember(made, "ada", ["read"], client)
    seen, url = [], APPS
    while url:
        page = browser.get(url).text
        shown = [form.fields["client_id"] for form in forms_of(page) if "client_id" in form.fields]
        assert len(shown) <= 50
        seen.append(shown)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        last, url = url, found and html.unescape(found[1])
    assert sorted(client_id for shown in seen for client_id in shown) == [
        f"app-{number:03}" for number in range(120)
    ]
    assert "From the beginning" in page
    form = next(form for form in forms_of(page) if form.fields.get("client_id") == seen[2][3])
    removed = browser.post(form.action, data=form.fields)
    assert removed.location.startswith(f"{last}&removed=")
    again = browser.get(removed.location).text
    left = [form.fields["client_id"] for form in forms_of(again) if "client_id" in form.fields]
    assert left == [client_id for client_id in seen[2] if client_id != seen[2][3]]


@pytest.mark.parametrize("after", ["nosuch", "", "a" * 5000, "\0", "é"])
def test_a_page_behind_an_app_that_is_not_there_is_the_first(connected, browser, after):
    assert "Tea &lt;svg onload=1&gt;" in browser.get(APPS, query_string={"after": after}).text
