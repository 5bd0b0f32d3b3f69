"""S51: an unknown name costs what a wrong secret costs, and secrets are compared in constant time."""

import hmac

import argon2
import pytest
from argon2 import PasswordHasher

from portula import hookimpl
from portula_generators.hasher import Hasher
from security.driving import PASSWORD, basic, error_of


class CountingHasher(Hasher):
    """Notes the comparisons it is asked for."""

    calls = ()

    def verify(self, secret, stored):
        self.calls.append("verify")
        return super().verify(secret, stored)

    def verify_nothing(self, secret):
        self.calls.append("verify_nothing")
        super().verify_nothing(secret)


class Counting:
    """Answers the slot of the secret hasher."""

    def __init__(self):
        self.calls = []

    @hookimpl
    def portula_secret_hasher(self, provider):
        hasher = CountingHasher(provider.keys.across_issuers, "testing")
        hasher.calls = self.calls
        return hasher


@pytest.fixture(scope="module")
def counting():
    return Counting()


@pytest.fixture(scope="module")
def counted(make_house, counting):
    """A house with that hasher."""
    return make_house(counting, PLUGINS_CHOICE={"secret_hasher": "Counting"})


@pytest.fixture
def calls(counting):
    """Return a function that takes the calls so far."""
    counting.calls.clear()

    def taken():
        found = list(counting.calls)
        counting.calls.clear()
        return found

    return taken


@pytest.mark.parametrize("path", ["/o/token/", "/o/revoke_token/", "/o/introspect/"])
def test_an_unknown_client_costs_one_comparison_as_a_wrong_secret_does(counted, calls, kind, path):
    door, client, public = counted.door(kind), counted.client(), counted.public_client()
    body = {"grant_type": "client_credentials", "token": "t"}
    calls()
    for client_id, expected in [
        (client.client_id, ["verify"]),
        ("nobody", ["verify_nothing", "verify"]),
        (public.client_id, ["verify_nothing", "verify"]),
    ]:
        response = door.post(path, body, basic(client_id, "wrong"))
        assert error_of(response, 401) == "invalid_client"
        assert calls() == expected
        response = door.post(path, {**body, "client_id": client_id, "client_secret": "wrong"})
        assert error_of(response, 401) == "invalid_client"
        assert calls() == expected


def test_the_answers_do_not_tell_an_unknown_client_from_a_wrong_secret(house, door, client):
    answers = [
        door.token(grant_type="client_credentials", headers=basic(client_id, "wrong"))
        for client_id in (client.client_id, "nobody", house.public_client().client_id)
    ]
    assert len({(answer.status_code, answer.data, tuple(answer.headers)) for answer in answers}) == 1


def test_an_unknown_person_costs_one_password_hash_as_a_wrong_password_does(monkeypatch, house):
    verified = []
    verify = argon2.PasswordHasher.verify

    def counting_verify(self, stored, password):
        verified.append(stored)
        return verify(self, stored, password)

    known, disabled = house.user(), house.user()
    house.users.disable(disabled)
    monkeypatch.setattr(argon2.PasswordHasher, "verify", counting_verify)
    pages = []
    for username in (known.username, "nobody at all", disabled.username):
        response = house.browser().sign_in(username, "a wrong password")
        pages.append(response.text.replace(username, ""))
        assert response.status_code == 400
        assert len(verified) == 1
        assert verified.pop().startswith("$argon2id$")
    assert house.browser().sign_in(disabled.username, PASSWORD).status_code == 400
    assert len(verified) == 1
    notice = "The user name or the password is not right."
    assert all(notice in page for page in pages)


@pytest.fixture
def compared(monkeypatch):
    """Return the pairs that are compared in constant time from now on."""
    pairs = []
    compare = hmac.compare_digest

    def recording(one, other):
        pairs.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", recording)
    return pairs


def test_a_client_secret_is_compared_in_constant_time(house, door, client, compared):
    for secret, status in [("wrong", 401), (client.secret, 200)]:
        compared.clear()
        response = door.token(grant_type="client_credentials", headers=basic(client.client_id, secret))
        assert response.status_code == status
        assert len(compared) == 1
        assert (compared[0][0] == compared[0][1]) is (status == 200)


def test_an_unknown_client_is_compared_with_something(door, compared, monkeypatch):
    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda *given: compared.append(given[1:]) or verify(*given))
    door.token(grant_type="client_credentials", headers=basic("nobody", "wrong"))
    assert len(compared) == 1  # by argon2 once a client was here whose secret a person chose


def test_a_csrf_token_is_compared_in_constant_time(browser, compared):
    page = browser.get("/accounts/login/")
    compared.clear()
    browser.submit(page, "login-submit", username="ann", password="wrong", csrf_token="A" * 43)
    assert [pair for pair in compared if b"A" * 43 in pair or "A" * 43 in pair]
