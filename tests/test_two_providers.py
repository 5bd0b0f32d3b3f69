"""Two providers in one app, on one storage: each has its own metadata, endpoints, settings, plugins, hooks, pages."""

import pytest
from flask import Flask
from security.driving import bearer, error_of
from support.tenants import HOST, PASSWORD, ROOMS, Browser, Tenant, Two

from portula import ConfigError, Plugin, hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import ConsentGiven, LoginSucceeded, TokenIssued, current_provider
from portula_oauth2.settings import OAuth2Settings
from portula_resource_server import current_token, require_oauth
from portula_testing.provider import client_for, make_provider


class NorthOnly:
    """What only the north has: a rule, a scope and a metadata member."""

    @hookimpl
    def portula_validate_client_registration(self, registration):
        if registration.application.name == "southern":
            raise InvalidClientMetadata("not here")

    @hookimpl
    def portula_scopes(self, provider):
        return {"aurora": "See the northern lights"}

    @hookimpl
    def portula_metadata(self, provider):
        return {"service_documentation": f"{HOST}/{provider.name}/docs"}

    @hookimpl
    def portula_token_response(self, answer):
        return {"from": answer.provider.name}


@pytest.fixture
def two():
    return Two(north=[NorthOnly()])


def test_each_has_its_own_metadata(two):
    north, south = two.north.metadata(), two.south.metadata()
    assert (north["issuer"], south["issuer"]) == (f"{HOST}/north", f"{HOST}/south")
    for tenant, document in (("north", north), ("south", south)):
        endpoints = [url for name, url in document.items() if name.endswith("_endpoint")]
        assert len(endpoints) >= 4
        assert all(url.startswith(f"{HOST}/{tenant}/") for url in endpoints)
        standard = f"/.well-known/oauth-authorization-server/{tenant}"
        assert two.http.get(standard, base_url=HOST).json == document
    assert north["service_documentation"] == f"{HOST}/north/docs"
    assert "service_documentation" not in south


def test_each_has_its_own_plugins_hooks_and_rules(two):
    assert "NorthOnly" in two.north.provider.plugins.sources
    assert "NorthOnly" not in two.south.provider.plugins.sources
    assert two.north.provider.plugins.manager is not two.south.provider.plugins.manager
    assert ("aurora" in two.north.provider.scope_texts, "aurora" in two.south.provider.scope_texts) == (
        True,
        False,
    )
    assert client_for(two.south.provider, name="southern")[0].name == "southern"
    with pytest.raises(InvalidClientMetadata, match="not here"):
        client_for(two.north.provider, name="southern")
    party = two.south.client()
    given = {"grant_type": "client_credentials"}
    assert "from" not in two.south.post("token/", party, **given).json
    assert two.north.post("token/", two.north.client(), **given).json["from"] == "north"


def test_each_hears_its_own_events(two):
    party = two.north.client(chosen_secret="a secret that a person chose, long enough")
    two.north.tokens(party)
    heard = [type(event) for event in two.north.recorder.events]
    assert {LoginSucceeded, ConsentGiven, TokenIssued} <= set(heard)
    assert two.south.recorder.events == []
    two.south.tokens(party, "bob")
    assert [event.subject for event in two.south.recorder.of(TokenIssued)] == [two.bob.sub]
    assert [type(event) for event in two.north.recorder.events] == heard


def test_each_has_its_own_rooms_and_settings(two):
    small = ("oauth2", "generators", "scopes_settings", "consent", "accounts", "sessions")
    settings = {
        "OIDC_ISS_ENDPOINT": "https://west.example/west",
        "MOUNT_PATH": "/west",
        "SCOPES": {"dunes": "Walk the dunes"},
        "ACCESS_TOKEN_EXPIRE_SECONDS": 60,
    }
    west = make_provider(*small, two.memory, two.clock, app=two.app, name="west", settings=settings)
    document = two.http.get("/west/.well-known/oauth-authorization-server", base_url=HOST).json
    assert document["issuer"] == "https://west.example/west"
    assert "introspection_endpoint" in two.north.metadata()
    assert "introspection_endpoint" not in document
    assert two.http.post("/north/introspect/", base_url=HOST).status_code == 401
    assert two.http.post("/west/introspect/", base_url=HOST).status_code == 404
    assert "dunes" in document["scopes_supported"]
    assert "dunes" not in two.north.metadata()["scopes_supported"]
    providers = (west, two.south.provider)
    lifetimes = [made.settings(OAuth2Settings).ACCESS_TOKEN_EXPIRE_SECONDS for made in providers]
    assert lifetimes == [60, 36000]


def test_pages_of_the_accounts_stand_where_each_says(two):
    for name in ("north", "south"):
        assert two.http.get(f"/{name}/accounts/login/", base_url=HOST).status_code == 200
    assert two.http.get("/accounts/login/", base_url=HOST).status_code == 404
    browser = Browser(two)
    sent = browser.ask(two.south, two.south.client())
    assert sent.location.startswith("/south/accounts/login/?next=/south/authorize/")


@pytest.mark.parametrize("path", ["", "/", "accounts", "/accounts/", "/a b", "/<x>"])
def test_a_path_of_the_accounts_that_is_none_is_refused(path):
    with pytest.raises(ConfigError, match="ACCOUNTS_PATH"):
        make_provider("accounts", "sessions", settings={"ACCOUNTS_PATH": path})


def test_without_a_setting_the_pages_of_the_accounts_stand_below_the_root():
    http = make_provider("accounts", "sessions").app.test_client()
    assert http.get("/accounts/login/").status_code == 200
    assert http.get("/accounts/").location.startswith("/accounts/login/")


def test_one_request_may_ask_both_who_is_there(two):
    def both():
        seen = [
            tenant.provider.hooks.ask(Plugin.portula_login).current()
            for tenant in (two.north, two.south, two.north)
        ]
        return " ".join(person.username if person else "nobody" for person in seen)

    two.app.add_url_rule("/both", view_func=both)
    browser = Browser(two)
    assert browser.get("/both").text == "nobody nobody nobody"
    browser.sign_in(two.north, "ann")
    assert browser.get("/both").text == "ann nobody ann"
    browser.sign_in(two.south, "bob")
    assert browser.get("/both").text == "ann bob ann"


def test_a_view_is_guarded_by_the_provider_it_names(two):
    guard = require_oauth("read", provider="south")
    two.app.add_url_rule("/notes", view_func=guard(lambda: current_token.subject), endpoint="notes")
    party = two.north.client(chosen_secret="a secret that a person chose, long enough")
    tokens = {tenant.name: tenant.tokens(party)["access_token"] for tenant in (two.north, two.south)}
    for _ in range(2):  # what one verifier remembers, the other does not
        assert two.http.get("/notes", headers=bearer(tokens["south"])).text == two.ann.sub
        assert two.http.get("/notes", headers=bearer(tokens["north"])).status_code == 401


def test_both_answer_ahead_of_flask(two):
    two.app.wsgi_app = two.north.provider.wsgi(two.south.provider.wsgi())
    party = two.north.client(chosen_secret="a secret that a person chose, long enough")
    token = two.north.tokens(party)["access_token"]
    assert two.north.is_active(party, token)
    assert not two.south.is_active(party, token)
    assert two.south.metadata()["issuer"] == f"{HOST}/south"
    code, verifier = Browser(two).code(two.north, party)
    assert error_of(two.south.redeem(party, code, verifier)) == "invalid_grant"


def test_each_is_found_by_its_name(two):
    with two.app.app_context():
        assert current_provider("north") is two.north.provider
        assert current_provider("south") is two.south.provider


def test_one_name_is_not_given_twice(two):
    with pytest.raises((ConfigError, ValueError, AssertionError), match="north"):
        Tenant(two, "north")


def test_without_issuers_the_mounts_keep_them_apart():
    """With the same secret key and no issuer of their own, each digests under the name of its mount."""
    app = Flask("apart", static_folder=None)
    first, second = (
        make_provider(
            *ROOMS, app=app, name=name, settings={"MOUNT_PATH": f"/{name}", "ACCOUNTS_PATH": f"/{name}/a"}
        )
        for name in ("first", "second")
    )
    assert first.keys.digest("access token", "x") != second.keys.digest("access token", "x")
    assert first.keys.across_issuers.digest("client secret", "x") == second.keys.across_issuers.digest(
        "client secret", "x"
    )


def test_people_of_a_shared_storage_are_people_of_both(two):
    made = two.south.users.create("eve", PASSWORD)
    assert two.north.users.find(made.sub) == made
    Browser(two).sign_in(two.north, "eve")
