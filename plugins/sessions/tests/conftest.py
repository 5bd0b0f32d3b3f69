import pytest
from flask import request

import portula_sessions
from portula import Plugin
from portula_testing.provider import Memory, MovableClock, make_provider


@pytest.fixture
def clock():
    return MovableClock(1_700_000_000)


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def make_app(clock, memory):
    """Return a function that makes an app whose pages call the sessions slot."""

    def make(*plugins, **settings):
        settings = {"SECRET_KEYS": ["first key, 16 bytes or more"], **settings}
        provider = make_provider(portula_sessions, memory, *plugins, clock=clock, settings=settings)
        app = provider.app
        sessions = provider.hooks.ask(Plugin.portula_sessions)

        @app.get("/in/<subject>")
        def sign_in(subject):
            return sessions.start(subject, subject.title(), ["pwd"]).sid

        @app.get("/who")
        def who():
            session = sessions.current()
            assert sessions.current() is session
            if session is None:
                return "nobody"
            return f"{session.subject} {session.username} {session.auth_time} {','.join(session.amr)}"

        @app.get("/out")
        def sign_out():
            session = sessions.current()
            sessions.end()
            assert sessions.current() is None
            return session.subject if session else "nobody"

        @app.get("/all-out/<subject>")
        def all_out(subject):
            ended = sessions.end_all(subject)
            return f"{ended} {sessions.current() is None} {request.method}"

        return app

    return make


@pytest.fixture
def app(make_app):
    return make_app()
