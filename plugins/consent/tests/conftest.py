from types import SimpleNamespace

import pytest
from flask import request

import portula_consent
import portula_scopes_settings
from portula import Plugin, hookimpl
from portula.plugin import Application, AuthenticatedUser, ConsentQuestion, Login, TokenRevoked, User
from portula_testing.provider import MovableClock, Recorder, make_provider
from portula_testing.writing import add_to

NAME_THAT_DECEIVES = "Tea\u202e\u0000 <svg onload=1>"


class Host(MovableClock, Recorder, Login):
    """The host's side: a clock, a login that believes the query, and a list of what was heard."""

    def __init__(self):
        MovableClock.__init__(self, 1_700_000_000)
        Recorder.__init__(self)

    @property
    def heard(self):
        return self.of(TokenRevoked)

    @hookimpl
    def portula_login(self, provider):
        return self

    @hookimpl
    def portula_scopes(self, provider):
        return {"offline_access": "Keep access while you are away"}

    def current(self):
        subject = request.headers.get("Subject")
        return (
            AuthenticatedUser(subject, subject.title(), self.time, sid=f"sid of {subject}")
            if subject
            else None
        )

    def login_url(self, next_url, client=None):
        return f"/login?next={next_url}"

    def find(self, subject):
        return User(subject, subject.title())

    def sign_out(self):
        """Nobody can."""


@pytest.fixture
def host():
    return Host()


@pytest.fixture
def made(host):
    """Return a provider with a client, and an app that asks for consent at /ask."""
    scopes = {"read": "Read what you wrote", "write": ""}
    settings = {"SCOPES": scopes, "DEFAULT_SCOPES": ["read"]}
    provider = make_provider(host, portula_scopes_settings, portula_consent, settings=settings)
    app = provider.app
    client = Application(
        client_id="tea",
        name=NAME_THAT_DECEIVES.replace("\0", "\x01"),
        redirect_uris=("https://tea.example:8443/cb",),
        metadata={"client_uri": "https://tea.example/", "policy_uri": "javascript:alert(1)"},
    )
    add_to(provider.storage, client)

    def question():
        return ConsentQuestion(
            interaction=request.args.get("interaction", "i1"),
            client=client,
            user=host.current(),
            scopes=("read", "write", "offline_access"),
            redirect_uri=request.args.get("to", client.redirect_uris[0]),
            action="/ask",
            csrf_context="consent " + request.args.get("interaction", "i1"),
        )

    @app.route("/ask", methods=["GET", "POST"])
    def ask():
        consent = provider.hooks.ask(Plugin.portula_consent)
        return str(consent.answer(question())) if request.method == "POST" else consent.page(question())

    return SimpleNamespace(
        app=app, provider=provider, client=client, consent=provider.hooks.ask(Plugin.portula_consent)
    )


@pytest.fixture
def browser(made):
    client = made.app.test_client()
    client.environ_base["HTTP_SUBJECT"] = "ada"
    return client
