"""S47 at each place that takes proofs: moved to another, replayed, reordered, stripped, by the key of another.

Rooms: dpop and mtls, at userinfo, introspection (whose caller comes with a token), views behind `@require_oauth`,
pushed requests, the token endpoint, and the polls of devices.
"""

from itertools import permutations

import pytest
from support import exchanges
from support.certificates import BEHIND_PROXY, self_signed, shown
from support.devices import GRANT, answered, begun, television
from support.proofs import Prover

from security.driving import bearer, error_of, s256
from security.house import House

WITH_TOKEN = {
    "userinfo": ("GET", "/o/userinfo/"),
    "userinfo by POST": ("POST", "/o/userinfo/"),
    "a view": ("GET", "/resource"),
    "introspection": ("POST", "/o/introspect/"),
}
OF_CLIENTS = {
    "the token endpoint": ("POST", "/o/token/"),
    "a poll": ("POST", "/o/token/"),
    "a pushed request": ("POST", "/o/par/"),
}
PLACES = {**WITH_TOKEN, **OF_CLIENTS}
ELSEWHERE = [(one, other) for one, other in permutations(PLACES, 2) if PLACES[one] != PLACES[other]]


class Visitor:
    """A client with a key, and a token that is bound to it; it goes to each place with the headers it is given."""

    def __init__(self, house, bound):
        """Get a token with these headers; `bound` says how the token is sent."""
        self.house, self.door = house, house.door()
        self.client = house.client(scope="openid read introspection")
        code, verifier = house.browser().code(self.client, scope="openid read introspection")
        headers = {**self.client.auth, **bound}
        answer = self.door.redeem(self.client, code, verifier, headers=headers)
        assert answer.status_code == 200, answer.text
        self.token = answer.json["access_token"]
        self.codes = None

    def polled(self):
        """Return the codes of a device whose person has allowed it, the same until they are spent."""
        if self.codes is None:
            self.screen = television(self.house)
            self.codes = begun(self.house, self.screen)
            answered(self.house.browser(), self.codes["user_code"])
        return self.codes["device_code"]

    def go(self, place, headers):
        """Go to a place, and return the answer."""
        method, path = PLACES[place]
        form = {}
        if place == "introspection":
            form = {"token": "x"}
        if place == "the token endpoint":
            form = {"grant_type": "client_credentials", "scope": "read"}
        if place == "a pushed request":
            form = {
                "response_type": "code",
                "client_id": self.client.client_id,
                "redirect_uri": self.client.redirect_uri,
                "scope": "read",
                "code_challenge": s256("v" * 43),
                "code_challenge_method": "S256",
            }
        party = self.client
        if place == "a poll":
            form = {"grant_type": GRANT, "device_code": self.polled()}
            party = self.screen
        if place in OF_CLIENTS:
            headers = {**party.auth, **headers}
        answer = self.door.open(path, method=method, data=form or None, headers=headers)
        if place == "a poll" and answer.status_code == 200:
            self.codes = None
        return answer


@pytest.fixture(scope="module")
def house():
    return House(OIDC_ENABLED=True)


@pytest.fixture(scope="module")
def prover(house):
    return Prover(lambda: house.clock.time)


@pytest.fixture(scope="module")
def visitor(house, prover):
    return Visitor(house, prover.proof())


def headers_for(visitor, prover, place):
    """Return the headers of a request to a place, made with a key."""
    method, path = PLACES[place]
    if place in WITH_TOKEN:
        return prover.at(path, visitor.token, method=method)
    return prover.proof(method, path)


def refused(answer, error="invalid_dpop_proof"):
    assert (answer.status_code, answer.json["error"]) in ((400, error), (401, error)), answer.text


@pytest.mark.parametrize("place", PLACES)
def test_a_proof_counts_where_it_is_made_for_and_once(visitor, prover, place):
    first, second, third = (headers_for(visitor, prover, place) for _ in range(3))
    for headers, counts in ((third, True), (first, True), (third, False), (second, True), (first, False)):
        answer = visitor.go(place, headers)
        if counts:
            assert answer.status_code in (200, 201), answer.text
        else:
            refused(answer)


@pytest.mark.parametrize(("made_for", "place"), ELSEWHERE)
def test_a_proof_that_is_moved_does_not_count(visitor, prover, made_for, place):
    proof = headers_for(visitor, prover, made_for)["DPoP"]
    refused(visitor.go(place, {**headers_for(visitor, prover, place), "DPoP": proof}))


def test_a_proof_that_a_token_request_used_up_is_none_of_a_poll(visitor, prover):
    for first, then in (("the token endpoint", "a poll"), ("a poll", "the token endpoint")):
        proof = headers_for(visitor, prover, first)
        assert visitor.go(first, proof).status_code == 200
        refused(visitor.go(then, proof))


@pytest.mark.parametrize("place", WITH_TOKEN)
def test_a_token_without_its_proof_does_not_count(house, visitor, prover, place):
    stripped = {"Authorization": f"DPoP {visitor.token}"}
    thief = Prover(lambda: house.clock.time)
    refused(visitor.go(place, stripped))
    refused(visitor.go(place, bearer(visitor.token)), "invalid_token")
    proof = headers_for(visitor, prover, place)["DPoP"]
    refused(visitor.go(place, {**bearer(visitor.token), "DPoP": proof}), "invalid_token")
    refused(visitor.go(place, headers_for(visitor, thief, place)), "invalid_token")


@pytest.mark.parametrize("place", OF_CLIENTS)
@pytest.mark.parametrize("proof", ["", "x", "a.b.c", "null"])
def test_what_is_no_proof_makes_no_bearers_token(visitor, place, proof):
    refused(visitor.go(place, {"DPoP": proof}))


def test_a_poll_by_another_key_than_the_refresh_gives_nothing_away(house, visitor, prover):
    screen = television(house, client_type="public")
    codes = begun(house, screen)
    answered(house.browser(), codes["user_code"])
    form = {"grant_type": GRANT, "device_code": codes["device_code"]}
    tokens = house.door().token(screen, prover.proof(), **form).json
    again = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for headers in ({}, Prover(lambda: house.clock.time).proof()):
        assert error_of(house.door().token(screen, headers, **again)) == "invalid_grant"
    assert house.door().token(screen, prover.proof(), **again).json["token_type"] == "DPoP"


# --- Certificates ---


@pytest.fixture(scope="module")
def certified():
    policy = {"TOKEN_EXCHANGE_POLICY": exchanges.Policy()}
    return House(OIDC_ENABLED=True, MTLS_ENABLED=True, **policy, **BEHIND_PROXY)


@pytest.mark.parametrize("place", WITH_TOKEN)
def test_a_token_without_its_certificate_does_not_count(certified, place):
    (der, _), (other, _) = self_signed(), self_signed()
    party = certified.client(
        scope="openid read introspection",
        metadata={"tls_client_certificate_bound_access_tokens": True},
    )
    scope = "openid read introspection"
    code, verifier = certified.browser().code(party, scope=scope)
    given = certified.door().redeem(party, code, verifier, headers={**party.auth, **shown(der)})
    token, (method, path) = bearer(given.json["access_token"]), WITH_TOKEN[place]
    data = {"token": "x"} if place == "introspection" else None
    for headers, status in ((shown(der), 200), ({}, 401), (shown(other), 401)):
        answer = certified.door().open(path, method=method, data=data, headers={**token, **headers})
        assert answer.status_code == status
        assert status == 200 or answer.json["error"] == "invalid_token"


@pytest.mark.parametrize("place", ["the token endpoint", "a poll"])
def test_whose_tokens_are_bound_gets_none_without_a_certificate(certified, place):
    metadata = {"tls_client_certificate_bound_access_tokens": True}
    if place == "a poll":
        party = television(certified, metadata=metadata)
        codes = begun(certified, party)
        answered(certified.browser(), codes["user_code"])
        form = {"grant_type": GRANT, "device_code": codes["device_code"]}
    else:
        party, form = certified.client(metadata=metadata), {"grant_type": "client_credentials"}
    assert error_of(certified.door().token(party, **form)) == "invalid_request"
    headers = {**party.auth, **shown(self_signed()[0])}
    assert certified.door().token(party, headers, **form).status_code == 200


@pytest.mark.parametrize("bound_by", ["a certificate", "a key", "both"])
def test_a_subject_token_is_exchanged_by_who_could_use_it(certified, bound_by):
    """RFC 8693 with RFC 8705 and RFC 9449: else a stolen token would buy one that is bound to the thief."""
    (der, _), (other, _) = self_signed(), self_signed()
    prover, thief = (Prover(lambda: certified.clock.time) for _ in range(2))
    keyed, certificated = bound_by != "a certificate", bound_by != "a key"
    metadata = {"tls_client_certificate_bound_access_tokens": True} if certificated else {}
    grants = ("authorization_code", "client_credentials", exchanges.GRANT)
    party = certified.client(metadata=metadata, grant_types=grants)

    def headers(certificate, key):
        return {**party.auth, **(shown(certificate) if certificate else {}), **(key.proof() if key else {})}

    first = headers(der if certificated else None, prover if keyed else None)
    code, verifier = certified.browser().code(party)
    token = certified.door().redeem(party, code, verifier, headers=first).json["access_token"]
    form = {"subject_token": token, "subject_token_type": f"{exchanges.TYPE}access_token"}

    def exchange(certificate, key):
        return certified.door().token(party, headers(certificate, key), grant_type=exchanges.GRANT, **form)

    for certificate in (None, other, der):
        for key in (None, thief, prover):
            counts = (certificate is der or not certificated) and (key is prover or not keyed)
            answer = exchange(certificate, key)
            if counts:
                assert answer.status_code == 200, answer.text
            else:
                assert error_of(answer) == "invalid_request"
