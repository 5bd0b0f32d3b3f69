"""Clients that are told that their person has decided: CIBA Core §10.2."""

import pytest
from security.driving import error_of
from support.backchannel import GRANT, NOTIFICATIONS, Receiver, asked, begun, decided, poll, till

from portula.errors import InvalidClientMetadata
from portula.plugin import Artifact
from portula_testing.writing import change_in

PING = {"backchannel_token_delivery_mode": "ping", "backchannel_client_notification_endpoint": NOTIFICATIONS}
TOKEN = "8d67dc78-7faa-4d41-aabd-67707b374255"


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def world(make_world, receiver):
    return make_world(receiver, DELIVERY_THREADS=0, PLUGINS_CHOICE={"fetcher": "Receiver"})


@pytest.fixture
def party(world):
    return till(world, metadata=PING)


@pytest.fixture
def browser(world):
    browser = world.browser()
    browser.sign_in()
    return browser


def delivered(world):
    return world.provider.deliveries.deliver()


@pytest.mark.parametrize("button", ["consent-allow", "consent-deny"])
def test_a_client_is_told_and_comes_for_the_result(world, party, browser, receiver, button):
    members = begun(world, party, client_notification_token=TOKEN)
    assert delivered(world).delivered == 0
    decided(browser, button)
    assert delivered(world).delivered == 1
    assert receiver.heard == [
        (
            NOTIFICATIONS,
            {"auth_req_id": members["auth_req_id"]},
            {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"},
        )
    ]
    answer = poll(world, party, members).json
    assert ("access_token" in answer) == (button == "consent-allow")
    assert delivered(world).next_at is None


def test_a_client_may_poll_all_the_same_and_is_then_not_told(world, party, browser, receiver):
    members = begun(world, party, client_notification_token=TOKEN)
    assert poll(world, party, members).json["error"] == "authorization_pending"
    decided(browser)
    assert "access_token" in poll(world, party, members).json
    delivered(world)
    assert receiver.heard == []


@pytest.mark.parametrize("status", [200, 204])
def test_these_say_that_it_arrived(world, party, browser, receiver, status):
    receiver.status = status
    begun(world, party, client_notification_token=TOKEN)
    decided(browser)
    assert delivered(world).delivered == 1


@pytest.mark.parametrize("status", [302, 307, 400, 401, 403, 404, 410])
def test_who_refuses_or_sends_elsewhere_is_not_told_again(world, party, browser, receiver, status):
    receiver.status = status
    members = begun(world, party, client_notification_token=TOKEN)
    decided(browser)
    assert delivered(world).given_up == 1
    world.clock.forward(30)
    delivered(world)
    assert len(receiver.heard) == 1
    assert "access_token" in poll(world, party, members).json


@pytest.mark.parametrize("status", [429, 500, 503])
def test_who_is_unwell_is_told_again(world, party, browser, receiver, status):
    receiver.status = status
    begun(world, party, client_notification_token=TOKEN)
    decided(browser)
    assert delivered(world).failed == 1
    receiver.status = 204
    world.clock.forward(30)
    assert delivered(world).delivered == 1
    assert len(receiver.heard) == 2


@pytest.mark.parametrize(
    "token",
    [None, "", "x" * 1025, "two words", "semi;colon", "\N{SNOWMAN}"],
    ids=lambda value: str(value)[:9],
)
def test_without_a_bearer_token_to_tell_it_by_a_request_is_refused(world, party, token):
    assert error_of(asked(world, party, client_notification_token=token)) == "invalid_request"


def test_neither_the_identifier_nor_the_token_is_kept_in_the_clear(world, party, browser):
    members = begun(world, party, client_notification_token=TOKEN)
    decided(browser)
    kept = repr(world.provider.storage.select(Artifact, limit=1000))
    assert members["auth_req_id"] not in kept
    assert TOKEN not in kept


def test_a_client_that_polls_by_now_is_not_told(world, party, browser, receiver):
    begun(world, party, client_notification_token=TOKEN)
    world.change(party, metadata={"backchannel_token_delivery_mode": "poll"})
    decided(browser)
    delivered(world)
    assert receiver.heard == []


def test_where_nobody_is_told_any_more_clients_hear_that_and_people_still_decide(make_world, receiver):
    world = make_world(receiver, DELIVERY_THREADS=0, PLUGINS_CHOICE={"fetcher": "Receiver"})
    party = till(world, metadata=PING)
    begun(world, party, client_notification_token=TOKEN)
    kinds = world.provider.deliveries.kinds
    kept = kinds.pop("ciba-ping")
    browser = world.browser()
    browser.sign_in()
    decided(browser)
    kinds["ciba-ping"] = kept
    poll_only = make_world(CIBA_DELIVERY_MODES=["poll"])
    stale = till(poll_only)
    application = poll_only.find(stale)
    change_in(
        poll_only.provider.storage,
        type(application),
        {"client_id": stale.client_id},
        metadata={**application.metadata, **PING},
    )
    assert error_of(asked(poll_only, stale, client_notification_token=TOKEN)) == "unauthorized_client"


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"backchannel_token_delivery_mode": "push"}, "backchannel_token_delivery_mode"),
        ({"backchannel_token_delivery_mode": "ping"}, "backchannel_client_notification_endpoint"),
        ({**PING, "backchannel_client_notification_endpoint": "http://till.example/told"}, "endpoint"),
        ({**PING, "backchannel_client_notification_endpoint": "https://till.example/#a"}, "endpoint"),
        ({**PING, "backchannel_client_notification_endpoint": "till"}, "endpoint"),
        ({**PING, "backchannel_client_notification_endpoint": 5}, "endpoint"),
        ({"backchannel_user_code_parameter": True}, "backchannel_user_code_parameter"),
    ],
    ids=str,
)
def test_metadata_that_does_not_fit_is_refused(world, metadata, named):
    with pytest.raises(InvalidClientMetadata, match=named):
        till(world, metadata=metadata)


def test_where_nobody_is_told_ping_cannot_be_registered(make_world):
    world = make_world(CIBA_DELIVERY_MODES=["poll"])
    with pytest.raises(InvalidClientMetadata, match="backchannel_token_delivery_mode"):
        till(world, metadata=PING)
    document = world.door().open("/o/.well-known/openid-configuration").json
    assert document["backchannel_token_delivery_modes_supported"] == ["poll"]
    assert GRANT in document["grant_types_supported"]
