"""Login sessions that break one promise each; run by test_contracts_can_fail.py."""

import hashlib
import itertools
import secrets
from types import MappingProxyType

import pytest
from flask import after_this_request, has_request_context, request

from portula import Plugin, hookimpl
from portula.plugin import Artifact, LoginSession, Plan, SessionEnded, SessionSummary
from portula.plugin import Sessions as BaseSessions
from portula_testing.contracts import SessionsContract
from portula_testing.provider import make_provider
from portula_testing.writing import add_to

CASES = []


class Sessions(BaseSessions):
    """Sessions in a dictionary, in order; each below is not."""

    flags = MappingProxyType({"httponly": True, "samesite": "Lax"})

    def __init__(self):
        self.kept = {}
        self.number = itertools.count()

    @hookimpl
    def portula_sessions(self, provider):
        self.provider = provider
        return self

    def pointer(self):
        return secrets.token_urlsafe(32)

    def sid(self, pointer):
        return secrets.token_urlsafe(16)

    def key(self, pointer):
        return hashlib.sha256(pointer.encode()).hexdigest()

    def live(self, session):
        return session is not None and session.expires_at > self.provider.now()

    def presented(self):
        return request.cookies.get("seat", "")

    def current(self):
        started = request.environ.get("started")
        session = started or self.kept.get(self.key(self.presented()))
        return session if self.live(session) else None

    def start(self, subject, username, amr, plan=None):
        before = self.current()
        again = before is not None and before.subject == subject
        pointer, now = self.pointer(), self.provider.now()
        sid = before.sid if again else self.sid(pointer)
        self.apply(plan)
        if before is not None and not again:
            self.tell(before)
        self.forget()
        number = f"{next(self.number)}"
        session = LoginSession(sid, subject, username, now, tuple(amr), now + 60, number)
        self.kept[self.key(pointer)] = request.environ["started"] = session
        self.send(pointer)
        return session

    def tell(self, session):
        self.provider.hooks.record(
            Plugin.portula_record_session_end,
            SessionEnded(provider=self.provider, subject=session.subject, sid=session.sid, at=0),
        )

    def send(self, pointer):
        @after_this_request
        def send(response):
            response.set_cookie("seat", pointer, **self.flags)
            return response

    def forget(self):
        self.kept.pop(self.key(self.presented()), None)

    def end(self, plan=None):
        session = self.current()
        if session:
            self.tell(session)
        counts = self.apply(plan)
        self.forget()
        request.environ.pop("started", None)
        return counts

    def apply(self, plan):
        return self.provider.storage.apply(plan or Plan())

    def same(self, one, other):
        return one == other

    def end_all(self, subject, plan=None, *, except_sid=None):
        self.apply(plan)
        if has_request_context():
            request.environ.pop("started", None)
        ended = [
            key
            for key, session in self.kept.items()
            if self.same(session.subject, subject) and session.sid != except_sid
        ]
        for key in ended:
            self.tell(self.kept[key])
            del self.kept[key]
        return len(ended)

    def end_one(self, subject, sid):
        request.environ.pop("started", None)
        of = [key for key, kept in self.kept.items() if (kept.subject, kept.sid) == (subject, sid)]
        for key in of:
            self.tell(self.kept[key])
            del self.kept[key]
        return bool(of)

    def live_sessions(self, subject):
        mine = self.current()
        found = [
            SessionSummary(kept, kept.auth_time, kept.auth_time, current=kept == mine)
            for kept in self.kept.values()
            if kept.subject == subject and self.live(kept)
        ]
        return sorted(found, key=lambda entry: -entry.seen_at)


class Guest(Sessions):
    def current(self):
        return super().current() or LoginSession("guest", "guest", "Guest", 0, (), 2**40)


class Slow(Sessions):
    def current(self):
        return None if "started" in request.environ else super().current()


class Vague(Sessions):
    def start(self, subject, username, amr, plan=None):
        return super().start(subject, username, [], plan)


class Shared(Sessions):
    def presented(self):
        return "everybody's"

    def pointer(self):
        return "everybody's"


class Fixed(Sessions):
    def pointer(self):
        return self.presented() or super().pointer()


class Lingering(Sessions):
    def forget(self):
        pass


class OneIdentifier(Sessions):
    def sid(self, pointer):
        return pointer


class CaseBlind(Sessions):
    def key(self, pointer):
        return super().key(pointer.lower())


class Fragile(Sessions):
    def presented(self):
        return request.cookies.get("seat", "").encode("ascii").decode()


class Counted(Sessions):
    def pointer(self):
        return f"{next(self.number):043d}"


class Kept(Sessions):
    def start(self, subject, username, amr, plan=None):
        session = super().start(subject, username, amr, plan)
        digest = next(reversed(self.kept))
        add_to(self.provider.storage, Artifact(digest=digest, kind="session", payload={}, issued_at=1))
        return session

    def key(self, pointer):
        return pointer


class Bare(Sessions):
    flags = MappingProxyType({})


class Careless(Sessions):
    """Ends the session before it knows whether what is planned can be applied."""

    def end(self, plan=None):
        super().end()
        return self.apply(plan)


class Deaf(Sessions):
    def apply(self, plan):
        return {}


class Sparing(Sessions):
    def end_all(self, subject, plan=None, *, except_sid=None):
        return super().end_all(subject, plan)


class Lonely(Sessions):
    def end(self, plan=None):
        counts = super().end(plan)
        self.kept.clear()
        return counts


class Blurred(Sessions):
    def same(self, one, other):
        return one.lower().strip() == other.lower().strip()


class Stubborn(Sessions):
    def current(self):
        request.environ["started"] = super().current()
        return request.environ["started"]

    def end_all(self, subject, plan=None, *, except_sid=None):
        held = request.environ.get("started") if has_request_context() else None
        count = super().end_all(subject, plan, except_sid=except_sid)
        if held:
            request.environ["started"] = held
        return count


class OnlyInRequests(Sessions):
    def end_all(self, subject, plan=None, *, except_sid=None):
        request.environ.pop("started", None)
        return super().end_all(subject, plan, except_sid=except_sid)


class Whole(Sessions):
    def end_one(self, subject, sid):
        return bool(self.end_all(subject))


class Anybodys(Sessions):
    def end_one(self, subject, sid):
        owners = [kept.subject for kept in self.kept.values() if kept.sid == sid]
        return super().end_one(owners[0] if owners else subject, sid)


class Open(Sessions):
    def live_sessions(self, subject):
        return [entry for name in ("ann", "bob") for entry in super(Open, self).live_sessions(name)]


class Unsorted(Sessions):
    def live_sessions(self, subject):
        return super().live_sessions(subject)[::-1]


class Mute(Sessions):
    def end_one(self, subject, sid):
        self.tell, told = lambda _session: None, self.tell
        ended = super().end_one(subject, sid)
        self.tell = told
        return ended


class Rash(Sessions):
    def start(self, subject, username, amr, plan=None):
        return super().start(subject, username, amr)


class Talkative(Sessions):
    def start(self, subject, username, amr, plan=None):
        before = self.current()
        if before is not None and before.subject == subject:
            self.tell(before)
        return super().start(subject, username, amr, plan)


class Hasty(Sessions):
    """Ends a session before it tells of it."""

    def end_one(self, subject, sid):
        of = [kept for kept in self.kept.values() if (kept.subject, kept.sid) == (subject, sid)]
        self.kept = {key: kept for key, kept in self.kept.items() if kept not in of}
        request.environ.pop("started", None)
        for session in of:
            self.tell(session)
        return bool(of)


class Eternal(Sessions):
    def live(self, session):
        return session is not None


def sessions(kind, *breaks):
    """Add a class of tests: the contract on something that breaks these of its tests, at least."""

    def provider(self):
        return make_provider(kind())

    members = {"provider": pytest.fixture(provider), "breaks": breaks}
    CASES.append(type(f"TestSessionsContract{len(CASES)}", (SessionsContract,), members))


sessions(Sessions)
sessions(Guest, "nobody_is_signed_in", "makes_no_sense")
sessions(Slow, "within_the_request")
sessions(Rash, "begins_with_what_is_planned")
sessions(Vague, "who_when_and_how")
sessions(Shared, "another_browser")
sessions(Fixed, "was_planted")
sessions(Lingering, "ends_the_old_session", "end_ends_the_session")
sessions(OneIdentifier, "sid_is_not_the_cookie")
sessions(CaseBlind, "nearly_right")
sessions(Fragile, "makes_no_sense")
sessions(Counted, "cannot_be_guessed")
sessions(Kept, "nothing_that_is_stored")
sessions(Bare, "neither_scripts")
sessions(Careless, "planned_beside_it_or_not_at_all")
sessions(Deaf, "planned_beside_it_or_not_at_all")
sessions(Sparing, "end_all_may_spare_one")
sessions(Lonely, "end_without_a_session", "end_ends_no_other")
sessions(Blurred, "one_person_and_counts")
sessions(Stubborn, "holds_at_once")
sessions(OnlyInRequests, "outside_of_requests")
sessions(Eternal, "ends_when_it_says", "last_used_first_and_expired")
sessions(Whole, "in_whatever_browser")
sessions(Anybodys, "no_session_of_somebody_else")
sessions(Open, "nobody_elses")
sessions(Unsorted, "last_used_first")
sessions(Mute, "recorded_once")
sessions(Talkative, "ones_own_does_not")
sessions(Hasty, "cannot_be_recorded")

globals().update({made.__name__: made for made in CASES})
