import dataclasses
import unicodedata

import pytest

from portula_accounts.passwords import Passwords, prepare
from portula_accounts.records import User
from portula_accounts.users import UserError
from portula_testing.writing import add_to, change_in

PASSWORD = "correct horse battery"


@pytest.fixture
def users(accounts):
    return accounts.login.users


@pytest.mark.parametrize("name", ["ada", "ADA", " Ada ", "\uff21\uff44\uff41"])
def test_a_name_is_one_in_any_case_and_width(accounts, users, name):
    assert users.find_by_name(name) == accounts.ada
    with pytest.raises(UserError, match="already"):
        users.create(name, PASSWORD)


@pytest.mark.parametrize("name", ["", " ", "a" * 256, "a\0b", "a\nb", "a\u202eb", "a\ud800", "\ufdfa" * 20])
def test_what_cannot_be_a_name_is_refused_and_found_nowhere(users, name):
    assert users.find_by_name(name) is None
    with pytest.raises(UserError, match="user name"):
        users.create(name, PASSWORD)


@pytest.mark.parametrize(
    "password", ["", "1234567", "x" * 1025, "ü" * 513, "12345678\0", "1234\t5678", "\ud800" * 8]
)
def test_a_password_that_cannot_be_one_is_refused(users, password):
    with pytest.raises(UserError, match="A password has"):
        users.create("bob", password)
    assert users.find_by_name("bob") is None


@pytest.mark.parametrize(
    "email", ["", "bob", "@example.com", "bob@", "bob @example.com", "bob\n@example.com", "b@" + "c" * 255]
)
def test_what_is_no_address_is_refused(users, email):
    with pytest.raises(UserError, match="address"):
        users.create("bob", PASSWORD, email=email)


def test_the_record_hides_the_password_hash(accounts):
    assert "argon2" not in repr(accounts.ada)
    assert accounts.ada.password_hash.startswith("$argon2id$")


def test_a_person_as_the_provider_sees_them(accounts):
    found = accounts.login.find(accounts.ada.sub)
    assert (found.subject, found.username, found.active) == (accounts.ada.sub, "Ada", True)
    assert found.claims["preferred_username"] == "Ada"
    assert found.claims["email"] == "ada@example.com"
    assert accounts.login.find("nobody") is None
    accounts.login.users.disable(accounts.ada)
    assert accounts.login.find(accounts.ada.sub).active is False


def test_further_claims_are_kept(accounts):
    bob = dataclasses.replace(accounts.ada, sub="b" * 32, username="bob", claims={"locale": "de"}, email=None)
    add_to(accounts.provider.storage, bob)
    claims = accounts.login.find(bob.sub).claims
    assert claims["locale"] == "de"
    assert "email" not in claims


def test_the_password_grant_checks_the_same_way(accounts):
    assert accounts.login.authenticate("ADA", PASSWORD, "192.0.2.1").subject == accounts.ada.sub
    assert accounts.login.authenticate("ada", "wrong password", "192.0.2.1") is None
    accounts.login.users.disable(accounts.ada)
    assert accounts.login.authenticate("ada", PASSWORD, "192.0.2.1") is None


def test_a_password_is_one_in_every_form_of_unicode(users):
    composed = "pässwörd\u00a0eins"
    users.create("bob", unicodedata.normalize("NFD", composed))
    stored = users.find_by_name("bob").password_hash
    assert users.passwords.verify(composed, stored)
    assert users.passwords.verify(composed.replace("\u00a0", " "), stored)
    assert not users.passwords.verify(composed.upper(), stored)


def test_nothing_verifies_against_no_hash():
    passwords = Passwords("testing")
    assert not passwords.verify(PASSWORD, None)
    assert not passwords.verify("\0", None)
    assert not passwords.verify(PASSWORD, "not a hash")
    assert prepare("\0") is None


@pytest.mark.parametrize("profile", ["rfc9106_low_memory", "owasp"])
def test_profiles_have_the_parameters_of_their_source(profile):
    hashed = Passwords(profile).hash(PASSWORD)
    assert {"rfc9106_low_memory": "m=65536,t=3,p=4", "owasp": "m=19456,t=2,p=1"}[profile] in hashed


def test_a_hash_of_another_profile_is_renewed_at_sign_in(accounts):
    stronger = Passwords("owasp").hash(PASSWORD)
    change_in(accounts.provider.storage, User, {"sub": accounts.ada.sub}, password_hash=stronger)
    assert accounts.login.authenticate("ada", "wrong password", "192.0.2.1") is None
    assert accounts.login.users.find_by_name("ada").password_hash == stronger
    assert accounts.login.authenticate("ada", PASSWORD, "192.0.2.1")
    renewed = accounts.login.users.find_by_name("ada").password_hash
    assert renewed != stronger
    assert not accounts.login.users.passwords.needs_rehash(renewed)


def test_an_unknown_name_costs_a_verification(accounts, monkeypatch):
    seen = []
    verify = Passwords.verify
    monkeypatch.setattr(Passwords, "verify", lambda self, *args: seen.append(args) or verify(self, *args))
    accounts.login.authenticate("nobody", PASSWORD, "192.0.2.1")
    accounts.login.authenticate("\0", PASSWORD, "192.0.2.1")
    assert seen == [(PASSWORD, None), (PASSWORD, None)]
