"""What a client may do is asked of the deployment's own class, over HTTP, whichever storage keeps it."""

import base64
import hashlib
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy.orm import DeclarativeBase

from portula.errors import InvalidClientMetadata
from portula.host.modes import storage_check_deferred
from portula.plugin import Application, ApplicationPolicy
from portula_storage_sql import migrate
from portula_storage_sql.models import ApplicationMixin
from portula_testing.provider import CALLBACK, TestLogin, client_for, make_provider

ROOMS = ("oauth2", "generators", "scopes_settings", "consent", "sessions", "storage_sql")
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class World:
    """A provider whose clients have a policy of the deployment's own, and a person at a browser."""

    def __init__(self, provider):
        self.provider = provider
        self.http = provider.app.test_client()

    def client(self, *grant_types, **fields):
        return client_for(self.provider, *(grant_types or ("authorization_code",)), **fields)

    def token(self, client, grant_type="client_credentials", headers=None, **form):
        named = {"client_id": client[0].client_id, "client_secret": client[1]}
        return self.http.post(
            "/o/token/", data={"grant_type": grant_type, **named, **form}, headers=headers or {}
        )

    def authorize(self, client, **parameters):
        given = {
            "response_type": "code",
            "client_id": client[0].client_id,
            "redirect_uri": CALLBACK,
            "scope": "read",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **parameters,
        }
        named = {name: value for name, value in given.items() if value is not None}
        return self.http.get(f"/o/authorize/?{urlencode(named)}")

    def code(self, client, **parameters):
        location = self.authorize(client, **parameters).location
        return parse_qs(urlsplit(location).query)["code"][0]


@pytest.fixture(params=["memory", "sql"])
def world(request, tmp_path):
    """Return a function that opens a provider with this policy."""
    stores = []

    def open_with(policy):
        login = TestLogin()
        login.sign_in_as("ada")
        app = Flask("policy", static_folder=None)
        settings = {}
        if request.param == "memory":
            settings["APPLICATION_MODEL"] = type("Client", (policy, Application), {})
        else:
            base = type("Base", (DeclarativeBase,), {})
            model = type("Client", (policy, ApplicationMixin, base), {"__tablename__": "client"})
            url = f"sqlite:///{tmp_path / 'mine.sqlite3'}"
            settings = {"APPLICATION_MODEL": model, "STORAGE": "storage_sql", "DATABASE_URL": url}
        with storage_check_deferred():
            provider = make_provider(*ROOMS, login, settings=settings, app=app)
        if request.param == "sql":
            store = provider.stores["storage_sql"]
            stores.append(store)
            migrate.upgrade(store.engine, store.records)
            base.metadata.create_all(store.engine)
        return World(provider)

    yield open_with
    for store in stores:
        store.close()


def test_is_usable_is_asked_at_every_door(world):
    class Policy(ApplicationPolicy):
        shut = False

        def is_usable(self, request):
            return super().is_usable(request) and not Policy.shut

    world = world(Policy)
    client = world.client("client_credentials", "authorization_code")
    token = world.token(client).json["access_token"]
    assert world.authorize(client).status_code == 200
    live = world.provider.validator.find_live_access_token
    assert live(token) is not None
    Policy.shut = True
    assert world.token(client).json["error"] == "invalid_client"
    assert world.authorize(client).status_code == 400
    assert live(token) is None


def test_redirect_uri_allowed_is_asked(world):
    class Policy(ApplicationPolicy):
        def redirect_uri_allowed(self, uri):
            return uri.startswith("https://preview-") or super().redirect_uri_allowed(uri)

    world = world(Policy)
    client = world.client(skip_authorization=True)
    for uri, answers in [
        (CALLBACK, 302),
        ("https://preview-7.client.example/cb", 302),
        ("https://evil.example/cb", 400),
    ]:
        assert world.authorize(client, redirect_uri=uri).status_code == answers


def test_post_logout_redirect_uri_allowed_is_the_class_s_own_on_what_rooms_find(world):
    class Policy(ApplicationPolicy):
        def post_logout_redirect_uri_allowed(self, uri):
            return uri == "https://anywhere.example/"

    world = world(Policy)
    client, _ = world.client(post_logout_redirect_uris=("https://client.example/bye",))
    found = world.provider.storage.find(Application, client_id=client.client_id)
    assert found.post_logout_redirect_uri_allowed("https://anywhere.example/")
    assert not found.post_logout_redirect_uri_allowed("https://client.example/bye")


def test_origin_allowed_is_asked(world):
    class Policy(ApplicationPolicy):
        def origin_allowed(self, origin):
            return origin == "https://preview.example"

    world = world(Policy)
    client = world.client("client_credentials", allowed_origins=("https://client.example",))
    for origin, allowed in [("https://preview.example", True), ("https://client.example", False)]:
        answer = world.token(client, headers={"Origin": origin})
        assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is allowed


def test_allows_grant_type_is_asked_at_both_endpoints(world):
    class Policy(ApplicationPolicy):
        def allows_grant_type(self, *grant_types):
            return "client_credentials" in grant_types

    world = world(Policy)
    client = world.client("authorization_code", skip_authorization=True)
    assert world.token(client).status_code == 200
    assert "error=unauthorized_client" in world.authorize(client).location


def test_get_allowed_schemes_is_asked_when_a_client_is_saved_and_when_it_comes(world):
    class Policy(ApplicationPolicy):
        schemes = ("tea",)

        def get_allowed_schemes(self):
            return Policy.schemes

    world = world(Policy)
    native = {"application_type": "native", "redirect_uris": ("tea:/cb",), "skip_authorization": True}
    with pytest.raises(InvalidClientMetadata, match="scheme"):
        world.client(redirect_uris=("https://client.example/cb",))
    client = world.client(**native)
    assert world.authorize(client, redirect_uri="tea:/cb").location.startswith("tea:/cb?")
    Policy.schemes = ("coffee",)
    assert world.authorize(client, redirect_uri="tea:/cb").status_code == 400


def test_default_redirect_uri_is_asked_at_both_endpoints(world):
    class Policy(ApplicationPolicy):
        @property
        def default_redirect_uri(self):
            return self.redirect_uris[-1]

    world = world(Policy)
    uris = ("https://client.example/first", CALLBACK)
    client = world.client(redirect_uris=uris, skip_authorization=True)
    answer = world.authorize(client, redirect_uri=None)
    assert answer.location.startswith(f"{CALLBACK}?")
    code = parse_qs(urlsplit(answer.location).query)["code"][0]
    issued = world.token(client, "authorization_code", code=code, code_verifier=VERIFIER)
    assert issued.status_code == 200, issued.text


class ByProperty(ApplicationPolicy):
    @property
    def skip_authorization(self):
        return self.name == "house"


class ByMethod(ApplicationPolicy):
    def skip_authorization(self, request):
        return request.client.name == "house"


@pytest.mark.parametrize("policy", [ByProperty, ByMethod])
def test_skip_authorization_is_asked(world, policy):
    world = world(policy)
    assert world.authorize(world.client(name="house")).status_code == 302
    asked = world.authorize(world.client(name="guest", skip_authorization=True))
    assert asked.status_code == 200
    assert "form" in asked.text


def test_a_code_flow_runs_on_the_class(world):
    world = world(ByProperty)
    client = world.client(name="house")
    form = {"code": world.code(client), "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    assert world.token(client, "authorization_code", **form).status_code == 200
    assert world.token(client, "authorization_code", **form).json["error"] == "invalid_grant"
