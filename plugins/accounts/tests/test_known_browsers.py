"""Who fails to sign in holds up others as little as can be (OWASP, device cookies)."""

import logging

import pytest

PASSWORD = "correct horse battery"


def fail(accounts, times, username="user{}", address="192.0.2.1"):
    """Fail to sign in, under another name each time."""
    for number in range(times):
        page = accounts.browser().sign_in(username.format(number), "wrong password", address=address)
        assert page.status_code == 400, page.text


def test_fifty_failures_of_strangers_hold_up_no_browser_that_is_known(accounts):
    known = accounts.browser()
    assert known.sign_in(address="192.0.2.1").status_code == 302
    fail(accounts, 50)
    assert accounts.browser().sign_in(address="192.0.2.1").status_code == 429
    assert known.sign_in(address="192.0.2.1").status_code == 302


def test_who_attacks_a_name_from_everywhere_holds_up_no_browser_that_is_known(make):
    accounts = make(LOGIN_FAILURE_LIMIT_PER_USERNAME=10)
    known = accounts.browser()
    known.sign_in()
    for number in range(10):
        fail(accounts, 1, "ada", address=f"198.51.100.{number}")
    assert accounts.browser().sign_in(address="203.0.113.1").status_code == 429
    assert known.sign_in("\uff21da").status_code == 302


def test_a_known_browser_has_no_more_attempts_than_others(accounts):
    known = accounts.browser()
    known.sign_in()
    for _ in range(5):
        assert known.sign_in(password="wrong password").status_code == 400
    assert known.sign_in().status_code == 429
    assert accounts.browser().sign_in().status_code == 302


def test_it_is_known_for_one_person_only_and_by_no_cookie_of_its_own_making(accounts):
    accounts.login.users.create("bob", PASSWORD)
    known = accounts.browser()
    known.sign_in()
    fail(accounts, 50)
    assert known.sign_in("bob", address="192.0.2.1").status_code == 429
    cookie = known.client.get_cookie("portula_known")
    assert cookie.http_only
    for value in ("x.y", ".", cookie.value + "x", cookie.value[1:], "é.é"):
        forged = accounts.browser()
        forged.client.set_cookie("portula_known", value)
        assert forged.sign_in(address="192.0.2.1").status_code == 429


def test_a_password_of_somebody_disabled_makes_no_browser_known(accounts):
    browser = accounts.browser()
    browser.sign_in(password="wrong password")
    assert browser.client.get_cookie("portula_known") is None


@pytest.mark.parametrize("counted", ["address", "name"])
def test_pauses_double_and_end_with_the_window(make, counted):
    accounts = make(LOGIN_FAILURE_LIMIT_PER_ADDRESS=3, LOGIN_FAILURE_LIMIT_PER_USERNAME=3)

    def attempt(number):
        name, address = (
            (f"user{number}", "192.0.2.1") if counted == "address" else ("ada", f"192.0.2.{number}")
        )
        page = accounts.browser().sign_in(name, "wrong password", address=address)
        return page.status_code, int(page.headers.get("Retry-After", 0))

    assert [attempt(number)[0] for number in range(3)] == [400] * 3
    for number, pause in enumerate((1, 2, 4, 8, 16), 3):
        assert attempt(number) == (429, pause)
        accounts.host.time += pause - 1
        assert attempt(number) == (429, 1)
        accounts.host.time += 1
        assert attempt(number) == (400, 0)
    accounts.host.time += 301
    assert attempt(50) == (400, 0)


def about_proxies(caplog):
    return [record.getMessage() for record in caplog.records if "X-Forwarded-For" in record.getMessage()]


def test_a_proxy_that_nobody_configured_is_logged_once(accounts, caplog):
    def come(*, header=True):
        headers = {"X-Forwarded-For": "203.0.113.9"} if header else {}
        browser = accounts.browser()
        fields = {**browser.fields("/accounts/login/"), "username": "ada", "password": "wrong password"}
        return browser.client.post("/accounts/login/", data=fields, headers=headers)

    with caplog.at_level(logging.WARNING, "portula"):
        come(header=False)
        assert not about_proxies(caplog)
        for _ in range(3):
            come()
    (message,) = about_proxies(caplog)
    assert "TRUSTED_PROXIES = 1" in message
    assert "127.0.0.1" in message


def test_a_proxy_that_is_configured_is_not(make, caplog):
    accounts = make(TRUSTED_PROXIES=1)
    browser = accounts.browser()
    fields = {**browser.fields("/accounts/login/"), "username": "ada", "password": "wrong password"}
    browser.client.post("/accounts/login/", data=fields, headers={"X-Forwarded-For": "203.0.113.9"})
    assert not about_proxies(caplog)
