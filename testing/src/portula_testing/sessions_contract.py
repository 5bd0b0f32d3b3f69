"""The contract of the slot `sessions`. Subclass SessionsContract and override its fixture `provider`."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from flask.testing import FlaskClient

from portula import Plugin, Provider
from portula.errors import DuplicateRecord, HookFailed
from portula.plugin import Artifact, Counts, LoginSession, SessionEnded, Sessions, plan_to_add
from portula_testing.attacks import BITS, Visits, bits_of, cookies_set, nearly_right, stored_texts
from portula_testing.plugins import MovableClock
from portula_testing.session_fixtures import SessionFixtures
from portula_testing.writing import remove_from


class SessionsContract(SessionFixtures):
    """What is true of all login sessions.

    Example:
        class TestMySessions(SessionsContract):
            @pytest.fixture
            def provider(self):
                return make_provider("my_sessions")
    """

    @pytest.fixture
    def ended_sessions(self, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
        """Return subject and sid of every session whose end is recorded, in order."""
        recorded: list[tuple[str, str]] = []

        def record(outbox: object, event: SessionEnded) -> list[object]:
            assert outbox is Plugin.portula_record_session_end
            recorded.append((event.subject, event.sid))
            return []

        monkeypatch.setattr(provider.hooks, "record", record)
        return recorded

    # --- Begin ---

    def test_nobody_is_signed_in_at_first(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        assert visit(browser, sessions.current) is None

    def test_a_session_counts_within_the_request_that_starts_it(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        def work() -> tuple[LoginSession, LoginSession | None]:
            return sessions.start("ann", "Ann", ["pwd"]), sessions.current()

        started, current = visit(browser, work)
        assert current == started

    def test_a_session_tells_who_when_and_how(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient, clock: MovableClock
    ) -> None:
        now = int(clock())
        started = visit(browser, lambda: sessions.start("a" * 255, "Änn Ø", ["pwd", "otp"]))
        clock.advance(5)
        current = visit(browser, sessions.current)
        assert current == started
        assert (current.subject, current.username, current.amr) == ("a" * 255, "Änn Ø", ("pwd", "otp"))
        assert current.auth_time == now
        assert current.expires_at > now

    def test_another_browser_is_nobody(self, visit: Visits, sessions: Sessions, browser: FlaskClient) -> None:
        self.start(visit, browser)
        assert visit(visit.browser(), sessions.current) is None

    # --- Session fixation ---

    def test_starting_again_ends_the_old_session_of_the_browser(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        first = self.start(visit, browser)
        old = cookies_set(visit.response)
        second = self.start(visit, browser, "bob")
        assert second.sid != first.sid
        assert visit.with_cookies(old, sessions.current) is None
        assert visit(browser, sessions.current) == second

    def test_a_cookie_that_was_planted_does_not_become_a_session(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        self.start(visit, browser)
        planted = {name: value[::-1] for name, value in cookies_set(visit.response).items()}
        visit.with_cookies(planted, lambda: sessions.start("ann", "Ann", ["pwd"]))
        given = cookies_set(visit.response)
        assert given
        assert not set(given.values()) & set(planted.values())
        assert visit.with_cookies(planted, sessions.current) is None

    # --- The cookie ---

    def test_the_sid_is_not_the_cookie(self, visit: Visits, sessions: Sessions, browser: FlaskClient) -> None:
        session = self.start(visit, browser)
        cookies = cookies_set(visit.response)
        assert not any(session.sid in value for value in cookies.values())
        assert visit.with_cookies(dict.fromkeys(cookies, session.sid), sessions.current) is None

    def test_a_cookie_that_is_nearly_right_is_nobody(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        """Attack S28."""
        self.start(visit, browser)
        cookies = cookies_set(visit.response)
        assert visit.with_cookies(cookies, sessions.current) is not None
        for name, value in cookies.items():
            for wrong in nearly_right(value):
                if wrong.strip() != value:
                    assert visit.with_cookies({**cookies, name: wrong}, sessions.current) is None, wrong

    @pytest.mark.parametrize("value", ["", "x", "é", '"', "x" * 5000, "%00" * 14 + "%"])
    def test_a_cookie_that_makes_no_sense_is_nobody(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient, value: str
    ) -> None:
        self.start(visit, browser)
        cookies = dict.fromkeys(cookies_set(visit.response), value.encode().decode("latin-1"))
        assert visit.with_cookies(cookies, sessions.current) is None

    def test_cookies_cannot_be_guessed(self, visit: Visits) -> None:
        """Attack S32."""
        sids, values, starts = set(), [], 100
        for _ in range(starts):
            sids.add(self.start(visit, visit.browser()).sid)
            values.append("".join(value for _, value in sorted(cookies_set(visit.response).items())))
        assert len(sids) == len(set(values)) == starts
        assert bits_of(values) >= BITS

    def test_nothing_that_is_stored_serves_as_the_cookie(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient, provider: Provider
    ) -> None:
        """Attack S50: a copy of the storage opens no session."""
        self.start(visit, browser)
        cookies = cookies_set(visit.response)
        for text in set(stored_texts(provider)):
            assert text not in cookies.values()
            if text.isascii() and text.isprintable() and ";" not in text:
                assert visit.with_cookies(dict.fromkeys(cookies, text), sessions.current) is None

    def test_neither_scripts_nor_other_sites_get_at_the_cookie(
        self, visit: Visits, browser: FlaskClient
    ) -> None:
        self.start(visit, browser)
        lines = [line.lower() for line in visit.response.headers.getlist("Set-Cookie")]
        assert lines
        for line in lines:
            assert "; httponly" in line
            assert "; samesite=lax" in line or "; samesite=strict" in line
            assert "; domain=" not in line

    # --- End ---

    def test_end_ends_the_session_on_the_server(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        self.start(visit, browser)
        cookies = cookies_set(visit.response)

        def work() -> tuple[Counts, LoginSession | None]:
            return sessions.end(), sessions.current()

        assert visit(browser, work)[1] is None
        assert visit(browser, sessions.current) is None
        assert visit.with_cookies(cookies, sessions.current) is None

    def test_end_without_a_session_ends_nothing(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        session = self.start(visit, browser)
        visit(visit.browser(), sessions.end)
        assert visit(browser, sessions.current) == session

    def test_end_ends_no_other_session_of_the_person(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        other = visit.browser()
        self.start(visit, other)
        session = self.start(visit, browser)
        visit(other, sessions.end)
        assert visit(browser, sessions.current) == session

    def test_end_all_ends_every_session_of_one_person_and_counts(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        mine, others = [browser, visit.browser()], {name: visit.browser() for name in ("Ann", "ann ", "bob")}
        for seat in mine:
            self.start(visit, seat)
        for name, seat in others.items():
            self.start(visit, seat, name)
        assert visit(visit.browser(), lambda: sessions.end_all("ann")) == 2
        assert [visit(seat, sessions.current) for seat in mine] == [None, None]
        assert {visit(seat, sessions.current).subject for seat in others.values()} == set(others)
        assert visit(visit.browser(), lambda: sessions.end_all("ann")) == 0

    def test_end_all_holds_at_once_in_the_browser_that_asks(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        self.start(visit, browser)

        def work() -> tuple[Any, ...]:
            return sessions.current() is not None, sessions.end_all("ann"), sessions.current()

        assert visit(browser, work) == (True, 1, None)

    def test_end_all_may_spare_one(self, visit: Visits, sessions: Sessions, browser: FlaskClient) -> None:
        session, other = self.start(visit, browser), visit.browser()
        self.start(visit, other)
        assert visit(browser, lambda: sessions.end_all("ann", except_sid=session.sid)) == 1
        assert visit(browser, sessions.current) == session
        assert visit(other, sessions.current) is None

    @pytest.mark.parametrize("subject", ["ann", "bob"])
    def test_a_session_begins_with_what_is_planned_beside_it_or_not_at_all(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient, provider: Provider, subject: str
    ) -> None:
        plan = plan_to_add(Artifact(digest="planned", kind="planned", payload={}, issued_at=provider.now()))

        def work() -> object:
            try:
                return sessions.start(subject, subject.title(), ["pwd"], plan)
            except DuplicateRecord:
                return "refused"

        before = self.start(visit, browser)
        provider.storage.apply(plan)
        assert visit(browser, work) == "refused"
        assert visit(browser, sessions.current) == before
        assert visit(visit.browser(), lambda: (work(), sessions.current())) == ("refused", None)
        remove_from(provider.storage, Artifact, digest="planned")
        began = visit(browser, work)
        assert visit(browser, sessions.current) == began != before
        assert provider.storage.find(Artifact, digest="planned")

    @pytest.mark.parametrize("way", ["end", "end_all"])
    def test_a_session_ends_with_what_is_planned_beside_it_or_not_at_all(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient, provider: Provider, way: str
    ) -> None:
        plan = plan_to_add(Artifact(digest="planned", kind="planned", payload={}, issued_at=provider.now()))

        def work() -> object:
            try:
                return sessions.end(plan) if way == "end" else sessions.end_all("ann", plan)
            except DuplicateRecord:
                return "refused"

        assert visit(browser, work) != "refused"
        assert provider.storage.find(Artifact, digest="planned")  # although there was no session
        session = self.start(visit, browser)
        assert visit(browser, work) == "refused"
        assert visit(browser, sessions.current) == session
        remove_from(provider.storage, Artifact, digest="planned")
        assert visit(browser, work) != "refused"
        assert visit(browser, sessions.current) is None

    def test_end_all_works_outside_of_requests(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient, provider: Provider
    ) -> None:
        """An administrator disables an account from the command line."""
        self.start(visit, browser)
        with provider.app.app_context():
            assert sessions.end_all("ann") == 1
        assert visit(browser, sessions.current) is None

    def test_a_session_ends_when_it_says(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient, clock: MovableClock
    ) -> None:
        session = self.start(visit, browser)
        cookies = cookies_set(visit.response)
        clock.advance(session.expires_at - clock())
        assert visit.with_cookies(cookies, sessions.current) is None

    # --- One of several ---

    def test_end_one_ends_that_session_in_whatever_browser(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        other = visit.browser()
        mine, theirs = self.start(visit, browser), self.start(visit, other)
        assert visit(browser, lambda: sessions.end_one("ann", theirs.sid)) is True
        assert visit(other, sessions.current) is None
        assert visit(browser, sessions.current) == mine
        assert visit(browser, lambda: sessions.end_one("ann", theirs.sid)) is False

        def work() -> tuple[Any, ...]:
            return sessions.current() is not None, sessions.end_one("ann", mine.sid), sessions.current()

        assert visit(browser, work) == (True, True, None)

    def test_end_one_ends_no_session_of_somebody_else(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient
    ) -> None:
        """Attack S76."""
        session = self.start(visit, browser)
        for subject in ("bob", "Ann", ""):
            assert visit(visit.browser(), partial(sessions.end_one, subject, session.sid)) is False
        assert visit(visit.browser(), lambda: sessions.end_one("ann", "")) is False
        assert visit(browser, sessions.current) == session

    # --- Being shown them ---

    def test_a_person_is_shown_their_live_sessions_and_nobody_elses(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient, clock: MovableClock
    ) -> None:
        now, other = int(clock()), visit.browser()
        mine, theirs = self.start(visit, browser), self.start(visit, other)
        self.start(visit, visit.browser(), "bob")
        clock.advance(1)
        seen = {entry.session.sid: entry for entry in visit(browser, lambda: sessions.live_sessions("ann"))}
        assert {sid for sid, entry in seen.items() if entry.current} == {mine.sid}
        assert set(seen) == {mine.sid, theirs.sid}
        assert seen[theirs.sid].session == theirs
        for entry in seen.values():
            assert now <= entry.started_at <= entry.seen_at <= now + 1
            assert entry.agent.isprintable()
        visit(other, sessions.end)
        assert [entry.session.sid for entry in visit(browser, lambda: sessions.live_sessions("ann"))] == [
            mine.sid
        ]
        assert visit(browser, lambda: sessions.live_sessions("nobody")) == []

    def test_sessions_are_shown_the_last_used_first_and_expired_ones_not_at_all(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient, clock: MovableClock
    ) -> None:
        first = self.start(visit, browser)
        clock.advance(10)
        last = self.start(visit, visit.browser())
        shown = visit(visit.browser(), lambda: sessions.live_sessions("ann"))
        assert [entry.session.sid for entry in shown] == [last.sid, first.sid]
        assert not any(entry.current for entry in shown)
        clock.advance(last.expires_at - clock())
        assert list(visit(visit.browser(), lambda: sessions.live_sessions("ann"))) == []

    # --- Every end is recorded, once ---

    def test_every_way_of_ending_a_session_is_recorded_once(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient, ended_sessions: list[tuple[str, str]]
    ) -> None:
        first = self.start(visit, browser)
        visit(browser, sessions.end)
        visit(browser, sessions.end)
        assert ended_sessions == [("ann", first.sid)]
        second = self.start(visit, browser)
        visit(visit.browser(), lambda: sessions.end_one("ann", second.sid))
        visit(visit.browser(), lambda: sessions.end_one("ann", second.sid))
        assert ended_sessions[1:] == [("ann", second.sid)]
        rest = [self.start(visit, seat) for seat in (browser, visit.browser())]
        visit(visit.browser(), lambda: sessions.end_all("ann"))
        visit(visit.browser(), lambda: sessions.end_all("ann"))
        assert sorted(ended_sessions[2:]) == sorted(("ann", session.sid) for session in rest)

    def test_somebody_elses_signing_in_ends_the_session_and_ones_own_does_not(
        self, visit: Visits, sessions: Sessions, browser: FlaskClient, ended_sessions: list[tuple[str, str]]
    ) -> None:
        first = self.start(visit, browser)
        again = self.start(visit, browser)
        assert again.sid == first.sid
        assert again.authentication != first.authentication
        assert ended_sessions == []
        self.start(visit, browser, "bob")
        assert ended_sessions == [("ann", first.sid)]

    def test_a_session_whose_end_cannot_be_recorded_goes_on(
        self,
        visit: Visits,
        sessions: Sessions,
        browser: FlaskClient,
        provider: Provider,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        session = self.start(visit, browser)

        def fail(outbox: object, event: SessionEnded) -> list[object]:
            raise HookFailed("the outbox is full")

        def work() -> bool:
            try:
                sessions.end_one("ann", session.sid)
            except HookFailed:
                return True
            return False

        monkeypatch.setattr(provider.hooks, "record", fail)
        assert visit(visit.browser(), work) is True
        assert visit(browser, sessions.current) == session
