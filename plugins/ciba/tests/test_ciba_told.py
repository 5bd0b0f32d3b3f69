"""What plugins and operators are told, and settings that are wrong."""

import pytest
from security.driving import error_of
from support.backchannel import Receiver, asked, begun, decided, opened, pages, poll, till

from portula import hookimpl
from portula.errors import AccessDeniedError, ConfigError
from portula.plugin import Artifact, ConsentItem, DeliveryKind, Demands, OutgoingMessage
from portula_testing.provider import make_provider


class Told:
    """Hears of requests."""

    def __init__(self):
        self.events = []

    @hookimpl
    def portula_ciba_requested(self, event):
        self.events.append(event)
        raise RuntimeError("the gateway is down")


def test_whoever_tells_the_person_hears_what_it_is_about(make_world):
    told = Told()
    world = make_world(told)
    party, browser = till(world), world.browser()
    members = begun(world, party, binding_message="W4SCT")
    (event,) = told.events
    assert (event.client_id, event.client_name) == (party.client_id, "A till")
    assert (event.subject, event.scopes, event.binding_message) == (
        world.ann.sub,
        ("openid", "read"),
        "W4SCT",
    )
    assert event.expires_at == world.clock.time + 120
    assert members["auth_req_id"] not in repr(event)
    browser.sign_in()
    assert event.url == "https://id.example" + pages(browser)[0]
    page = browser.get(event.url.removeprefix("https://id.example"))
    assert "A till" in page.text
    assert poll(world, party, {"auth_req_id": event.request_id}).json["error"] == "invalid_grant"


def test_nothing_is_told_of_what_is_refused(make_world):
    told = Told()
    world = make_world(told)
    asked(world, till(world), login_hint="nobody")
    assert told.events == []


class Push:
    """Tells people by a gateway, surely."""

    @hookimpl
    def portula_deliveries(self, provider):
        return {"push": DeliveryKind(what="of a request", message=self.message)}

    def message(self, delivery):
        return OutgoingMessage(url="https://push.example/send", body=b'{"url": "it"}')

    @hookimpl
    def portula_record_ciba_request(self, request):
        data = {"subject": request.subject}
        url = "https://push.example/send"
        return [request.provider.deliveries.record("push", request.request_id, url, data)]


def test_a_delivery_to_the_person_is_kept_with_the_request(make_world):
    receiver = Receiver()
    world = make_world(Push(), receiver, DELIVERY_THREADS=0, PLUGINS_CHOICE={"fetcher": "Receiver"})
    begun(world, till(world))
    assert world.provider.deliveries.deliver().delivered == 1
    assert [url for url, _, _ in receiver.heard] == ["https://push.example/send"]


def test_where_the_outbox_fails_nothing_is_acknowledged(make_world):
    class Broken:
        @hookimpl
        def portula_record_ciba_request(self, request):
            raise RuntimeError("no gateway")

    world = make_world(Broken())
    assert asked(world, till(world)).status_code == 500
    kept = world.provider.storage.select(Artifact, limit=1000)
    assert [each for each in kept if each.kind == "backchannel authentication request"] == []


class Risk:
    """Says what a request demands."""

    def __init__(self):
        self.assessments = []

    @hookimpl
    def portula_assess_ciba(self, assessment):
        self.assessments.append(assessment)
        if assessment.binding_message == "BAD":
            raise AccessDeniedError(description="Not this.")
        if assessment.binding_message == "BROKEN":
            raise RuntimeError("no risk engine")
        item = ConsentItem(title="Where it is", details=(("Country", "Sweden"),))
        return Demands(items=(item,), login=assessment.binding_message == "AGAIN")


@pytest.fixture(scope="module")
def risk():
    return Risk()


@pytest.fixture(scope="module")
def world(make_world, risk):
    return make_world(risk, CIBA_MAX_REQUESTS_PER_USER=64)


@pytest.fixture
def browser(world):
    world.clock.forward(1)  # requests of other tests are older
    browser = world.browser()
    browser.sign_in()
    return browser


def test_a_plugin_adds_to_the_page(world, risk, browser):
    party = till(world)
    members = begun(world, party, binding_message="GOOD")
    assert "Sweden" in opened(browser).text
    seen = risk.assessments[-1]
    assert (seen.client.client_id, seen.scope) == (party.client_id, ("openid", "read"))
    assert (seen.person.subject, seen.client_address) == (world.ann.sub, "127.0.0.1")
    assert seen.begun_at == world.clock.time
    decided(browser)
    assert "access_token" in poll(world, party, members).json


def test_a_plugin_denies_for_good(world, browser):
    party = till(world)
    members = begun(world, party, binding_message="BAD")
    refused = opened(browser)
    assert refused.status_code == 400
    assert poll(world, party, members).json["error"] == "access_denied"
    assert browser.get(refused.request.full_path).status_code == 400


def test_a_rule_that_could_not_be_applied_denies_nothing_for_good(world, browser):
    party = till(world)
    members = begun(world, party, binding_message="BROKEN")
    assert opened(browser).status_code == 500
    assert poll(world, party, members).json["error"] == "authorization_pending"


def test_a_plugin_may_have_the_person_sign_in_again_once(world, browser):
    party = till(world)
    members = begun(world, party, binding_message="AGAIN")
    to_login = opened(browser)
    assert to_login.location.startswith("/accounts/login/")
    world.clock.forward(1)
    login = browser.get(to_login.location)
    signed_in = browser.submit(login, "login-submit", username="ann", password="a long password of hers")
    page = browser.get(signed_in.location)
    sent = browser.submit(page, "consent-allow")
    assert sent.status_code == 303, sent.text
    assert "access_token" in poll(world, party, members).json


@pytest.mark.parametrize(
    "settings",
    [
        {"CIBA_DELIVERY_MODES": ["push"]},
        {"CIBA_DELIVERY_MODES": []},
        {"CIBA_REQUEST_SIGNING_ALGS": ["none"]},
        {"CIBA_REQUEST_SIGNING_ALGS": ["HS256"]},
        {"CIBA_INTERVAL": 0},
        {"CIBA_REQUEST_EXPIRE_SECONDS": 601},
        {"CIBA_MAX_REQUESTS_PER_USER": 0},
    ],
    ids=str,
)
def test_settings_that_are_wrong_stop_the_start(make_world, settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        make_world(**settings)


def test_its_steps_are_shown(world):
    names = [step.name for step in world.provider.step_lists["bc-authorize"]]
    own = ["client_grant_type", "parameters", "scope", "openid", "notification", "expiry", "binding_message"]
    assert names == ["read", "client", *own, "person", "user_code", "vetoes", "write", "apply", "tell"]


def test_without_the_room_nothing_of_it_is_left(make_world):
    provider = make_provider(discover=True, settings={"PLUGINS_BLOCKED": ["ciba"], "OIDC_ENABLED": True})
    door = provider.app.test_client()
    assert door.post("/o/bc-authorize/").status_code == 404
    assert door.get("/o/ciba/").status_code == 404
    assert "backchannel_authentication_endpoint" not in provider.metadata_document


def test_errors_do_not_say_who_there_is(world):
    party = till(world)
    answers = {error_of(asked(world, party, login_hint=hint)) for hint in ("nobody", "x" * 9000)}
    assert answers == {"unknown_user_id"}
