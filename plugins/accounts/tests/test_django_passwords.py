"""Passwords that Django hashed open the account once, and are kept as argon2id from then on."""

import base64
import hashlib

import pytest

import portula_generators
from portula import Plugin
from portula.plugin import Plan
from portula_accounts.passwords import Passwords
from portula_generators import django_hashes


def hashed(password, iterations=1000, salt="salt of tea"):
    """Return a password as Django stores it."""
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), iterations)
    return f"pbkdf2_sha256${iterations}${salt}${base64.b64encode(digest).decode()}"


@pytest.fixture
def moved(make):
    """Return a function that gives Ada a password that Django hashed."""

    def move(password, *plugins, iterations=1000, **settings):
        accounts = make(portula_generators, *plugins, PASSWORD_HASH_PROFILE="testing", **settings)
        plan = Plan()
        plan.change(accounts.ada, password_hash=hashed(password, iterations))
        accounts.provider.storage.apply(plan)
        return accounts

    return move


def kept(accounts):
    return accounts.login.users.find_by_name("ada").password_hash


@pytest.mark.parametrize(
    "password", ["correct horse battery", "tea", "pässwörd\u00a0eins", "e\u0301te\u0301 1999"]
)
def test_a_password_of_django_signs_in_and_is_kept_as_argon2id(moved, password):
    accounts = moved(password)
    assert accounts.browser().sign_in(password=f"{password}!").status_code == 400
    assert kept(accounts) == hashed(password)
    assert accounts.browser().sign_in(password=password).status_code == 302
    assert kept(accounts).startswith("$argon2id$")
    assert accounts.browser().sign_in(password=password).status_code == 302
    assert accounts.browser().sign_in(password=f"{password}!").status_code == 400


def test_the_written_form_is_that_of_django():
    assert hashed("tea") == "pbkdf2_sha256$1000$salt of tea$6xIC95VMT3YhmPHwPotOeQ6z8EAOwJ5l1B9bA8X5k60="


def test_the_written_form_is_no_password(moved):
    accounts = moved("correct horse battery")
    assert accounts.browser().sign_in(password=kept(accounts)).status_code == 400


def test_the_password_grant_renews_it_too(moved):
    accounts = moved("correct horse battery")
    assert accounts.login.authenticate("ada", "correct horse battery", "192.0.2.1")
    assert kept(accounts).startswith("$argon2id$")


def test_of_two_who_sign_in_at_one_moment_both_are_signed_in(moved, monkeypatch):
    accounts = moved("correct horse battery")
    first, second, real = accounts.browser(), accounts.browser(), Passwords.verify

    def verify(self, password, stored):
        right = real(self, password, stored)
        monkeypatch.setattr(Passwords, "verify", real)
        assert second.sign_in().status_code == 302
        return right

    monkeypatch.setattr(Passwords, "verify", verify)
    assert first.sign_in().status_code == 302
    assert [browser.get("/accounts/").status_code for browser in (first, second)] == [200, 200]


def test_a_password_that_is_changed_while_it_is_compared_stays_changed(moved, monkeypatch):
    accounts = moved("correct horse battery")
    browser, real = accounts.browser(), Passwords.verify

    def verify(self, password, stored):
        right = real(self, password, stored)
        monkeypatch.setattr(Passwords, "verify", real)
        accounts.login.users.set_password(accounts.ada, "another horse battery")
        return right

    monkeypatch.setattr(Passwords, "verify", verify)
    browser.sign_in()
    assert browser.get("/accounts/").status_code == 302
    assert accounts.browser().sign_in().status_code == 400
    assert accounts.browser().sign_in(password="another horse battery").status_code == 302


def test_a_name_that_nobody_has_takes_the_time_of_one_that_django_knew(moved, monkeypatch):
    accounts = moved("correct horse battery", iterations=3000)
    accounts.login.users.create("bob", "correct horse battery")
    done, real = [], django_hashes._work

    def work(form, units, *further):
        done.append(units)
        return real(form, units, *further)

    accounts.browser().sign_in(password="wrong")  # from now on it is known that there are such
    monkeypatch.setattr(django_hashes, "_work", work)
    told = {}
    for name in ("ada", "bob", "nobody"):
        done.clear()
        accounts.browser().sign_in(name, "wrong password", address=f"192.0.2.{len(told)}")
        told[name] = sum(done)
    assert told == {"ada": 3000, "bob": 3000, "nobody": 3000}


def test_without_a_secret_hasher_passwords_of_our_own_go_on(accounts):
    assert accounts.provider.hooks.ruling(Plugin.portula_secret_hasher).answer is None
    assert accounts.browser().sign_in().status_code == 302
