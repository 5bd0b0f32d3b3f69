"""Which scopes a request gets (RFC 6749 §3.3)."""

import pytest


@pytest.fixture
def tea(make):
    return make(
        SCOPES={"tea": "Make tea", "cups": "Wash cups", "keys": "Lock up"}, DEFAULT_SCOPES=["tea", "cups"]
    )


def test_without_a_scope_all_scopes_are_meant(world):
    client = world.client()
    assert world.token(client, "client_credentials").json["scope"] == "read write"
    assert world.tokens(client, scope=None)["scope"] == "read write"


def test_default_scopes_are_meant_where_they_are_set(tea):
    client = tea.client()
    assert tea.token(client, "client_credentials").json["scope"] == "tea cups"
    assert tea.tokens(client, scope=None)["scope"] == "tea cups"


@pytest.mark.parametrize("scope", ["unheard-of", "tea unheard-of", "TEA"])
def test_an_unknown_scope_is_invalid(tea, sent, refused, scope):
    client = tea.client()
    assert refused(tea.token(client, "client_credentials", scope=scope)) == "invalid_scope"
    answer = sent(tea.ask(client, scope=scope))
    assert (answer["error"], answer["state"]) == ("invalid_scope", "the state")


def test_a_client_may_be_held_to_some_scopes(tea, sent, refused):
    client = tea.client(scope="tea keys")
    assert tea.token(client, "client_credentials").json["scope"] == "tea"
    assert tea.token(client, "client_credentials", scope="keys").json["scope"] == "keys"
    assert refused(tea.token(client, "client_credentials", scope="cups")) == "invalid_scope"
    assert sent(tea.ask(client, scope="tea cups"))["error"] == "invalid_scope"
    assert tea.tokens(client, scope="tea keys")["scope"] == "tea keys"


def test_contributed_scopes_may_be_asked_for_and_are_no_default(world, refused):
    client = world.client()
    assert world.tokens(client, scope="read offline_access")["scope"] == "read offline_access"
    held = world.client(scope="read")
    assert refused(world.token(held, "client_credentials", scope="offline_access")) == "invalid_scope"


def test_a_scope_that_is_taken_from_a_client_is_gone_for_new_requests(tea, sent):
    client = tea.client()
    assert tea.tokens(client, scope="keys")["scope"] == "keys"
    tea.change(client, scope="tea")
    assert sent(tea.ask(client, scope="keys"))["error"] == "invalid_scope"


def test_a_client_without_any_default_scope_must_name_one(tea, sent, refused):
    client = tea.client(scope="keys")
    assert refused(tea.token(client, "client_credentials")) == "invalid_scope"
    assert sent(tea.ask(client, scope=None))["error"] == "invalid_scope"
    assert tea.token(client, "client_credentials", scope="keys").json["scope"] == "keys"
