"""The contract of the slot `login`. Subclass LoginContract and override the fixtures that say so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from portula import Plugin, Provider
from portula.errors import DuplicateRecord
from portula.plugin import Application, Artifact, AuthenticatedUser, Login, User, plan_to_add
from portula_testing.attacks import Visits, nearly_right, stored_texts
from portula_testing.writing import remove_from

ATTEMPTS = 12
UNKNOWN_SHARE = 0.3
"""How much of the time of a wrong password an unknown name takes at the least: a coarse net."""


class LoginContract:
    """What is true of every login.

    Example:
        class TestMyLogin(LoginContract):
            @pytest.fixture
            def provider(self):
                return make_provider(MyLogin())

            @pytest.fixture
            def person(self):
                return User("1", "ann")

            @pytest.fixture
            def sign_in(self):
                return lambda browser: browser.post("/login", data={"name": "ann", "password": "hers"})

            @pytest.fixture
            def shut_out(self):
                return lambda: database.disable("1")
    """

    @pytest.fixture
    def provider(self) -> Provider:
        """Return a provider, fresh for each test, with the plugin in it. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def person(self) -> User:
        """Return somebody who may sign in. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def sign_in(self) -> Callable[[FlaskClient], object]:
        """Return a function that lets this person sign in with a browser. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def shut_out(self) -> Callable[[], object]:
        """Return a function that disables or deletes this person. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def password(self) -> str | None:
        """Return this person's password; None if no password is ever accepted here. Override it."""
        return None

    @pytest.fixture
    def login(self, provider: Provider) -> Login:
        """Return what answers the slot."""
        return provider.hooks.ask(Plugin.portula_login)

    @pytest.fixture
    def visit(self, provider: Provider) -> Visits:
        """Return the function that does something within a request."""
        return Visits(provider)

    # --- Who is signed in ---

    def test_nobody_is_signed_in_at_first(self, visit: Visits, login: Login) -> None:
        assert visit(visit.browser(), login.current) is None

    def test_it_knows_who_signed_in_and_when(
        self,
        visit: Visits,
        login: Login,
        person: User,
        provider: Provider,
        sign_in: Callable[[FlaskClient], object],
    ) -> None:
        browser = visit.browser()
        before = min(provider.now(), int(time.time()))
        sign_in(browser)
        seen = visit(browser, login.current)
        assert isinstance(seen, AuthenticatedUser)
        assert (seen.subject, seen.username) == (person.subject, person.username)
        assert type(seen.auth_time) is int
        assert before <= seen.auth_time <= max(provider.now(), int(time.time()))
        assert isinstance(seen.amr, tuple)

    def test_another_browser_is_nobody(
        self, visit: Visits, login: Login, sign_in: Callable[[FlaskClient], object]
    ) -> None:
        browser = visit.browser()
        sign_in(browser)
        assert visit(visit.browser(), login.current) is None
        assert visit(browser, login.current) is not None

    def test_who_signs_out_is_nobody_at_once_and_only_there(
        self, visit: Visits, login: Login, sign_in: Callable[[FlaskClient], object]
    ) -> None:
        browser, other = visit.browser(), visit.browser()
        sign_in(browser)
        sign_in(other)

        def leave() -> AuthenticatedUser | None:
            login.sign_out()
            return login.current()

        assert visit(browser, leave) is None
        assert visit(browser, login.current) is None
        assert visit(other, login.current) is not None

    def test_who_signs_out_does_so_with_what_is_planned_beside_it_or_not_at_all(
        self, visit: Visits, login: Login, provider: Provider, sign_in: Callable[[FlaskClient], object]
    ) -> None:
        browser, storage = visit.browser(), provider.storage
        plan = plan_to_add(Artifact(digest="planned", kind="planned", payload={}, issued_at=provider.now()))

        def leave() -> bool:
            try:
                login.sign_out_with(storage, plan)
            except DuplicateRecord:
                return False
            return True

        assert visit(browser, leave) is True
        assert storage.find(Artifact, digest="planned"), "without a person it is applied all the same"
        sign_in(browser)
        assert visit(browser, leave) is False
        assert visit(browser, login.current) is not None
        remove_from(storage, Artifact, digest="planned")
        assert visit(browser, leave) is True
        assert storage.find(Artifact, digest="planned")
        assert visit(browser, login.current) is None

    def test_who_is_not_signed_in_can_sign_out(self, visit: Visits, login: Login) -> None:
        browser = visit.browser()
        visit(browser, login.sign_out)
        assert visit(browser, login.current) is None

    def test_who_is_shut_out_is_nobody(
        self,
        visit: Visits,
        login: Login,
        sign_in: Callable[[FlaskClient], object],
        shut_out: Callable[[], object],
    ) -> None:
        """Attack S27."""
        browser = visit.browser()
        sign_in(browser)
        assert visit(browser, login.current) is not None
        shut_out()
        assert visit(browser, login.current) is None

    # --- Looking people up ---

    def test_a_person_is_found_by_subject(self, visit: Visits, login: Login, person: User) -> None:
        found = visit(visit.browser(), lambda: login.find(person.subject))
        assert isinstance(found, User)
        assert (found.subject, found.username, found.active) == (person.subject, person.username, True)

    def test_a_person_is_found_outside_of_requests(
        self, login: Login, person: User, provider: Provider
    ) -> None:
        """Machine endpoints run with the app's context alone."""
        with provider.app.app_context():
            found = login.find(person.subject)
        assert found is not None
        assert found.subject == person.subject

    def test_a_subject_is_an_identifier(self, person: User) -> None:
        assert 1 <= len(person.subject) <= 255
        assert person.subject.isprintable()
        assert "@" not in person.subject, "an e-mail address changes hands"

    def test_a_subject_that_is_nearly_right_is_nobody(
        self, visit: Visits, login: Login, person: User
    ) -> None:
        """Attack S28."""
        wrong = ["", *nearly_right(person.subject), f"{person.subject}\0", "nobody-has-this-subject", "é"]
        found = visit(visit.browser(), lambda: [subject for subject in wrong if login.find(subject)])
        assert found == []

    def test_who_is_shut_out_is_found_as_inactive_or_not_at_all(
        self, visit: Visits, login: Login, person: User, shut_out: Callable[[], object]
    ) -> None:
        shut_out()
        found = visit(visit.browser(), lambda: login.find(person.subject))
        assert found is None or found.active is False

    # --- The way to the login page ---

    def test_the_login_page_is_told_the_way_back(self, visit: Visits, login: Login) -> None:
        way_back = "/o/authorize/?client_id=a%26b&scope=read+write&state=1%0d%0aX"
        client = Application(client_id="contract", name="An app")
        for given in (None, client):
            url = visit(visit.browser(), partial(login.login_url, way_back, given))
            assert url.isprintable()
            assert " " not in url
            values_of_query = [value for values in parse_qs(urlsplit(url).query).values() for value in values]
            assert way_back in values_of_query

    # --- Passwords ---

    def test_the_right_password_and_no_other_is_accepted(
        self, visit: Visits, login: Login, person: User, password: str | None
    ) -> None:
        secret = password or "a password that is not accepted"
        wrong = [secret[:-1], f"{secret}x", secret.swapcase()]
        passed = self._authenticate(visit, login, [(person.username, given) for given in (*wrong, "")])
        assert passed == []
        passed = self._authenticate(visit, login, [(person.username, secret)])
        assert [user.subject for user in passed] == ([] if password is None else [person.subject])

    def test_an_unknown_name_is_refused(
        self, visit: Visits, login: Login, person: User, password: str | None
    ) -> None:
        secret = password or "a password that is not accepted"
        names = ("", f"{person.username}x", "nobody-has-this-name", "\0")
        assert self._authenticate(visit, login, [(name, secret) for name in names]) == []

    def test_what_is_stored_is_no_password(
        self, visit: Visits, login: Login, person: User, provider: Provider
    ) -> None:
        """Attack S50."""
        stored = sorted({text for text in stored_texts(provider) if len(text) > 20 and text.isascii()})
        assert self._authenticate(visit, login, [(person.username, text) for text in stored]) == []

    def test_the_password_of_who_is_shut_out_is_refused(
        self,
        visit: Visits,
        login: Login,
        person: User,
        password: str | None,
        shut_out: Callable[[], object],
    ) -> None:
        shut_out()
        pairs = [(person.username, password or "a password that is not accepted")]
        assert [user for user in self._authenticate(visit, login, pairs) if user.active] == []

    def test_an_unknown_name_takes_the_time_of_a_wrong_password(
        self, visit: Visits, login: Login, person: User
    ) -> None:
        """Attack S51."""
        wrong: list[float] = []
        unknown: list[float] = []
        for _ in range(ATTEMPTS):
            for name, times in ((person.username, wrong), ("nobody-has-this-name", unknown)):
                started = time.perf_counter()
                self._authenticate(visit, login, [(name, "a wrong password of hers")])
                times.append(time.perf_counter() - started)
        assert min(unknown) >= UNKNOWN_SHARE * min(wrong)

    _addresses = 0

    def _authenticate(self, visit: Visits, login: Login, pairs: Iterable[tuple[str, str]]) -> list[User]:
        """Return those whom names and passwords let in, each tried from an address of its own."""
        found = []
        for username, password in pairs:
            self._addresses += 1
            address = f"192.0.2.{self._addresses}"
            found.append(
                visit(
                    visit.browser(),
                    partial(login.authenticate, username, password, address),
                )
            )
        return [user for user in found if user is not None]
