from concurrent.futures import ThreadPoolExecutor

import pytest

from portula.plugin import Artifact

PASSWORD = "correct horse battery"
LOGIN = "/accounts/login/"


def fail(accounts, times, username="ada", address="192.0.2.1"):
    for _ in range(times):
        assert accounts.login.authenticate(username, "wrong password", address) is None


def passes(accounts, username="ada", address="192.0.2.1"):
    return accounts.login.authenticate(username, PASSWORD, address) is not None


def test_five_failures_close_the_door_to_the_right_password(accounts):
    fail(accounts, 4)
    assert passes(accounts)
    fail(accounts, 5)
    assert not passes(accounts)
    assert accounts.host.heard[-1].reason == "too many failures"


def test_the_page_says_when_to_come_back(accounts, browser):
    fail(accounts, 5, address="127.0.0.1")
    accounts.host.time += 100
    answer = browser.sign_in()
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "200"
    assert "Try again in 4 minutes" in answer.text
    accounts.host.time += 199
    assert browser.sign_in().status_code == 429
    accounts.host.time += 1
    assert browser.sign_in().status_code == 302


def test_failures_count_however_the_name_is_written(accounts):
    fail(accounts, 3, "ADA")
    fail(accounts, 2, " \uff41da ")
    assert not passes(accounts)


def test_another_address_and_another_name_are_free(accounts):
    fail(accounts, 5)
    assert passes(accounts, address="192.0.2.2")
    accounts.login.users.create("bob", PASSWORD)
    assert passes(accounts, "bob")


def test_one_subscriber_of_ipv6_is_one_address(accounts):
    fail(accounts, 5, address="2001:db8::1")
    assert not passes(accounts, address="2001:db8::2")
    assert passes(accounts, address="2001:db8:0:1::1")


@pytest.mark.parametrize("address", ["", "unix:", "::ffff:192.0.2.1", "fe80::1%eth0"])
def test_any_form_of_address_is_counted(accounts, address):
    fail(accounts, 5, address=address)
    assert not passes(accounts, address=address)


def test_one_address_cannot_try_many_names(make):
    accounts = make(LOGIN_FAILURE_LIMIT_PER_ADDRESS=10)
    for number in range(10):
        fail(accounts, 1, f"user{number}")
    assert not passes(accounts)
    assert passes(accounts, address="192.0.2.2")


def test_many_addresses_cannot_try_one_name(make):
    accounts = make(LOGIN_FAILURE_LIMIT_PER_USERNAME=10)
    for number in range(10):
        fail(accounts, 1, address=f"192.0.2.{number}")
    assert not passes(accounts, address="198.51.100.1")


def test_signing_in_to_an_own_account_does_not_reset_the_address(make):
    accounts = make(LOGIN_FAILURE_LIMIT_PER_ADDRESS=4)
    accounts.login.users.create("eve", PASSWORD)
    for number in range(4):
        fail(accounts, 1, f"user{number}")
        if number < 3:
            assert passes(accounts, "eve")
    assert not passes(accounts, "eve")


def test_the_window_slides_over_the_turn_of_the_clock(accounts):
    accounts.host.time = 300 * 1_000_000 - 1
    fail(accounts, 5)
    accounts.host.time += 2
    assert not passes(accounts)
    accounts.host.time += 298
    assert passes(accounts)


def test_knocking_on_does_not_lock_longer(accounts):
    fail(accounts, 5)
    for _ in range(29):
        accounts.host.time += 10
        assert not passes(accounts)
    accounts.host.time += 10
    assert passes(accounts)


def test_twenty_attempts_at_one_moment_do_not_get_more_tries(accounts):
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda _: fail(accounts, 1), range(40)))
    reasons = [event.reason for event in accounts.host.heard]
    assert 0 < reasons.count("wrong credentials") <= 5
    accounts.host.time += 300
    assert passes(accounts)


def test_what_is_kept_of_failures_names_nobody_and_expires(accounts):
    fail(accounts, 3)
    store = accounts.provider.stores["memory"]
    assert store.purge(Artifact, now=accounts.host.time + 300, limit=100) == 0
    assert store.purge(Artifact, now=accounts.host.time + 301, limit=100) == 9


def test_success_leaves_nothing_behind_of_its_own(accounts):
    assert passes(accounts)
    assert accounts.provider.stores["memory"].purge(Artifact, now=accounts.host.time + 301, limit=100) == 0
