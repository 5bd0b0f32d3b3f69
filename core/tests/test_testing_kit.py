"""The testing kit: providers, clocks, logins and tokens for tests, and what its own plugins promise."""

import subprocess
import sys
import time

import pytest
from flask import Flask, url_for
from support.processes import pytest_on

import portula_generators
import portula_oauth2
import portula_scopes_settings
from portula import ConfigError, Plugin, hookimpl
from portula.errors import SlotConflict, UnknownPlugin
from portula.plugin import AccessToken, Application, ClientSaved, HashGenerator, Tier, TokenIssued, User
from portula_testing.contracts import ClockContract, LoginContract
from portula_testing.plugins import GivenClock
from portula_testing.provider import (
    CALLBACK,
    Memory,
    MovableClock,
    Recorder,
    TestLogin,
    client_for,
    expired_token_for,
    installed_rooms,
    make_provider,
    token_for,
)

NAMES = ("oauth2", "generators", "scopes_settings", "consent")
ROOMS = (portula_oauth2, portula_generators, portula_scopes_settings)


def live(provider, token):
    return provider.validator.find_live_access_token(token)


# --- make_provider ---


def test_rooms_by_name_come_in_the_tier_of_what_is_installed():
    provider = make_provider(*NAMES)
    assert {name: provider.plugins.sources[name].tier for name in NAMES} == dict.fromkeys(NAMES, Tier.DEFAULT)
    assert {"accounts", "sessions", "storage_sql"}.isdisjoint(provider.plugins.sources)


def test_an_object_outranks_a_room_by_name_but_not_a_room_given_as_a_module():
    class Ids(HashGenerator):
        def hash(self):
            return "mine"

        @hookimpl
        def portula_client_id_generator(self, provider):
            return self

    assert make_provider("generators", Ids()).hooks.ask(Plugin.portula_client_id_generator).hash() == "mine"
    with pytest.raises(SlotConflict, match="portula_generators"):
        make_provider(portula_generators, Ids())


def test_an_unknown_room_is_an_error_with_the_nearest_name():
    with pytest.raises(UnknownPlugin, match=r"no plugin named 'oauth' .*did you mean 'oauth2'"):
        make_provider("oauth")


def test_every_room_that_is_installed_can_take_part():
    provider = make_provider(discover=True)
    assert set(installed_rooms()) <= set(provider.plugins.sources)
    assert set(installed_rooms()) <= set(make_provider(*installed_rooms()).plugins.sources)
    assert type(provider.storage._routes[Application][0]).__name__ == "MemoryStore"


def test_without_rooms_there_is_a_provider_all_the_same():
    provider = make_provider()
    assert set(provider.plugins.sources) == {"Memory", "MovableClock", "TestLogin"}
    assert provider.metadata_document == {}


def test_hash_profiles_are_cheap_unless_a_test_says_otherwise():
    provider = make_provider("accounts", "sessions", "generators")
    profiles = ("PASSWORD_HASH_PROFILE", "CLIENT_SECRET_HASH_PROFILE")
    assert [provider.all_settings.value(name) for name in profiles] == ["testing", "testing"]
    provider = make_provider("generators", settings={"CLIENT_SECRET_HASH_PROFILE": "rfc9106_low_memory"})
    assert provider.all_settings.value("CLIENT_SECRET_HASH_PROFILE") == "rfc9106_low_memory"


def test_settings_come_from_the_app_unless_they_are_given():
    app = Flask("mine")
    app.config.update(SECRET_KEY="a secret key of its own", OAUTH2_PROVIDER={"MOUNT_PATH": "/mine"})
    provider = make_provider(*NAMES, app=app)
    assert (provider.app, provider.mount) == (app, "/mine")
    assert app.config["SECRET_KEY"] == "a secret key of its own"
    other = make_provider(*NAMES, app=app, settings={"MOUNT_PATH": "/other"}, name="other")
    assert (other.mount, app.extensions["portula"]["other"]) == ("/other", other)
    assert app.config["OAUTH2_PROVIDER"] == {"MOUNT_PATH": "/mine"}


def test_what_a_test_blocks_stays_blocked():
    with pytest.raises(ConfigError, match="nothing answers"):
        make_provider(*NAMES, settings={"PLUGINS_BLOCKED": ["consent"]})


def test_a_memory_that_is_given_twice_is_one_storage():
    memory = Memory()
    first = make_provider("generators", memory)
    second = make_provider("generators", "accounts", "sessions", memory, settings={"MOUNT_PATH": "/b"})
    client, _ = client_for(first)
    assert second.storage.find(Application, client_id=client.client_id) == client
    second.hooks.ask(Plugin.portula_login).users.create("ada", "a long password")
    assert make_provider("generators").storage.select(Application) == []


def test_a_store_of_the_tests_own_is_used_when_storage_names_it():
    memory = Memory()

    class Store:
        @hookimpl
        def portula_stores(self, provider):
            return {"mine": memory.make}

    client, _ = client_for(make_provider("generators", Store(), settings={"STORAGE": "mine"}))
    assert memory.store.find(Application, client_id=client.client_id) == client


# --- Clocks ---


class TestMovableClock(ClockContract):
    tolerance = None

    @pytest.fixture(params=[None, 0, 1_700_000_000.5])
    def clock(self, request):
        return MovableClock(request.param)


class TestTheClockOfAProvider(ClockContract):
    @pytest.fixture(params=[None, time.time])
    def clock(self, request):
        return make_provider(clock=request.param).hooks.ruling(Plugin.portula_clock).answer


def test_a_clock_stands_until_it_is_moved_and_never_goes_back():
    clock = MovableClock(100)
    provider = make_provider(clock=clock)
    assert (provider.now(), provider.now()) == (100, 100)
    clock.advance(5)
    assert provider.now() == 105
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_a_clock_that_a_plugin_brings_is_left_alone():
    assert make_provider(GivenClock(lambda: 7)).now() == 7


# --- Logins ---


class TestTestLogin(LoginContract):
    @pytest.fixture
    def made(self, person):
        made = TestLogin(person, anybody=False)
        made.passwords[person.subject] = "Correct horse battery"
        return made

    @pytest.fixture
    def provider(self, made):
        return make_provider(made)

    @pytest.fixture
    def person(self):
        return User("subject-of-ann", "ann")

    @pytest.fixture
    def password(self):
        return "Correct horse battery"

    @pytest.fixture
    def sign_in(self, made, person):
        return lambda browser: made.sign_in_as(person, browser)

    @pytest.fixture
    def shut_out(self, made, person):
        return lambda: made.disable(person.subject)


def test_a_person_may_sit_at_every_browser():
    login = TestLogin()
    provider = make_provider(login)
    provider.app.add_url_rule("/who", view_func=lambda: getattr(login.current(), "subject", "nobody"))
    browser, other = provider.app.test_client(), provider.app.test_client()
    login.sign_in_as("ann")
    login.sign_in_as("bob", other)
    assert [seat.get("/who").text for seat in (browser, other)] == ["ann", "bob"]
    login.sign_out(other)
    assert other.get("/who").text == "ann"
    login.sign_out()
    assert browser.get("/who").text == "nobody"


def test_no_request_can_take_a_seat():
    login = TestLogin()
    provider = make_provider(login)
    provider.app.add_url_rule("/who", view_func=lambda: getattr(login.current(), "subject", "nobody"))
    headers = {"portula_testing.user": "ann", "Portula-Testing-User": "ann"}
    assert provider.app.test_client().get("/who", headers=headers).text == "nobody"


# --- Clients and tokens ---


def test_clients_are_confidential_unless_public():
    provider = make_provider(*NAMES)
    client, secret = client_for(provider, "authorization_code", "client_credentials", name="Notes")
    assert (client.client_type, client.redirect_uris, client.name) == ("confidential", (CALLBACK,), "Notes")
    answer = provider.app.test_client().post(
        "/o/token/", data={"grant_type": "client_credentials"}, auth=(client.client_id, secret)
    )
    assert answer.status_code == 200, answer.text
    public, none = client_for(provider, "authorization_code", public=True, client_id="phone")
    assert (public.client_id, public.client_type, none) == ("phone", "public", None)


@pytest.mark.parametrize("scopes", ["read write", ["read", "write"], ("read", "write")])
def test_a_token_counts_until_its_time_is_over(scopes):
    clock, recorder = MovableClock(), Recorder()
    provider = make_provider(*NAMES, recorder, clock=clock)
    token = token_for(provider, "ann", scopes, expires_in=60)
    found = live(provider, token).token
    assert (found.subject, found.scope, found.expires_at) == ("ann", "read write", clock.time + 60)
    (issued,) = recorder.of(TokenIssued)
    assert (issued.subject, issued.scopes) == ("ann", ("read", "write"))
    clock.advance(60)
    assert live(provider, token) is None


def test_a_token_may_be_a_clients_own():
    provider = make_provider(*NAMES)
    client, _ = client_for(provider, "client_credentials")
    found = live(provider, token_for(provider, None, "read", client=client))
    assert (found.token.subject, found.user, found.client) == (None, None, client)


def test_an_expired_token_was_real_once():
    provider = make_provider(*NAMES)
    token = expired_token_for(provider, "ann", "read")
    assert live(provider, token) is None
    (kept,) = provider.storage.select(AccessToken)
    assert (kept.scope, kept.expires_at < provider.now()) == ("read", True)


def test_rules_of_plugins_hold_for_tokens_of_tests_too():
    from oauthlib.oauth2.rfc6749.errors import AccessDeniedError

    class Closed:
        @hookimpl
        def portula_validate_token_request(self, exchange):
            raise AccessDeniedError

    with pytest.raises(AccessDeniedError):
        token_for(make_provider(*NAMES, Closed()), "ann", "read")


def test_the_recorder_hears_every_event_there_is():
    provider = make_provider(*NAMES, Recorder())
    assert provider.plugins.hooks_of("Recorder") == ["portula_event"]
    recorder = provider.plugins.manager.get_plugin("Recorder")
    client_for(provider, client_id="known")
    assert [event.client_id for event in recorder.of(ClientSaved)] == ["known"]
    assert recorder.of(TokenIssued) == []


def test_pages_can_be_asked_for():
    provider = make_provider(*NAMES)
    with provider.app.test_request_context():
        assert url_for("portula_oauth2.authorize") == "/o/authorize/"


# --- The plugin of pytest ---


def test_the_pytest_plugin_loads_neither_flask_nor_the_provider():
    code = "import sys, portula_testing.pytest_plugin as plugin; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'portula_testing.pytest_plugin'" in loaded
    for module in ("flask", "werkzeug", "pydantic", "oauthlib", "cryptography", "portula.web.provider"):
        assert f"'{module}'" not in loaded


APP = '''
import pytest
from flask import Flask

from portula_resource_server import current_token, require_oauth


@pytest.fixture
def oauth_app():
    app = Flask("notes")
    app.add_url_rule("/notes", view_func=require_oauth("read")(lambda: f"notes of {current_token.subject}"))
    return app


@pytest.fixture
def get(oauth_app, oauth_server):
    def get(token):
        return oauth_app.test_client().get("/notes", headers={"Authorization": f"Bearer {token}"})

    return get


def test_tokens(get, token_for, oauth_clock):
    token = token_for("ann", "read", expires_in=10)
    assert get(token).text == "notes of ann"
    oauth_clock.advance(10)
    assert get(token).status_code == 401


def test_expired(get, expired_token):
    assert get(expired_token).status_code == 401


def test_wrong_scope(get, wrong_scope_token):
    assert get(wrong_scope_token).status_code == 403


def test_login(oauth_server, oauth_login):
    oauth_login.sign_in_as("ann")
    page = oauth_server.app.test_client().get("/o/authorized_tokens/")
    assert page.status_code == 200


class TestOwnProvider:
    """An app that makes its Provider itself."""

    @pytest.fixture
    def oauth_app(self, oauth_clock):
        from portula import Provider
        from portula_testing.provider import Memory, TestLogin

        app = Flask("own")
        app.config.update(SECRET_KEY="0123456789abcdef", OAUTH2_PROVIDER={"STORAGE": "memory"})
        self.provider = Provider(app, plugins=[Memory(), TestLogin(), oauth_clock])
        app.add_url_rule("/notes", view_func=require_oauth("read")(lambda: "its own"))
        return app

    def test_is_left_alone(self, oauth_server, get, token_for):
        assert oauth_server is self.provider
        assert get(token_for("ann", "read")).text == "its own"


class TestRooms:
    @pytest.fixture
    def oauth_settings(self):
        return {"MOUNT_PATH": "/auth"}

    @pytest.fixture
    def oauth_rooms(self):
        return ["oauth2", "generators", "scopes_settings", "consent", "resource_server"]

    def test_are_chosen(self, oauth_server):
        assert oauth_server.mount == "/auth"
        assert "introspection" not in oauth_server.plugins.sources
'''


def test_an_app_tests_itself_with_the_fixtures(tmp_path):
    (tmp_path / "test_app.py").write_text(APP)
    done = pytest_on(tmp_path, "-p", "no:randomly")
    assert "6 passed" in done.stdout, done.stdout + done.stderr


def test_nothing_is_paid_for_where_nobody_asks(tmp_path):
    """A project of another kind in the same environment: its tests do not even import Flask."""
    (tmp_path / "test_other.py").write_text(
        "import sys\n\n\ndef test_other():\n    assert 'flask' not in sys.modules\n"
    )
    done = pytest_on(tmp_path)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
