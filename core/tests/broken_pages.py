"""Logins and consent pages that break one promise each; run by test_contracts_can_fail.py."""

import hmac
import itertools
import time
from dataclasses import replace
from html import escape

import pytest
from flask import Response, request

import portula_consent
import portula_scopes_settings
from portula import hookimpl
from portula.plugin import Artifact, AuthenticatedUser, User
from portula_consent.answers import ConsentPages
from portula_testing.consent_contract import MARKUP
from portula_testing.contracts import ConsentContract, LoginContract
from portula_testing.provider import TestLogin, make_provider
from portula_testing.writing import add_to

CASES = []
_numbers = itertools.count()


def case(contract, members, *breaks):
    """Return a class of tests: the contract on something that breaks these of its tests, at least."""
    members = {name: pytest.fixture(function) for name, function in members.items()}
    return type(f"Test{contract.__name__}{next(_numbers)}", (contract,), {**members, "breaks": breaks})


# --- Logins ---

PASSWORD = "Correct horse battery"
ANN = User("subject-of-ann", "ann")


class Login(TestLogin):
    """In order; each below is not."""

    def __init__(self):
        super().__init__(ANN, anybody=False)
        self.passwords[ANN.subject] = PASSWORD

    @hookimpl
    def portula_login(self, provider):
        self.provider = provider
        return super().portula_login(provider)


class Everybody(Login):
    def current(self):
        return AuthenticatedUser(ANN.subject, ANN.username, int(time.time()))


class Milliseconds(Login):
    def current(self):
        seen = super().current()
        return seen and replace(seen, auth_time=seen.auth_time * 1000)


class OneSeat(Login):
    def sign_in_as(self, user, browser=None):
        super().sign_in_as(user)


class Clinging(Login):
    def sign_out(self, browser=None):
        pass


class Leaving(Login):
    def sign_out(self, browser=None):
        if self.current() is None:
            raise LookupError
        super().sign_out(browser)


class Trusting(Login):
    """Never hears that somebody was shut out."""

    def disable(self, subject):
        pass


class Lost(Login):
    def find(self, subject):
        return None


class InRequests(Login):
    def find(self, subject):
        return super().find(subject) if request.path else None


class Near(Login):
    def find(self, subject):
        return super().find(subject.strip().lower())


class NoWayBack(Login):
    def login_url(self, next_url, client=None):
        return f"/login?next={next_url}"


class Prefix(Login):
    def authenticate(self, username, password, client_address):
        right = username == ANN.username and PASSWORD.startswith(password)
        return ANN if right else None


class AnyName(Login):
    def authenticate(self, username, password, client_address):
        return ANN if hmac.compare_digest(password, PASSWORD) else None


class TakesStored(Login):
    KEPT = "argon2id$what-is-kept-of-the-password"

    def authenticate(self, username, password, client_address):
        return super().authenticate(username, PASSWORD if password == self.KEPT else password, "")


class Betraying(Login):
    def authenticate(self, username, password, client_address):
        if username == ANN.username:
            time.sleep(0.02)
        return super().authenticate(username, password, client_address)


def login(kind, *breaks, person=ANN):
    def provider(self):
        self.login_made = kind()
        made = make_provider(self.login_made)
        payload = {"password": TakesStored.KEPT}
        add_to(made.storage, Artifact(digest="d", kind="account", payload=payload, issued_at=1))
        return made

    def somebody(self):
        return person

    def password(self):
        return PASSWORD

    def sign_in(self, provider):
        return lambda browser: self.login_made.sign_in_as(ANN, browser)

    def shut_out(self, provider):
        return lambda: self.login_made.disable(ANN.subject)

    members = {"provider": provider, "person": somebody, "password": password}
    members |= {"sign_in": sign_in, "shut_out": shut_out}
    CASES.append(case(LoginContract, members, *breaks))


login(Login)
login(Everybody, "nobody_is_signed_in")
login(Milliseconds, "who_signed_in_and_when")
login(Clinging, "who_signs_out")
login(Leaving, "not_signed_in_can")
login(OneSeat, "another_browser")
login(Trusting, "shut_out_is_nobody", "inactive_or_not_at_all", "password_of_who_is_shut_out")
login(Lost, "found_by_subject")
login(InRequests, "found_outside")
login(Near, "nearly_right_is_nobody")
login(Login, "subject_is_an_identifier", person=User("ann@example.com", "ann"))
login(NoWayBack, "told_the_way_back")
login(Prefix, "and_no_other")
login(AnyName, "unknown_name_is_refused")
login(TakesStored, "what_is_stored_is_no_password")
login(Betraying, "takes_the_time_of_a_wrong_password")


# --- Consent ---


class Consent(ConsentPages):
    """The room's own, in order; each below is not."""

    def changed(self, question, change):
        response = super().page(question)
        return Response(change(response.get_data(as_text=True)), headers=response.headers)


class Silent(Consent):
    def page(self, question):
        return super().page(replace(question, scopes=()))


class Brief(Consent):
    def page(self, question):
        return super().page(replace(question, items=()))


class Raw(Consent):
    def page(self, question):
        return self.changed(question, lambda page: page.replace(escape(MARKUP), MARKUP))


class Framed(Consent):
    def page(self, question):
        return Response(super().page(question).get_data())


class Astray(Consent):
    def page(self, question):
        return super().page(replace(question, action="/elsewhere"))


class Yes(Consent):
    def answer(self, question):
        return None if super().answer(question) is None else True


class Presumptuous(Consent):
    def answer(self, question):
        answer = super().answer(question)
        return None if answer is None else "deny" not in request.form


class Gullible(Consent):
    def answer(self, question):
        return "allow" in request.form


class OfAnybody(Consent):
    """Binds the form to the question, not to the person."""

    def page(self, question):
        return super().page(replace(question, csrf_context=question.interaction))

    def answer(self, question):
        return super().answer(replace(question, csrf_context=question.interaction))


class Remembering(Consent):
    def recall(self, client, subject):
        return super().recall(client, subject) | {"read"}


class Overwriting(Consent):
    def remember(self, client, subject, scopes):
        self.last = frozenset(scopes)

    def recall(self, client, subject):
        return getattr(self, "last", frozenset())


class Lax(Consent):
    def remember(self, client, subject, scopes):
        super().remember(client, subject.lower().strip(), scopes)

    def recall(self, client, subject):
        return super().recall(client, subject.lower().strip())


class Short(Consent):
    def remember(self, client, subject, scopes):
        if len(subject) < 100:
            super().remember(client, subject, scopes)


def consent(kind, *breaks):
    class Plugin:
        @hookimpl
        def portula_consent(self, provider):
            return kind(provider)

    def provider(self):
        settings = {"PLUGINS_CHOICE": {"consent": "Plugin"}}
        return make_provider(portula_scopes_settings, portula_consent, Plugin(), settings=settings)

    CASES.append(case(ConsentContract, {"provider": provider}, *breaks))


consent(Consent)
consent(Silent, "says_who_wants_what")
consent(Brief, "what_else_is_asked_about")
consent(Raw, "does_not_run", "what_else_is_asked_about")
consent(Framed, "framed_or_kept")
consent(Astray, "posts_to_the_action")
consent(Yes, "one_button_allows")
consent(Presumptuous, "without_a_button")
consent(Gullible, "another_browser", "another_question", "another_person", "nearly_right")
consent(OfAnybody, "another_person")
consent(Remembering, "nothing_is_remembered")
consent(Overwriting, "joined_with")
consent(Lax, "remembered_apart")
consent(Short, "long_names")

globals().update({made.__name__: made for made in CASES})
