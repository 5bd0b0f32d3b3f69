"""Deciding by an app of the deployment's own, and beside another issuer: what holds on the page holds there."""

import pytest
from security.driving import Browser
from support.backchannel import begun, pages, poll, till
from support.openid import World

from portula import Plugin, hookimpl
from portula.errors import AccessDeniedError, InvalidRequestError, LoginRequired, OAuth2Error, RuleFailed
from portula.plugin import Demands, Plan, change_pending
from portula_ciba import decide, waiting_requests
from portula_ciba.requests import of_user


class Rules:
    """Says what the message of a request tells it to."""

    def __init__(self):
        self.meanwhile = None

    @hookimpl
    def portula_assess_ciba(self, assessment):
        if self.meanwhile is not None:
            self.meanwhile()
        if assessment.binding_message == "BROKEN":
            raise RuntimeError("no risk engine")
        if assessment.binding_message == "BAD":
            raise AccessDeniedError
        return Demands(login=assessment.binding_message == "AGAIN")


class Own:
    """A view of the deployment's own, in which what a test gives it is done."""

    def __init__(self, world):
        self.world, self.todo = world, None
        world.app.add_url_rule("/own", "own", self.view)

    def view(self):
        login = self.world.provider.hooks.ask(Plugin.portula_login)
        return self.todo(login.current()) or "done"

    def do(self, browser, todo):
        """Do something as the person at a browser; return the exception that it ends with."""
        caught = []

        def run(person):
            try:
                todo(person)
            except OAuth2Error as failure:
                caught.append(failure)

        self.todo = run
        assert browser.get("/own").text == "done"
        return caught[0] if caught else None


@pytest.fixture
def rules():
    return Rules()


@pytest.fixture
def world(make_world, rules):
    return make_world(rules)


@pytest.fixture
def own(world):
    return Own(world)


@pytest.fixture
def browser(world, own):
    browser = world.browser()
    browser.sign_in()
    return browser


def deciding(world, *, allowed=True):
    def todo(person):
        (waiting,) = waiting_requests(world.provider, person.subject)
        decide(world.provider, person, waiting.request_id, allowed=allowed)

    return todo


def test_a_rule_that_fails_denies_nothing_for_good(world, own, browser):
    party = till(world)
    members = begun(world, party, binding_message="BROKEN")
    assert isinstance(own.do(browser, deciding(world)), RuleFailed)
    assert poll(world, party, members).json["error"] == "authorization_pending"


def test_who_has_to_sign_in_again_has_to(world, own, browser):
    party = till(world)
    world.clock.forward(60)
    members = begun(world, party, binding_message="AGAIN")
    assert isinstance(own.do(browser, deciding(world)), LoginRequired)
    browser.sign_in()
    assert own.do(browser, deciding(world)) is None
    assert "access_token" in poll(world, party, members).json


def test_an_old_sign_in_does_not_meet_max_age(world, own, browser):
    party = till(world)
    world.clock.forward(3600)
    begun(world, party, max_age="60")
    assert isinstance(own.do(browser, deciding(world)), LoginRequired)


@pytest.mark.parametrize("by_page", [False, True], ids=["by the app", "on the page"])
def test_a_denial_at_the_moment_of_a_poll_stands(world, own, browser, rules, by_page):
    party = till(world)
    members = begun(world, party, binding_message="BAD")
    found = waiting_requests(world.provider, world.ann.sub)[0].request_id

    def polled():
        """Change the record as a poll does, once the page has read it."""
        rules.meanwhile, plan = None, Plan()
        change_pending(plan, of_user(world.provider, world.ann.sub, found), polled_at=1)
        world.provider.storage.apply(plan)

    rules.meanwhile = polled
    if by_page:
        assert browser.get(pages(browser)[0]).status_code == 400
    else:
        assert isinstance(own.do(browser, deciding(world)), AccessDeniedError)
    assert poll(world, party, members).json["error"] == "access_denied"


def test_a_decision_is_made_once(world, own, browser):
    party = till(world)
    begun(world, party)
    waiting = waiting_requests(world.provider, world.ann.sub)[0].request_id
    assert own.do(browser, deciding(world, allowed=False)) is None
    again = own.do(browser, lambda person: decide(world.provider, person, waiting, allowed=True))
    assert isinstance(again, InvalidRequestError)


def test_what_one_issuer_is_asked_another_of_the_realm_does_not_decide(make_world):
    """Records of a realm are shared, what people decide where is not (attack S76)."""
    north = make_world()
    south = World(
        Shared(north),
        STORAGE="shared",
        OIDC_ISS_ENDPOINT="https://south.example/o",
        SIGNING_KEYS_GENERATED=True,
    )
    party = till(north)
    members = begun(north, party)
    ann, elsewhere = north.browser(), Browser(south.app, "https://south.example")
    ann.sign_in()
    elsewhere.sign_in()
    (url,) = pages(ann)
    assert pages(elsewhere) == []
    refused = elsewhere.get(url)
    assert refused.status_code == 400
    assert poll(north, party, members).json["error"] == "authorization_pending"


class Shared:
    """The store of another house."""

    def __init__(self, house):
        self.house = house

    @hookimpl
    def portula_stores(self, provider):
        return {"shared": self.make}

    def make(self, records):
        (store,) = self.house.memory.stores
        store.admit(records)
        return store
