"""What each call promises: answers of the declared type, failures that name their culprit, events that all can hear."""

import dataclasses
import json
import logging

import pytest
from hook_samples import sample_exchange, value_of
from hosting import NobodyHere, ask_token, deployment, make_app, make_client, make_provider

from portula import Plugin, Provider
from portula.errors import AccessDeniedError, BrokenPlugin, ConfigError, HookFailed, InvalidScopeError
from portula.plugin import (
    Application,
    Demands,
    Event,
    HookClass,
    HookDeclarations,
    Interaction,
    Login,
    OAuthRequest,
    TokenIssued,
    contribution,
    requirement,
    shape,
)


def plugin(name, **hooks):
    """Return a plugin of a name with these hooks, each given as a function of the plugin and the value."""
    return type(name, (Plugin,), hooks)()


def always(answer):
    return lambda self, value: answer


def failing(error):
    def fail(self, value):
        raise error

    return fail


# --- Answers of the declared type ---


@pytest.mark.parametrize(
    ("hook", "answer", "words"),
    [
        ("portula_login", "no login", "answers a str; an instance of Login is needed"),
        ("portula_login", NobodyHere, "answers the class NobodyHere; an instance of Login is needed"),
        ("portula_clock", 5000, "answers an int; a callable is needed"),
        ("portula_backend_class", object, "answers the class object; a subclass of Backend is needed"),
        ("portula_application_model", "Client", "answers a str; a class is needed"),
        ("portula_scopes", [("tea", "Make tea")], "answers a list; a mapping is needed"),
        ("portula_records", {"note": Application}, "answers a dict; a sequence is needed"),
        ("portula_endpoints", "token/", "answers a str; a sequence is needed"),
        ("portula_endpoints", ["token/"], "answers as entry 1 a str; an instance of Endpoint is needed"),
        ("portula_settings", [dict], "answers as entry 1 the class dict; a subclass of BaseModel is needed"),
        ("portula_scopes", {"tea": 5}, "answers under 'tea' an int; an instance of str is needed"),
        ("portula_scopes", {5: "tea"}, "answers under a key that is an int; an instance of str is needed"),
        ("portula_grant_types", {"tea": "pot"}, "answers under 'tea' a str; a callable is needed"),
        ("portula_steps", [None], "answers as entry 1 a NoneType; an instance of Step is needed"),
        (
            "portula_declarations",
            ["Hooks"],
            "answers as entry 1 a str; a subclass of HookDeclarations is needed",
        ),
    ],
)
def test_an_answer_of_another_type_stops_the_start(hook, answer, words):
    with pytest.raises(BrokenPlugin) as caught:
        make_provider(plugin("Shop", **{hook: always(answer)}))
    assert str(caught.value) == f"plugin 'Shop': {hook} {words}"


def test_a_class_that_is_registered_with_that_of_the_slot_counts():
    class Elsewhere:
        """A login that derives from something else."""

    Login.register(Elsewhere)
    answer = Elsewhere()
    plugins = [entry for entry in deployment() if not isinstance(entry, NobodyHere)]
    shop = plugin("Shop", portula_login=always(answer))
    provider = Provider(make_app(), plugins=[*plugins, shop], discover=False)
    assert provider.hooks.ask(Plugin.portula_login) is answer


# --- Failures that name their culprit ---


@pytest.mark.parametrize(
    "hook", ["portula_login", "portula_scopes", "portula_settings", "portula_declarations"]
)
def test_a_hook_that_fails_at_start_is_named(hook):
    with pytest.raises(BrokenPlugin) as caught:
        make_provider(plugin("Shop", **{hook: failing(ZeroDivisionError("bug"))}))
    assert str(caught.value) == f"plugin 'Shop': {hook} failed: ZeroDivisionError: bug"
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_what_a_hook_says_of_the_configuration_stands_as_it_is():
    wrong = ConfigError("SHOP_LIMIT: too many")
    with pytest.raises(ConfigError) as caught:
        make_provider(plugin("Shop", portula_endpoints=failing(wrong)))
    assert caught.value is wrong


@pytest.mark.parametrize(
    "hook", ["portula_token_response", "portula_introspection_response", "portula_record_token"]
)
@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (failing(ZeroDivisionError("bug")), "failed"),
        (always(5), "answers an int; an instance of Mapping is needed"),
    ],
)
def test_a_hook_that_fails_at_a_request_is_named(hook, outcome, words):
    provider = make_provider(plugin("Shop", **{hook: outcome}))
    call = provider.hooks.record if "record" in hook else provider.hooks.enrich
    with pytest.raises(HookFailed) as caught:
        call(getattr(Plugin, hook), value_of(hook, provider))
    words = words.replace("Mapping", "Iterable") if "record" in hook else words
    assert str(caught.value) == f"{hook} of plugin 'Shop' {words}"


def test_an_enrichment_may_refuse():
    refused = plugin("Shop", portula_token_response=failing(InvalidScopeError("no tea")))
    provider = make_provider(refused)
    _, secret = make_client(provider)
    assert ask_token(provider, secret).json["error"] == "invalid_scope"


# --- Kinds ---


@pytest.mark.parametrize(
    ("verb", "hook", "words"),
    [
        ("tell", "portula_validate_token_request", "is declared as veto; it is called as event"),
        ("hear", "portula_token_issued", "is declared as event; it is called as veto"),
        ("enrich", "portula_record_token", "is declared as outbox; it is called as enrichment"),
        ("ask", "portula_scopes", "is declared as contribution; it is called as slot"),
        ("collect", "portula_login", "is declared as slot; it is called as contribution"),
    ],
)
def test_a_call_of_the_wrong_kind_is_an_error(verb, hook, words):
    provider = make_provider()
    arguments = () if verb in ("ask", "collect") else (sample_exchange(provider),)
    with pytest.raises(TypeError) as caught:
        getattr(provider.hooks, verb)(getattr(Plugin, hook), *arguments)
    assert str(caught.value) == f"{hook} {words}"


def test_a_slot_is_asked_once():
    asked = []
    provider = make_provider(plugin("Shop", portula_clock=lambda self, provider: asked.append(provider)))
    provider.hooks.ruling(Plugin.portula_clock)
    assert asked == [provider]
    first = provider.hooks.ask(Plugin.portula_login)
    assert provider.hooks.ask(Plugin.portula_login) is first


# --- Shapes, requirements and contributions of a room ---


@dataclasses.dataclass
class Brew:
    minutes: int


class KettleHooks(HookDeclarations):
    @shape(HookClass.DECIDES)
    def portula_shape_brew(self, brew: Brew) -> None:
        """Change the minutes."""

    @requirement(HookClass.DECIDES)
    def portula_brew_demands(self, brew: Brew) -> Demands | None:
        """Say what is demanded."""

    @contribution(HookClass.OBSERVES, keys=lambda name: [name], taken=("water",))
    def portula_teas(self, provider: Provider) -> list[str]:
        """Contribute names of teas."""
        return []


def with_kettle(*plugins):
    declaring = plugin("Declaring", portula_declarations=always([KettleHooks]))
    return make_provider(declaring, *plugins).hooks


def test_a_shape_changes_the_value_in_order():
    def longer(self, brew):
        brew.minutes += 1

    def double(self, brew):
        brew.minutes *= 2

    hooks = with_kettle(plugin("Aaa", portula_shape_brew=longer), plugin("Bbb", portula_shape_brew=double))
    brew = Brew(2)
    assert hooks.shape(KettleHooks.portula_shape_brew, brew) is brew
    assert brew.minutes == 6


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        (failing(InvalidScopeError("no")), InvalidScopeError),
        (failing(ZeroDivisionError()), HookFailed),
        (always(Brew(3)), HookFailed),
    ],
)
def test_a_shape_that_raises_or_answers_refuses(outcome, error):
    hooks = with_kettle(plugin("Shop", portula_shape_brew=outcome))
    with pytest.raises(error):
        hooks.shape(KettleHooks.portula_shape_brew, Brew(2))


def test_requirements_are_joined_and_without_any_nothing_is_required():
    hooks = with_kettle(
        plugin("Aaa", portula_brew_demands=always(Demands(login=True))),
        plugin("Bbb", portula_brew_demands=always(None)),
        plugin("Ccc", portula_brew_demands=always(Demands(silent=True))),
    )
    assert hooks.require(KettleHooks.portula_brew_demands, Brew(2)) == Demands(login=True, silent=True)
    assert with_kettle().require(KettleHooks.portula_brew_demands, Brew(2)) == Demands()


@pytest.mark.parametrize("outcome", [failing(ZeroDivisionError("bug")), always("login")])
def test_a_requirement_that_cannot_be_known_denies(outcome, caplog):
    provider = make_provider(plugin("Shop", portula_interaction_demands=outcome))
    asked = Interaction(provider=provider, request=OAuthRequest("/o/"), user=None, fresh=False)
    with caplog.at_level(logging.ERROR, "portula"), pytest.raises(AccessDeniedError) as caught:
        provider.hooks.require(Plugin.portula_interaction_demands, asked)
    assert "bug" not in str(caught.value)
    assert "portula_interaction_demands of plugin 'Shop'" in caplog.text


def test_contributions_are_known_by_their_plugin():
    teas = plugin("Shop", portula_teas=always(["earl grey"]))
    hooks = with_kettle(teas, plugin("Other", portula_teas=always(["assam"])))
    assert hooks.collect(KettleHooks.portula_teas) == ["earl grey", "assam"]
    found = hooks.contributions(KettleHooks.portula_teas)
    assert [(source.name, names) for source, names in found] == [
        ("Shop", ["earl grey"]),
        ("Other", ["assam"]),
    ]


@pytest.mark.parametrize("taken", ["earl grey", "water"])
def test_a_key_of_a_contribution_is_there_once(taken):
    hooks = with_kettle(
        plugin("Shop", portula_teas=always(["earl grey"])), plugin("Other", portula_teas=always([taken]))
    )
    with pytest.raises(ConfigError, match=rf"portula_teas: '{taken}' comes from .* and from plugin"):
        hooks.collect(KettleHooks.portula_teas)


# --- Outboxes and events ---


def test_records_of_an_outbox_are_kept_with_the_token():
    note = Application(client_id="a line in the ledger")
    provider = make_provider(plugin("Shop", portula_record_token=always([note])))
    _, secret = make_client(provider)
    assert ask_token(provider, secret).status_code == 200
    assert provider.storage.find(Application, client_id=note.client_id) is not None


def test_one_hook_hears_every_event_besides_its_own():
    heard = []

    class Listener(Plugin):
        def portula_token_issued(self, event):
            heard.append(("token_issued", event))

        def portula_event(self, event):
            heard.append(("event", event))

    provider = make_provider(Listener())
    _, secret = make_client(provider)
    assert ask_token(provider, secret).status_code == 200
    assert [(hook, event.type) for hook, event in heard] == [
        ("event", "client_saved"),
        ("event", "client_authenticated"),
        ("token_issued", "token_issued"),
        ("event", "token_issued"),
    ]
    assert provider.hooks.has_implementations(Plugin.portula_login_failed)
    assert not make_provider().hooks.has_implementations(Plugin.portula_login_failed)


def test_one_event_is_told_once_to_who_hears_all():
    heard = []
    provider = make_provider(plugin("Listener", portula_event=lambda self, event: heard.append(event)))
    provider.hooks.tell(Plugin.portula_event, Event(provider=provider))
    assert [event.type for event in heard] == ["event"]


def test_an_event_has_a_form_for_logs():
    provider = make_provider(
        plugin("Stopped", portula_clock=always(lambda: 5000.0)), OIDC_ISS_ENDPOINT="https://id.example/o"
    )
    event = TokenIssued(
        provider=provider,
        client_id="web",
        subject="ada",
        grant_type="client_credentials",
        scopes=("read",),
        authorization="a",
    )
    told = json.loads(json.dumps(event.as_json()))
    assert len(told.pop("id")) == 32
    assert told == {
        "type": "token_issued",
        "at": 5000,
        "realm": "",
        "issuer": "https://id.example/o",
        "actor": None,
        "client_id": "web",
        "subject": "ada",
        "address": None,
        "request_id": None,
        "reason": None,
        "grant_type": "client_credentials",
        "scopes": ["read"],
        "authorization": "a",
    }
    assert "provider" not in repr(event)
    assert event == dataclasses.replace(event, id="another", provider=make_provider())
