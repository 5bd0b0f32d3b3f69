"""Types of tokens for other servers, as plugins bring them: the policy decides, and nothing is kept."""

import pytest
from security.driving import ISSUER, error_of
from support.examples import example_of
from support.exchanges import GRANT, TYPE

from portula import Plugin, hookimpl
from portula.errors import BrokenPlugin, ConfigError, InvalidTargetError, StorageDown
from portula.plugin import AccessToken, revoke_person
from portula_testing.jws import taken_apart
from portula_token_exchange.hooks import TokenExchangeHooks

VOUCHER, TEA = "urn:example:voucher", "https://tea.example/"


class Vouchers:
    """The example of the hook, which a test makes fail."""

    def __init__(self):
        hook = TokenExchangeHooks.portula_requested_token_types
        room = example_of(hook, Plugin=Plugin, InvalidTargetError=InvalidTargetError)
        (self.kind,) = room.portula_requested_token_types(None).values()

    @hookimpl(optionalhook=True)
    def portula_requested_token_types(self, provider):
        return {VOUCHER: self.kind}


@pytest.fixture
def vouchers():
    return Vouchers()


@pytest.fixture
def house(make_house, vouchers, policy):
    policy.may_assert = lambda request: request.requested_token_type == VOUCHER
    return make_house(vouchers, TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES=[VOUCHER, f"{TYPE}access_token"])


@pytest.fixture
def ask(house, app, gateway, exchange):
    """Return a function that asks for a voucher, made of the token of a person."""
    token = house.tokens(app, scope="openid read")["access_token"]
    return lambda **form: exchange(
        gateway, token, **{"requested_token_type": VOUCHER, "audience": TEA, **form}
    )


def test_the_example_of_the_manual_makes_one(house, ask):
    kept = len(house.provider.storage.select(AccessToken))
    answer = ask(scope="pour").json
    assert (answer["issued_token_type"], answer["token_type"], answer["scope"]) == (VOUCHER, "N_A", "pour")
    assert answer["expires_in"] == 60
    header, claims = taken_apart(answer["access_token"])
    assert header["typ"] == "voucher+jwt"
    assert claims == {"iss": ISSUER, "aud": TEA, "sub": house.ann.sub}
    assert len(house.provider.storage.select(AccessToken)) == kept
    assert error_of(ask(audience="https://coffee.example/")) == "invalid_target"


def test_access_tokens_are_exchanged_as_before(ask, house):
    answer = ask(requested_token_type=None, audience=None)
    assert answer.json["issued_token_type"] == f"{TYPE}access_token"
    assert house.door().resource(answer.json["access_token"]).status_code == 200


def test_details_and_resources_of_others_are_nothing_to_rooms_here(ask):
    details = '[{"type": "unknown here"}]'
    answer = ask(resource="https://unknown.example/", authorization_details=details)
    assert answer.json["authorization_details"] == [{"type": "unknown here"}]


def test_a_policy_for_access_tokens_allows_none(ask, policy):
    policy.delegates = policy.impersonates = True
    del policy.may_assert
    assert error_of(ask()) == "invalid_request"


def test_a_revocation_that_comes_at_the_same_moment_wins(house, ask, policy):
    def may_assert(request):
        revoke_person(house.provider, house.ann.sub)
        return True

    policy.may_assert = may_assert
    assert error_of(ask()) == "invalid_grant"


@pytest.mark.parametrize("part", ["judge", "make"])
def test_a_type_that_fails_gives_nothing(ask, vouchers, part):
    def fails(exchange, request):
        raise RuntimeError("the database of the type")

    setattr(vouchers.kind, part, fails)
    answer = ask()
    assert error_of(answer, 500) == "server_error"
    assert "database of the type" not in answer.text


def test_a_type_that_cannot_judge_now_says_so(ask, vouchers):
    def down(exchange, request):
        raise StorageDown("the database of the type")

    vouchers.kind.judge = down
    assert error_of(ask(), 503) == "temporarily_unavailable"


def test_what_is_no_type_stops_the_start(make_house, vouchers):
    vouchers.kind = "a voucher"
    with pytest.raises(BrokenPlugin, match="portula_requested_token_types"):
        make_house(vouchers)


def test_a_type_that_nobody_brings_stops_the_start(make_house):
    with pytest.raises(ConfigError, match="nobody brings"):
        make_house(TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES=[VOUCHER])


def test_one_that_is_no_grant_is_not_told(house, vouchers, make_house):
    member = "identity_chaining_requested_token_types_supported"
    assert member not in house.door().open("/o/.well-known/openid-configuration").json
    vouchers.kind.is_grant = True
    other = make_house(vouchers, TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES=[VOUCHER])
    assert other.door().open("/o/.well-known/openid-configuration").json[member] == [VOUCHER]


def test_one_that_the_settings_do_not_name_is_not_given(make_house, vouchers, policy):
    policy.may_assert = lambda request: True
    house = make_house(vouchers)
    gateway = house.client(grant_types=(GRANT,), redirect_uris=())
    form = {
        "subject_token": house.tokens(house.client())["access_token"],
        "subject_token_type": f"{TYPE}access_token",
        "requested_token_type": VOUCHER,
        "audience": TEA,
    }
    assert error_of(house.door().token(gateway, grant_type=GRANT, **form)) == "invalid_request"
