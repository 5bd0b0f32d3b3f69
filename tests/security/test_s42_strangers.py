"""S42: what anybody can have kept by asking has bounds in size and number, and goes by itself."""

import json
from urllib.parse import urlencode

import pytest

from portula.flow import strangers
from portula.plugin import Artifact
from security.driving import answered

BYE = "https://client.example/bye"
KINDS = ("interaction", "logout_request")
LONG = "s" * 45_000
MANY = 80


@pytest.fixture
def house(make_house):
    settings = {
        "OIDC_ENABLED": True,
        "SIGNING_KEYS_GENERATED": True,
        "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
    }
    return make_house(**settings)


@pytest.fixture
def party(house):
    return house.client(post_logout_redirect_uris=(BYE,))


def asked(party, **parameters):
    return {
        "response_type": "code",
        "client_id": party.client_id,
        "redirect_uri": party.redirect_uri,
        "scope": "openid",
        "state": "s",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
        **parameters,
    }


def by_post(house, party, address, state):
    return send(house, "POST", "/o/authorize/", address, data=asked(party, state=state))


def by_prompt(house, party, address, state):
    return send(
        house, "GET", "/o/authorize/", address, query_string=asked(party, state=state, prompt="login")
    )


def by_length(house, party, address, state):
    return send(house, "GET", "/o/authorize/", address, query_string=asked(party, state=state + "s" * 2000))


def by_logout(house, party, address, state):
    fields = {"client_id": party.client_id, "post_logout_redirect_uri": BYE, "state": state}
    return send(house, "POST", "/o/logout/", address, data=fields)


WAYS = [by_post, by_prompt, by_length, by_logout]


def send(house, method, path, address="192.0.2.1", **keywords):
    given = {"base_url": house.host, "environ_overrides": {"REMOTE_ADDR": address}, **keywords}
    return house.app.test_client().open(path, method=method, **given)


def kept(house):
    """Return how many bytes are kept of requests."""
    store, found, after = house.provider.storage, [], None
    while page := store.select(Artifact, limit=1000, after=after):
        found += page
        after = page[-1].digest
    return sum(len(json.dumps(artifact.payload)) for artifact in found if artifact.kind in KINDS)


def refusal(answer):
    """Return the error that the client, or for a sign-out the person, is told."""
    if answer.status_code == 302:
        return answered(answer)["error"]
    return {400: "invalid_request", 503: "temporarily_unavailable"}[answer.status_code]


@pytest.mark.parametrize("way", WAYS)
def test_a_request_of_moderate_length_waits(house, party, way):
    answer = way(house, party, "192.0.2.1", "s" * 10_000)
    assert answer.status_code in {302, 303}
    assert answer.location.startswith("/")
    assert kept(house) > 10_000


@pytest.mark.parametrize("way", WAYS)
def test_a_very_long_one_does_not(house, party, way):
    assert refusal(way(house, party, "192.0.2.1", LONG)) == "invalid_request"
    assert kept(house) == 0


def test_parameters_are_counted_together(house, party):
    more = {f"p{number}": "x" * 4000 for number in range(9)}
    assert refusal(send(house, "POST", "/o/authorize/", data={**asked(party), **more})) == "invalid_request"


@pytest.mark.parametrize("way", WAYS)
def test_one_address_has_a_quota_and_others_have_theirs(house, party, way):
    answers = [way(house, party, "192.0.2.1", "s" * 20_000) for _ in range(MANY)]
    refused = [answer for answer in answers if not (answer.location or "").startswith("/")]
    assert refused
    assert {refusal(answer) for answer in refused} == {"temporarily_unavailable"}
    assert kept(house) < 1.2 * strangers.MAX_BYTES_PER_ADDRESS
    assert way(house, party, "192.0.2.2", "s").location.startswith("/")
    house.clock.forward(strangers.WINDOW_SECONDS)
    assert way(house, party, "192.0.2.1", "s").location.startswith("/")


def test_all_addresses_together_have_one(house, party, monkeypatch):
    monkeypatch.setattr(strangers, "MAX_BYTES", 100_000)
    answers = [by_post(house, party, f"192.0.2.{number}", "s" * 20_000) for number in range(20)]
    assert refusal(answers[-1]) == "temporarily_unavailable"
    assert kept(house) < 120_000


def test_what_has_expired_is_removed_by_what_comes_after(house, party):
    most = 0
    for turn in range(30):
        for number in range(10):
            by_post(house, party, f"192.0.2.{number}", "s" * 20_000)
        most = max(most, kept(house))
        house.clock.forward(strangers.WINDOW_SECONDS + 1)
        assert turn < 5 or kept(house) <= most
    assert most < 500_000


def test_who_is_signed_in_uses_up_nothing(house, party):
    browser = house.browser()
    browser.sign_in()
    for _ in range(MANY):
        page = browser.get(f"/o/authorize/?{urlencode(asked(party, state='s' * 20_000))}")
        assert page.status_code == 200
    assert by_post(house, party, "127.0.0.1", "s").location.startswith("/")
