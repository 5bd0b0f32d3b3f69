"""The login of this room holds to the contract of logins."""

import pytest
from support.browser import forms_of

import portula_accounts
import portula_sessions
from portula_testing.contracts import LoginContract
from portula_testing.provider import make_provider

PASSWORD = "Correct horse battery"


class TestAccountsLogin(LoginContract):
    @pytest.fixture
    def provider(self):
        # The cheapest profile would hide a comparison that is left out (attack S51).
        settings = {"PASSWORD_HASH_PROFILE": "owasp"}
        return make_provider(portula_sessions, portula_accounts, settings=settings)

    @pytest.fixture
    def person(self, login):
        return login.users.create("Ada", PASSWORD, email="ada@example.com").as_seen()

    @pytest.fixture
    def password(self):
        return PASSWORD

    @pytest.fixture
    def sign_in(self, person):
        def sign_in(browser):
            (form,) = forms_of(browser.get("/accounts/login/").text)
            data = {**form.fields, "username": "ada", "password": PASSWORD}
            assert browser.post("/accounts/login/", data=data).status_code == 302

        return sign_in

    @pytest.fixture
    def shut_out(self, login, person):
        return lambda: login.users.disable(login.users.find(person.subject))
