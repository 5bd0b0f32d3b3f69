"""Every event, told where it happens and once: whole flows over HTTP, in memory."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
from hosting import ROOMS, Memory, ask_token, make_app, make_client, make_provider
from support.browser import forms_of

import portula_accounts
import portula_sessions
from portula import Plugin, Provider, hookimpl
from portula.plugin import Application, secret_id

PASSWORD = "correct horse battery"
CALLBACK = "https://app.example/callback"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
REQUEST = {
    "response_type": "code",
    "client_id": "app",
    "redirect_uri": CALLBACK,
    "scope": "read",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


class Listener:
    """Keeps every event by the name of its hook, in the order told."""

    def __init__(self):
        self.told = []

    def _tell(self, hook, event):
        self.told.append((hook, event))

    @hookimpl
    def portula_token_issued(self, event):
        self._tell("token_issued", event)

    @hookimpl
    def portula_token_refused(self, event):
        self._tell("token_refused", event)

    @hookimpl
    def portula_token_revoked(self, event):
        self._tell("token_revoked", event)

    @hookimpl
    def portula_code_replayed(self, event):
        self._tell("code_replayed", event)

    @hookimpl
    def portula_refresh_replayed(self, event):
        self._tell("refresh_replayed", event)

    @hookimpl
    def portula_consent_given(self, event):
        self._tell("consent_given", event)

    @hookimpl
    def portula_client_saved(self, event):
        self._tell("client_saved", event)

    @hookimpl
    def portula_login_succeeded(self, event):
        self._tell("login_succeeded", event)

    @hookimpl
    def portula_login_failed(self, event):
        self._tell("login_failed", event)


class World:
    """A provider with one person and one app, and what listeners were told since last asked."""

    def __init__(self):
        self.listener = Listener()
        plugins = [*ROOMS, portula_accounts, portula_sessions, Memory(), self.listener]
        app = make_app(PASSWORD_HASH_PROFILE="testing")
        self.provider = Provider(app, plugins=plugins, discover=False)
        self.ada = self.provider.hooks.ask(Plugin.portula_login).users.create("ada", PASSWORD).sub
        client = Application(client_id="app", grant_types=("authorization_code",), redirect_uris=(CALLBACK,))
        _, self.secret = self.provider.clients.create(client)
        self.http = app.test_client()
        self.news()

    def news(self):
        told, self.listener.told = self.listener.told, []
        return told

    def sign_in(self, password=PASSWORD):
        page = self.http.get("/accounts/login/")
        fields = forms_of(page.text)[0].fields
        return self.http.post("/accounts/login/", data={**fields, "username": "ada", "password": password})

    def allow(self):
        """Ask for a code and press the button; return the code."""
        page = self.http.get("/o/authorize/", query_string=REQUEST)
        form = forms_of(page.text)[0]
        answer = self.http.post(form.action, data={**form.fields, "allow": "yes"})
        return parse_qs(urlsplit(answer.location).query)["code"][0]

    def token(self, **fields):
        return self.http.post("/o/token/", data=fields, auth=("app", self.secret))

    def redeem(self, code):
        return self.token(
            grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER
        )


@pytest.fixture
def world():
    return World()


def names(news):
    return [name for name, _ in news]


def test_signing_in_is_told(world):
    assert world.sign_in().status_code == 302
    ((name, event),) = world.news()
    assert name == "login_succeeded"
    assert (event.subject, event.amr, event.address) == (world.ada, ("pwd",), "127.0.0.1")


def test_failing_to_sign_in_is_told_without_the_password(world):
    assert world.sign_in("wrong password").status_code == 400
    ((name, event),) = world.news()
    assert name == "login_failed"
    assert (event.username, event.reason) == ("ada", "wrong credentials")
    assert "wrong password" not in repr(event)


def test_consent_and_tokens_are_told_and_carry_no_secret(world):
    world.sign_in()
    world.news()
    code = world.allow()
    answer = world.redeem(code).json
    (consent, given), (issued, token) = world.news()
    assert (consent, given.client_id, given.subject, given.scopes) == (
        "consent_given",
        "app",
        world.ada,
        ("read",),
    )
    assert (issued, token.grant_type, token.subject, token.scopes) == (
        "token_issued",
        "authorization_code",
        world.ada,
        ("read",),
    )
    for secret in (code, answer["access_token"], answer["refresh_token"], world.secret):
        assert secret not in repr((given, token))


def test_a_replayed_code_is_told_once_with_the_authorization_it_ended(world):
    world.sign_in()
    code = world.allow()
    world.redeem(code)
    authorization = world.news()[-1][1].authorization
    assert world.redeem(code).json["error"] == "invalid_grant"
    (replayed, replay), (refused, refusal) = world.news()
    assert (replayed, replay.client_id, replay.subject, replay.authorization) == (
        "code_replayed",
        "app",
        world.ada,
        authorization,
    )
    assert (refused, refusal.error) == ("token_refused", "invalid_grant")


def test_a_replayed_refresh_token_is_told_once_with_the_authorization_it_ended(world):
    world.sign_in()
    first = world.redeem(world.allow()).json["refresh_token"]
    authorization = world.news()[-1][1].authorization
    assert world.token(grant_type="refresh_token", refresh_token=first).status_code == 200
    assert names(world.news()) == ["token_issued"]
    assert world.token(grant_type="refresh_token", refresh_token=first).json["error"] == "invalid_grant"
    (replayed, replay), (refused, _) = world.news()
    assert (replayed, replay.authorization) == ("refresh_replayed", authorization)
    assert refused == "token_refused"


def test_a_revoked_token_is_told_once(world):
    world.sign_in()
    token = world.redeem(world.allow()).json["access_token"]
    authorization = world.news()[-1][1].authorization
    for _ in range(2):
        answer = world.http.post("/o/revoke_token/", data={"token": token}, auth=("app", world.secret))
        assert answer.status_code == 200
    ((name, event),) = world.news()
    assert (name, event.client_id, event.authorization) == ("token_revoked", "app", authorization)


def test_nothing_is_told_of_a_token_that_somebody_else_wants_to_revoke(world):
    world.sign_in()
    token = world.redeem(world.allow()).json["access_token"]
    _, secret = make_client(world.provider)
    world.news()
    answer = world.http.post("/o/revoke_token/", data={"token": token}, auth=("machine", secret))
    assert answer.status_code == 200
    assert world.news() == []


def test_a_refusal_is_told_with_its_error(world):
    _, secret = make_client(world.provider)
    world.news()
    assert ask_token(world.provider, secret, scope="nowhere").status_code == 400
    ((name, event),) = world.news()
    assert (name, event.grant_type, event.error) == ("token_refused", "client_credentials", "invalid_scope")


def test_saving_a_client_is_told(world):
    client, secret = make_client(world.provider)
    world.provider.clients.save(client)
    (created, first), (changed, second) = world.news()
    assert (created, first.client_id, first.created) == ("client_saved", "machine", True)
    assert (changed, second.client_id, second.created) == ("client_saved", "machine", False)
    assert secret not in repr((first, second))


def test_a_client_that_authenticates_is_told_with_the_name_of_its_secret(world):
    told = []

    class Ear:
        @hookimpl
        def portula_client_authenticated(self, event):
            told.append(event)

    provider = make_provider(Ear())
    client, secret = make_client(provider)
    provider.clients.add_secret(client.client_id)
    assert ask_token(provider, "wrong").status_code == 401
    assert told == []
    assert ask_token(provider, secret).status_code == 200
    ((event),) = told
    assert (event.client_id, event.method) == ("machine", "client_secret_basic")
    assert event.secret_id == secret_id(client.secret_hashes[0])
    assert secret not in repr(event)
    assert client.secret_hashes[0] not in repr(event)
    assert not world.provider.hooks.has_implementations(Plugin.portula_client_authenticated)
