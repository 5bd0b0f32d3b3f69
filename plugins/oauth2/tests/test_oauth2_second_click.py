"""A second click gets what the first one got: in the same browser, of the same person, within seconds."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from support.browser import forms_of

from portula.plugin import Artifact, Grant

CLICKED = {"consent-allow": "code", "consent-deny": "error"}


def press(world, page, button, client=None):
    form = forms_of(page.text)[0]
    name, value = form.buttons[button]
    http = client or world.http
    return http.post(form.action, data={**form.fields, name: value}, base_url=world.base)


@pytest.fixture
def client(world):
    return world.client()


@pytest.mark.parametrize("button", CLICKED)
@pytest.mark.parametrize("seconds", [0, 9])
def test_two_clicks_get_the_same_redirect(world, client, sent, button, seconds):
    page = world.ask(client)
    first = press(world, page, button)
    world.later(seconds)
    second = press(world, page, button)
    assert second.location == first.location
    assert CLICKED[button] in sent(second)
    assert sum(isinstance(event.scopes, tuple) for event in world.host.heard) == (button == "consent-allow")


def test_the_code_of_the_second_click_is_redeemed(world, client, sent, pkce):
    verifier, challenge = pkce()
    page = world.ask(client, code_challenge=challenge)
    press(world, page, "consent-allow")
    code = sent(press(world, page, "consent-allow"))["code"]
    assert world.redeem(client, code, verifier).status_code == 200


def test_a_form_post_is_repeated_too(world, client):
    page = world.ask(client, response_mode="form_post")
    first, second = press(world, page, "consent-allow"), press(world, page, "consent-allow")
    assert first.status_code == second.status_code == 200
    assert forms_of(first.text)[0].fields == forms_of(second.text)[0].fields


def test_after_some_seconds_it_is_over(world, client):
    page = world.ask(client)
    press(world, page, "consent-allow")
    world.later(10)
    assert press(world, page, "consent-allow").status_code == 400


@pytest.mark.parametrize(
    ("first", "then"), [("consent-allow", "consent-deny"), ("consent-deny", "consent-allow")]
)
def test_another_answer_is_none_of_the_same(world, client, first, then):
    page = world.ask(client)
    assert press(world, page, first).status_code == 302
    second = press(world, page, then)
    assert (second.status_code, second.location) == (400, None)


def test_another_browser_and_another_person_get_nothing(world, client, monkeypatch):
    page = world.ask(client)
    press(world, page, "consent-allow")
    assert press(world, page, "consent-allow", world.app.test_client()).status_code == 400
    here = world.host.current()
    monkeypatch.setattr(world.host, "current", lambda: type(here)("2", "bob", here.auth_time))
    assert press(world, page, "consent-allow").status_code == 400


def test_nothing_of_the_answer_is_stored_in_clear(world, client, sent):
    page = world.ask(client)
    code = sent(press(world, page, "consent-allow"))["code"]
    kept = [record for record in world.store.select(Artifact, limit=100) if record.kind == "interaction"]
    (kept,) = kept
    assert code not in json.dumps(kept.payload)
    assert kept.expires_at <= world.host.time + 3600
    assert forms_of(page.text)[0].fields["interaction"] not in json.dumps(kept.payload)


def test_clicks_at_the_same_moment_begin_one_authorization(world, client, monkeypatch):
    page, together = world.ask(client), Barrier(4, timeout=20)
    cookies = {re.match("[^=]+", cookie.key)[0]: cookie.value for cookie in world.http._cookies.values()}
    find, calls = type(world.store).find, []

    def slow(self, cls, **where):
        found = find(self, cls, **where)
        if cls is Artifact and len(calls) < 4:
            calls.append(where)
            together.wait()
        return found

    monkeypatch.setattr(type(world.store), "find", slow)

    def click(_):
        http = world.app.test_client()
        for name, value in cookies.items():
            http.set_cookie(name, value, domain="id.example", secure=True)
        return press(world, page, "consent-allow", http)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(click, range(4)))
    assert {answer.status_code for answer in answers} == {302}
    assert len({answer.location for answer in answers}) == 1
    assert len(world.store.select(Grant, limit=10)) == 1


def test_a_sign_in_page_that_is_sent_twice_leads_on_twice(world, sent):
    """A request that waits for the login and needs no question is answered when the browser comes back, twice too."""
    trusted = world.client(skip_authorization=True)
    body = world.asked(trusted, code_challenge="x" * 43, code_challenge_method="S256")
    back = world.post("/o/authorize/", body).location
    first, second = world.get(back), world.get(back)
    assert first.location == second.location
    assert "code" in sent(first)
    assert world.app.test_client().get(back, base_url=world.base).status_code == 400
