"""How many clients may be registered within an hour (attack S55)."""

import pytest

START = 1_700_000_000 - 1_700_000_000 % 3600 + 3600


@pytest.fixture
def limited(make, kind):
    def make_limited(**settings):
        world = make(kind=kind, **settings)
        world.clock.time = START
        return world

    return make_limited


def test_an_address_registers_as_many_as_it_may_in_an_hour(limited):
    world = limited(DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR=2)
    world.clock.advance(100)
    assert [world.register().status_code for _ in range(3)] == [201, 201, 429]
    answer = world.register()
    assert answer.headers["Retry-After"] == "3500"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["error"] == "temporarily_unavailable"
    assert world.register(address="203.0.113.8").status_code == 201
    world.clock.advance(3500)
    assert world.register().status_code == 201


def test_an_address_may_register_twenty_by_default(limited):
    world = limited()
    assert [world.register().status_code for _ in range(21)] == [201] * 20 + [429]


def test_all_addresses_together_have_a_limit(limited):
    world = limited(DCR_MAX_CLIENTS_PER_HOUR=2)
    assert [world.register(address=f"203.0.113.{last}").status_code for last in (1, 2, 3)] == [201, 201, 429]


def test_of_ipv6_a_subscriber_is_counted(limited):
    world = limited(DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR=1)
    addresses = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"]
    assert [world.register(address=address).status_code for address in addresses] == [201, 429, 201]


def test_what_is_refused_is_not_counted(limited):
    world = limited(DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR=1)
    assert world.register(redirect_uris=["x"]).status_code == 400
    assert world.register().status_code == 201


def test_a_refusal_uses_no_initial_access_token_up(limited):
    world = limited(DCR_REGISTRATION_MODE="initial_access_token", DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR=1)
    token = world.initial_token(max_uses=2, expires_in=None)
    assert [world.register(token=token).status_code for _ in range(2)] == [201, 429]
    world.clock.advance(3600)
    assert world.register(token=token).status_code == 201
    world.clock.advance(3600)
    assert world.register(token=token).status_code == 401


def test_updates_are_not_counted(limited):
    world = limited(DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR=1)
    told = world.registered()
    assert world.update(told, redirect_uris=["https://client.example/2"]).status_code == 200


def test_limits_can_be_switched_off(limited):
    world = limited(DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR=None, DCR_MAX_CLIENTS_PER_HOUR=None)
    assert {world.register().status_code for _ in range(25)} == {201}


def test_two_providers_on_one_storage_count_together(limited, make):
    world = limited(DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR=2)
    other = make(world.memory, DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR=2)
    other.clock.time = START
    assert [one.register().status_code for one in (world, other, world)] == [201, 201, 429]
