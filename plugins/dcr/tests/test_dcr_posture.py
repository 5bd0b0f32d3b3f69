"""Closed unless a setting says otherwise; metadata, CORS, what `portula check` says, and rules of other plugins."""

import pytest

from portula import ConfigError, Plugin, hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import HookClass, HookKind

ORIGIN = {"Origin": "https://page.example"}


def metadata(world):
    return world.open("GET", "/o/.well-known/oauth-authorization-server").json


def findings(world):
    return {
        finding.id
        for finding in world.provider.hooks.collect(Plugin.portula_checks)
        if finding.id.startswith("dcr.")
    }


@pytest.mark.parametrize("enabled", [False, ...], ids=["off", "default"])
def test_nothing_is_there_unless_a_setting_says_so(make, kind, enabled):
    world = make(kind=kind, DCR_ENABLED=enabled)
    for method in ("POST", "GET", "PUT", "DELETE", "OPTIONS"):
        assert world.open(method, document={}).status_code == 404
    assert "registration_endpoint" not in metadata(world)


def test_enabled_it_asks_for_an_initial_access_token_by_default(make, kind):
    world = make(kind=kind, DCR_REGISTRATION_MODE=...)
    assert world.register().status_code == 401


def test_the_metadata_names_the_endpoint(world):
    assert metadata(world)["registration_endpoint"] == "https://id.example/o/register/"


def test_pages_may_register_where_everybody_may(world):
    answer = world.open("POST", document={}, headers=ORIGIN)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    preflight = world.open("OPTIONS", headers={**ORIGIN, "Access-Control-Request-Method": "PUT"})
    assert preflight.headers["Access-Control-Allow-Methods"] == "POST, GET, PUT, DELETE, OPTIONS"


def test_pages_may_not_where_a_token_is_needed(make, kind):
    world = make(kind=kind, DCR_REGISTRATION_MODE="initial_access_token")
    for method in ("POST", "OPTIONS"):
        assert "Access-Control-Allow-Origin" not in world.open(method, headers=ORIGIN).headers


@pytest.mark.parametrize(
    "setting",
    [
        {"DCR_REGISTRATION_MODE": "closed"},
        {"DCR_ALLOWED_GRANT_TYPES": []},
        {"DCR_MAX_CLIENTS_PER_HOUR": 0},
        {"DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR": 0},
        {"DCR_REGISTRATION_TOKEN_EXPIRE_SECONDS": 0},
    ],
    ids=str,
)
def test_settings_have_bounds(make, setting):
    (name,) = setting
    with pytest.raises(ConfigError, match=name):
        make(**setting)


def test_check_says_what_is_open(make):
    assert findings(make(DCR_ENABLED=False)) == set()
    assert (
        findings(make(DCR_REGISTRATION_MODE="initial_access_token", DCR_MAX_CLIENTS_PER_HOUR=None)) == set()
    )
    assert findings(make()) == {"dcr.open"}
    assert findings(make(DCR_MAX_CLIENTS_PER_HOUR=None)) == {"dcr.open", "dcr.quota"}


# --- portula_validate_dynamic_registration ---


class Rule:
    """Keeps what it is told, and denies what it is given to deny."""

    def __init__(self, *raised, answer=None):
        self.told, self.raised, self.answer = [], raised, answer

    @hookimpl
    def portula_validate_dynamic_registration(self, registration):
        self.told.append(registration)
        for error in self.raised:
            raise error
        return self.answer


class Second(Rule):
    """Another rule: two plugins of one class would have one name."""


def test_a_rule_is_told_the_document_and_who_sends_it(make, kind):
    rule = Rule()
    world = make(rule, kind=kind, DCR_REGISTRATION_MODE="initial_access_token")
    told = world.register(token=world.initial_token("shop"), tea="green").json
    world.update(told, redirect_uris=["https://client.example/2"])
    first, second = rule.told
    assert first.document == {"redirect_uris": ["https://client.example/cb"], "tea": "green"}
    assert (first.client_address, first.initial_access_token, first.client_id) == (
        "203.0.113.7",
        "shop",
        None,
    )
    assert second.document["redirect_uris"] == ["https://client.example/2"]
    assert (second.initial_access_token, second.client_id) == (None, told["client_id"])


def test_every_rule_is_heard_and_the_first_word_counts(make, kind):
    rules = (
        Rule(InvalidClientMetadata("no", "unapproved_software_statement")),
        Second(InvalidClientMetadata("never")),
    )
    world = make(*rules, kind=kind)
    answer = world.register()
    assert world.error_of(answer) in {"unapproved_software_statement", "invalid_client_metadata"}
    assert set(answer.json["error_description"].split("; ")) == {"no", "never"}
    assert all(rule.told for rule in rules)


@pytest.mark.parametrize("rule", [Rule(RuntimeError("secret")), Rule(answer=True)], ids=["raises", "returns"])
def test_a_rule_that_fails_denies(make, kind, rule):
    world = make(rule, kind=kind)
    answer = world.register()
    assert world.error_of(answer, status=500) == "server_error"
    assert "secret" not in answer.text
    assert world.clients() == []


def test_a_denied_update_changes_nothing(make, kind):
    rule = Rule()
    world = make(rule, kind=kind)
    told = world.registered()
    rule.raised = (InvalidClientMetadata("no"),)
    assert (
        world.error_of(world.update(told, redirect_uris=["https://client.example/2"]))
        == "invalid_client_metadata"
    )
    assert world.find(told).redirect_uris == ("https://client.example/cb",)


def test_the_hook_says_what_it_is(world):
    facts = world.provider.plugins.facts("portula_validate_dynamic_registration")
    assert (facts.kind, facts.hook_class) == (HookKind.VETO, HookClass.DECIDES)
