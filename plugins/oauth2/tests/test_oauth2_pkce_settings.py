"""When PKCE is asked for, and by which methods (RFC 7636)."""

import pytest

WITHOUT = {"code_challenge": None, "code_challenge_method": None}


def asks_for_pkce(world, sent, party):
    """Say whether an authorization request without a challenge is refused for that reason."""
    response = world.authorize(party, **WITHOUT)
    answer = sent(response)
    assert "code" in answer or answer["error"] == "invalid_request"
    return "error" in answer


@pytest.mark.parametrize(
    ("setting", "confidential"),
    [
        ({}, True),
        ({"PKCE_REQUIRED": True}, True),
        ({"PKCE_REQUIRED": False}, False),
        ({"PKCE_REQUIRED": "public"}, False),
    ],
)
def test_pkce_required_is_for_confidential_clients_and_public_ones_always_need_it(
    make, sent, setting, confidential
):
    world = make(**setting)
    assert asks_for_pkce(world, sent, world.client()) is confidential
    assert asks_for_pkce(world, sent, world.public())


def test_pkce_required_may_be_a_callable_that_is_given_the_client_id(make, sent):
    heard = []

    def required(client_id):
        heard.append(client_id)
        return client_id == strict.client_id

    world = make(PKCE_REQUIRED=required)
    strict, lax, public = world.client(), world.client(), world.public()
    assert asks_for_pkce(world, sent, strict)
    assert not asks_for_pkce(world, sent, lax)
    assert asks_for_pkce(world, sent, public)
    assert set(heard) == {strict.client_id, lax.client_id}


@pytest.mark.parametrize("setting", [True, False, "public", lambda _client_id: True])
@pytest.mark.parametrize("own", [True, False])
def test_a_clients_own_require_pkce_overrides_the_setting(make, sent, setting, own):
    world = make(PKCE_REQUIRED=setting)
    assert asks_for_pkce(world, sent, world.client(require_pkce=own)) is own
    assert asks_for_pkce(world, sent, world.public(require_pkce=own))


def test_a_code_without_pkce_is_redeemed_without_a_verifier(make):
    world = make(PKCE_REQUIRED=False)
    client = world.client()
    code, _ = world.code(client, **WITHOUT)
    assert world.redeem(client, code, None).status_code == 200


def test_pkce_is_kept_to_even_where_it_is_not_required(make, refused):
    world = make(PKCE_REQUIRED=False)
    client = world.client()
    code, _ = world.code(client)
    assert refused(world.redeem(client, code, None)) == "invalid_grant"


@pytest.mark.parametrize("method", ["plain", None, "S512"])
def test_only_s256_is_allowed_unless_told_otherwise(world, sent, method):
    answer = sent(world.authorize(world.client(), code_challenge="x" * 43, code_challenge_method=method))
    assert answer["error"] == "invalid_request"


@pytest.mark.parametrize("method", ["plain", None])
def test_plain_is_one_setting_away(make, refused, method):
    world = make(CODE_CHALLENGE_METHODS=["S256", "plain"])
    client = world.client()
    verifier = "plain-verifier-of-enough-characters-0123456789"
    asked = {"code_challenge": verifier, "code_challenge_method": method}
    code, _ = world.code(client, **asked)
    assert world.redeem(client, code, verifier).status_code == 200
    code, _ = world.code(client, **asked)
    assert refused(world.redeem(client, code, verifier.upper())) == "invalid_grant"


def test_code_challenge_methods_may_leave_out_s256(make, sent, pkce):
    world = make(CODE_CHALLENGE_METHODS=["plain"])
    answer = sent(world.authorize(world.client(), code_challenge=pkce()[1], code_challenge_method="S256"))
    assert answer["error"] == "invalid_request"
