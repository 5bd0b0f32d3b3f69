"""S20: PKCE cannot be left out, turned down or guessed (RFC 7636, RFC 9700 §2.1.1 and §4.8.2)."""

import hmac

import pytest

from portula.errors import ConfigError
from security.driving import answered, error_of, pkce, s256

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


@pytest.fixture(scope="module")
def lax(make_house):
    """A house that leaves PKCE to confidential clients and allows `plain`."""
    return make_house(PKCE_REQUIRED=False, CODE_CHALLENGE_METHODS=["S256", "plain"])


def test_a_request_without_a_challenge_is_refused(browser, client, public):
    for party in (client, public):
        answer = answered(browser.ask(party))
        assert answer["error"] == "invalid_request"
        assert "challenge" in answer["error_description"].lower()


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"code_challenge_method": "plain"}, "plain"),
        ({"code_challenge_method": None}, "plain is what a missing method means"),
        ({"code_challenge_method": "s256"}, "names are exact"),
        ({"code_challenge_method": "S512"}, "unknown"),
        ({"code_challenge_method": "none"}, "unknown"),
        ({"code_challenge": "A" * 42}, "too short"),
        ({"code_challenge": "A" * 129}, "too long"),
        ({"code_challenge": "A" * 42 + "="}, "padded"),
        ({"code_challenge": "A" * 42 + "+"}, "not base64url"),
        ({"code_challenge": "A" * 42 + " "}, "a space"),
        ({"code_challenge": "A" * 42 + "é"}, "not ASCII"),
        ({"code_challenge": ""}, "empty counts as absent"),
        ({"code_challenge": None}, "a method without a challenge"),
    ],
)
def test_a_challenge_of_another_kind_is_refused(browser, client, parameters, why):
    given = {"code_challenge": pkce()[1], "code_challenge_method": "S256", **parameters}
    assert answered(browser.ask(client, **given))["error"] == "invalid_request", why


@pytest.mark.parametrize(
    "wrong",
    [None, "", "short", "A" * 42, "A" * 43, "A" * 129, "A" * 42 + "é", "A" * 42 + "+", "A" * 10_240],
    ids=lambda wrong: ascii(wrong)[:20],
)
def test_a_missing_or_wrong_verifier_is_an_invalid_grant(browser, door, client, wrong):
    code, verifier = browser.code(client)
    assert error_of(door.redeem(client, code, verifier, code_verifier=wrong)) == "invalid_grant"
    assert door.redeem(client, code, verifier).status_code == 200


def test_the_challenge_itself_is_no_verifier(browser, door, client):
    verifier, challenge = pkce()
    code = answered(browser.authorize(client, code_challenge=challenge))["code"]
    assert error_of(door.redeem(client, code, challenge)) == "invalid_grant"
    swapped = verifier.swapcase()
    assert error_of(door.redeem(client, code, swapped)) == "invalid_grant"
    assert error_of(door.redeem(client, code, verifier[:-1])) == "invalid_grant"
    assert error_of(door.redeem(client, code, f"{verifier}=")) == "invalid_grant"


def test_the_method_cannot_be_changed_when_the_code_is_redeemed(browser, door, client):
    verifier, challenge = pkce()
    code = answered(browser.authorize(client, code_challenge=challenge))["code"]
    hostile = {"code_challenge_method": "plain", "code_challenge": "A" * 43}
    assert error_of(door.redeem(client, code, challenge, **hostile)) == "invalid_grant"
    assert error_of(door.redeem(client, code, "A" * 43, **hostile)) == "invalid_grant"
    assert door.redeem(client, code, verifier).status_code == 200


def test_the_verifier_of_another_code_is_refused(browser, door, client):
    first, _ = browser.code(client)
    _, other = browser.code(client)
    assert error_of(door.redeem(client, first, other)) == "invalid_grant"


@pytest.mark.parametrize("verifier", ["A" * 43, "short", "é"])
def test_a_verifier_for_a_code_without_a_challenge_is_refused(lax, kind, verifier):
    """An attacker who stripped the challenge from the request must not pass unnoticed."""
    client, door = lax.client(), lax.door(kind)
    code = answered(lax.browser().authorize(client, code_challenge=None, code_challenge_method=None))["code"]
    assert error_of(door.redeem(client, code, verifier)) == "invalid_grant"
    assert door.redeem(client, code, None).status_code == 200


def test_a_verifier_that_is_left_out_is_refused_where_pkce_is_optional(lax, kind):
    client, door = lax.client(), lax.door(kind)
    code, verifier = lax.browser().code(client)
    assert error_of(door.redeem(client, code, None)) == "invalid_grant"
    assert door.redeem(client, code, verifier).status_code == 200


def test_a_public_client_needs_pkce_whatever_is_set(lax):
    for settings in ({}, {"require_pkce": False}):
        client = lax.public_client(**settings)
        assert answered(lax.browser().ask(client))["error"] == "invalid_request"


def test_a_client_of_its_own_accord_may_need_pkce(lax):
    assert answered(lax.browser().ask(lax.client(require_pkce=True)))["error"] == "invalid_request"


def test_plain_works_only_where_it_is_allowed_and_only_as_plain(lax, kind):
    client, door = lax.client(), lax.door(kind)
    asked = {"code_challenge": UNRESERVED[:43], "code_challenge_method": "plain"}
    code = answered(lax.browser().authorize(client, **asked))["code"]
    assert error_of(door.redeem(client, code, UNRESERVED[1:44])) == "invalid_grant"
    assert door.redeem(client, code, UNRESERVED[:43]).status_code == 200


@pytest.mark.parametrize("wrong", ["A" * 42, "A" * 129, "A" * 42 + "+", "A" * 42 + "=", "A" * 42 + "é"])
def test_a_verifier_of_another_form_is_refused_although_its_digest_is_right(lax, kind, wrong):
    """Who made the challenge of it did not keep to RFC 7636 §4.1; too short a one could be searched for."""
    client, door = lax.client(), lax.door(kind)
    code = answered(lax.browser().authorize(client, code_challenge=s256(wrong)))["code"]
    assert error_of(door.redeem(client, code, wrong)) == "invalid_grant"
    asked = {"code_challenge": UNRESERVED[:43], "code_challenge_method": "plain"}
    code = answered(lax.browser().authorize(client, **asked))["code"]
    assert error_of(door.redeem(client, code, wrong)) == "invalid_grant"


@pytest.mark.parametrize("length", [43, 128])
def test_the_shortest_and_longest_verifiers_pass(browser, door, client, length):
    verifier = (UNRESERVED * 2)[:length]
    code = answered(browser.authorize(client, code_challenge=s256(verifier)))["code"]
    assert door.redeem(client, code, verifier).status_code == 200


def test_challenge_and_verifier_are_compared_in_constant_time(monkeypatch, browser, door, client):
    code, _ = browser.code(client)
    compared = []

    def compare(one, other):
        compared.append({one, other})
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    verifier, made = pkce()
    assert error_of(door.redeem(client, code, verifier)) == "invalid_grant"
    assert any(made in pair for pair in compared)


@pytest.mark.parametrize("methods", [[], ["S512"], ["none"]])
def test_the_setting_takes_known_methods_only(make_house, methods):
    with pytest.raises(ConfigError, match="CODE_CHALLENGE_METHODS"):
        make_house(CODE_CHALLENGE_METHODS=methods)
