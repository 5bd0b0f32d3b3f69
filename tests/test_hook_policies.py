import logging

import pytest
from hook_samples import sample_request
from hosting import ask_token, make_client, make_provider

from portula import Plugin, hookimpl
from portula.errors import (
    AccessDeniedError,
    HookFailed,
    InvalidClientMetadata,
    InvalidScopeError,
    OAuth2Error,
    UnauthorizedClientError,
)
from portula.plugin import (
    AccessToken,
    Application,
    AuthorizationExchange,
    GrantType,
    IntrospectionResponse,
    TokenExchange,
)

REQUEST_VETOES = ["portula_validate_authorization_request", "portula_validate_token_request"]
REGISTRATION = "portula_validate_client_registration"


def plugin(name, **hooks):
    """Return a plugin of a name with these hooks, each given as a function of the hook's parameters."""
    return type(name, (), {hook: staticmethod(hookimpl(function)) for hook, function in hooks.items()})()


class Heard(list):
    """Keeps who was called."""

    def rule(self, name, outcome=None):
        """Return a veto for requests that notes its name, then raises or returns the outcome."""

        def judge(exchange):
            self.append(name)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return judge


@pytest.fixture
def heard():
    return Heard()


def tokens(provider):
    return provider.storage.select(AccessToken, subject=None)


# --- Vetoes ---


def exchange_for(hook, provider):
    """Return an exchange as a veto is given it."""
    kind = AuthorizationExchange if hook == "portula_validate_authorization_request" else TokenExchange
    return kind(provider=provider, request=sample_request())


@pytest.mark.parametrize("hook", REQUEST_VETOES)
def test_every_veto_is_heard_and_the_first_denial_is_raised(heard, hook):
    provider = make_provider(
        plugin("Aaa", **{hook: heard.rule("a")}),
        plugin("Bbb", **{hook: heard.rule("b", InvalidScopeError("b says no"))}),
        plugin("Ccc", **{hook: heard.rule("c", UnauthorizedClientError("c says no"))}),
        plugin("Ddd", **{hook: heard.rule("d")}),
    )
    with pytest.raises(InvalidScopeError, match="b says no"):
        provider.hooks.hear(getattr(Plugin, hook), exchange_for(hook, provider))
    assert heard == ["a", "b", "c", "d"]


@pytest.mark.parametrize("hook", REQUEST_VETOES)
@pytest.mark.parametrize("outcome", [ZeroDivisionError("bug"), HookFailed("bug"), True, False, 0, ""])
def test_what_is_no_denial_and_no_silence_denies_too(heard, hook, outcome, caplog):
    provider = make_provider(plugin("Shop", **{hook: heard.rule("shop", outcome)}))
    with caplog.at_level(logging.ERROR, "portula"), pytest.raises(AccessDeniedError) as caught:
        provider.hooks.hear(getattr(Plugin, hook), exchange_for(hook, provider))
    assert "bug" not in str(caught.value)
    assert f"{hook}" in caplog.text
    assert "plugin 'Shop'" in caplog.text


@pytest.mark.parametrize("hook", REQUEST_VETOES)
def test_silence_allows(heard, hook):
    provider = make_provider(plugin("Shop", **{hook: heard.rule("shop")}))
    assert provider.hooks.hear(getattr(Plugin, hook), exchange_for(hook, provider)) is None
    assert heard == ["shop"]


@pytest.mark.parametrize(
    ("outcome", "status", "error"),
    [
        (InvalidScopeError("Not today."), 400, "invalid_scope"),
        (UnauthorizedClientError("Not you."), 400, "unauthorized_client"),
        (ZeroDivisionError("bug"), 400, "access_denied"),
        (False, 400, "access_denied"),
    ],
)
def test_a_denied_token_request_leaves_nothing_behind(heard, outcome, status, error):
    provider = make_provider(plugin("Shop", portula_validate_token_request=heard.rule("shop", outcome)))
    _, secret = make_client(provider)
    answer = ask_token(provider, secret)
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert "access_token" not in answer.json
    assert tokens(provider) == []


def test_a_grant_of_a_plugin_cannot_skip_the_vetoes(heard):
    class Careless(GrantType):
        def judge(self, exchange):
            """Let everybody pass."""

    rule = heard.rule("rule", InvalidScopeError("no tea"))
    provider = make_provider(
        plugin("Tea", portula_grant_types=lambda provider: {"urn:example:tea": Careless}),
        plugin("Rule", portula_validate_token_request=rule),
    )
    _, secret = make_client(provider, grant_types=("urn:example:tea",))
    answer = ask_token(provider, secret, grant_type="urn:example:tea")
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_scope")
    assert heard == ["rule"]
    assert tokens(provider) == []


def test_all_rules_on_a_client_are_told_together():
    def name(registration):
        raise InvalidClientMetadata("a name is needed", "invalid_name")

    def scope(registration):
        raise InvalidClientMetadata("a scope is needed")

    provider = make_provider(plugin("Aaa", **{REGISTRATION: name}), plugin("Bbb", **{REGISTRATION: scope}))
    with pytest.raises(InvalidClientMetadata) as caught:
        provider.clients.create(Application(client_id="c", grant_types=("unknown",)))
    assert str(caught.value).startswith(
        "a name is needed; a scope is needed; grant type 'unknown' is not one of"
    )
    assert caught.value.error == "invalid_name"
    assert provider.storage.find(Application, client_id="c") is None


def test_a_rule_on_clients_that_crashes_or_answers_refuses():
    def crash(registration):
        raise ZeroDivisionError

    for outcome in (crash, lambda registration: True):
        provider = make_provider(plugin("Shop", **{REGISTRATION: outcome}))
        with pytest.raises(HookFailed, match=r"portula_validate_client_registration .*plugin 'Shop'"):
            make_client(provider)
        assert provider.storage.find(Application, client_id="machine") is None


def test_rules_on_clients_are_heard_when_one_is_changed():
    def named(registration):
        if not registration.application.name:
            raise InvalidClientMetadata("a name is needed")

    provider = make_provider(plugin("Shop", **{REGISTRATION: named}))
    client, _ = make_client(provider, name="Machine")
    with pytest.raises(InvalidClientMetadata):
        provider.clients.save(Application(**{**as_members(client), "name": ""}))
    assert provider.storage.find(Application, client_id="machine").name == "Machine"


def as_members(client):
    return {name: getattr(client, name) for name in type(client).__dataclass_fields__}


# --- Enrichments ---


def introspected(provider, token, response):
    answer = IntrospectionResponse(provider=provider, token=token, authorization=None, response=response)
    return provider.hooks.enrich(Plugin.portula_introspection_response, answer)


def test_enrichment_adds_to_a_token_response_and_overwrites_nothing():
    lies = {
        "access_token": "forged",
        "token_type": "mac",
        "expires_in": 10**9,
        "scope": "everything",
        "greeting": "hello",
    }
    provider = make_provider(plugin("Shop", portula_token_response=lambda answer: lies))
    _, secret = make_client(provider)
    members = ask_token(provider, secret, scope="read").json
    assert members.pop("access_token") != "forged"
    assert members == {"token_type": "Bearer", "expires_in": 36000, "scope": "read", "greeting": "hello"}


def test_of_two_plugins_that_add_one_member_the_first_in_order_is_kept(caplog):
    caplog.set_level("DEBUG", "portula")
    provider = make_provider(
        plugin("Bbb", portula_token_response=lambda answer: {"greeting": "b", "b": True}),
        plugin("Aaa", portula_token_response=lambda answer: {"greeting": "a"}),
    )
    _, secret = make_client(provider)
    members = ask_token(provider, secret).json
    assert (members["greeting"], members["b"]) == ("a", True)
    assert "portula_token_response of plugin 'Bbb' answers 'greeting', which stands already" in caplog.text


def test_a_plugin_cannot_change_the_response_it_is_shown():
    def change(answer):
        answer.response["access_token"] = "forged"
        answer.response.pop("token_type", None)

    provider = make_provider(
        plugin("Shop", portula_token_response=change, portula_introspection_response=change)
    )
    _, secret = make_client(provider)
    members = ask_token(provider, secret).json
    assert members["access_token"] != "forged"
    assert members["token_type"] == "Bearer"
    token = AccessToken(digest="d", client_id="c", scope="read", issued_at=1, expires_at=2)
    shown = {"active": True, "token_type": "Bearer"}
    assert introspected(provider, token, shown) == shown


def test_enrichment_cannot_overwrite_an_introspection_response():
    lies = {"active": True, "scope": "everything", "sub": "admin", "tenant": "north"}
    provider = make_provider(plugin("Shop", portula_introspection_response=lambda answer: lies))
    shown = {"active": True, "scope": "read", "sub": "ada"}
    token = AccessToken(digest="d", client_id="c", scope="read", issued_at=1, expires_at=2)
    assert introspected(provider, token, shown) == {**shown, "tenant": "north"}


# --- Outboxes and events ---


def test_an_outbox_that_fails_refuses_the_request_and_rolls_it_back(caplog):
    told = []

    def full(event):
        raise OSError("the disk is full")

    provider = make_provider(
        plugin("Full", portula_record_token=full),
        plugin(
            "Listener",
            portula_token_issued=lambda event: told.append("issued"),
            portula_token_refused=lambda event: told.append(event.error),
        ),
    )
    _, secret = make_client(provider)
    with caplog.at_level(logging.ERROR, "portula"):
        answer = ask_token(provider, secret)
    assert (answer.status_code, answer.json["error"]) == (500, "server_error")
    assert tokens(provider) == []
    assert told == ["server_error"]
    assert "portula_record_token of plugin 'Full' failed" in caplog.text


def test_an_outbox_that_denies_with_an_oauth_error_refuses_as_well():
    def deny(event):
        raise OAuth2Error("no")

    provider = make_provider(plugin("Shop", portula_record_token=deny))
    _, secret = make_client(provider)
    assert ask_token(provider, secret).status_code == 500
    assert tokens(provider) == []


def test_what_an_outbox_returns_stands_or_falls_with_the_token():
    class Ledger:
        @hookimpl
        def portula_record_token(self, event):
            return [Application(client_id="line in the ledger")]

    class Full:
        @hookimpl
        def portula_record_token(self, event):
            raise OSError

    for plugins, fails in (((Ledger(),), False), ((Ledger(), Full()), True)):
        provider = make_provider(*plugins)
        _, secret = make_client(provider)
        ask_token(provider, secret)
        line = provider.storage.find(Application, client_id="line in the ledger")
        assert (line is None, tokens(provider) == []) == (fails, fails)


def test_a_listener_that_fails_hurts_nobody(caplog):
    told = []

    def crash(event):
        raise RuntimeError("deaf")

    provider = make_provider(
        plugin("Aaa", portula_token_issued=crash),
        plugin("Bbb", portula_token_issued=lambda event: told.append(event.client_id)),
    )
    _, secret = make_client(provider)
    with caplog.at_level(logging.ERROR, "portula"):
        answer = ask_token(provider, secret)
    assert answer.status_code == 200
    assert told == ["machine"]
    assert len(tokens(provider)) == 1
    assert "portula_token_issued of plugin 'Aaa' failed" in caplog.text


def test_listeners_hear_of_a_token_only_when_it_is_kept():
    seen = []

    class Listener:
        @hookimpl
        def portula_token_issued(self, event):
            seen.append([token.client_id for token in tokens(event.provider)] == [event.client_id])

    provider = make_provider(Listener())
    _, secret = make_client(provider)
    assert ask_token(provider, secret).status_code == 200
    assert seen == [True]
