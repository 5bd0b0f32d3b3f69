from itertools import count

import pytest
from flask import Flask, request

import portula_sessions
from portula import Provider, hookimpl
from portula.testing.memory import MemoryStore


class Clock:
    def __init__(self):
        self.time = 1_700_000_000

    @hookimpl
    def portula_clock(self, provider):
        return lambda: self.time


class Memory:
    def __init__(self):
        self.store = None

    def make(self, records):
        self.store = MemoryStore(records) if self.store is None else self.store
        return self.store

    @hookimpl
    def portula_stores(self, provider):
        return {"memory": self.make}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def make_app(clock, memory):
    """Return a function that makes an app whose pages call the sessions slot."""
    numbers = count()

    def make(**settings):
        app = Flask(f"app{next(numbers)}")
        app.config.update(
            TESTING=True, OAUTH2_PROVIDER={"SECRET_KEYS": ["first key, 16 bytes or more"], **settings}
        )
        provider = Provider(app, plugins=[clock, memory, portula_sessions], discover=False)
        sessions = provider.hooks.sessions

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
            session = sessions.end()
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
