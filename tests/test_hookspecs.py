import ast
import inspect
import re
import sys
from functools import cached_property
from pathlib import Path

import pytest
from hook_samples import (
    ADDITIONS,
    DEMANDS,
    DENIALS,
    GIVEN,
    NAMES,
    PRINTED,
    STARTED,
    arguments_of,
    sample_exchange,
)
from hosting import Memory, make_app, make_provider

from portula import Provider, hookimpl
from portula.errors import BrokenPlugin
from portula.host import hookspecs
from portula.host.plugins import Implementation, Plugins
from portula.plugin import Hooks, Source, Tier

ROOT = Path(__file__).resolve().parents[1]

sys.path.insert(0, str(ROOT / "docs" / "_ext"))
import portula_reference  # noqa: E402 - it stands with the manual, which is no package

SPECS = {
    name: function
    for module in hookspecs.SPECIFICATIONS
    for name, function in vars(module).items()
    if hasattr(function, "portula_spec")
}
ENTRIES = {entry.name: entry for entry in portula_reference.hook_entries()}
MANUAL = portula_reference.expand((ROOT / "docs" / "hooks.md").read_text(encoding="utf-8"))
SPECIAL = {"portula_addhooks"}
PER_REQUEST = {name for name, function in SPECS.items() if function.__module__.endswith(".requests")}
SHOP = Source("shop", Tier.INSTALLED, "portula-shop", "1.2")

each_hook = pytest.mark.parametrize("hook", SPECS)
each_called_hook = pytest.mark.parametrize("hook", [name for name in SPECS if name not in SPECIAL])


def parameters_of(hook):
    return list(inspect.signature(SPECS[hook]).parameters)


def signatures_in_source():
    """Read the signatures from the files, without the help of the generator."""
    for module in hookspecs.SPECIFICATIONS:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.FunctionDef):
                yield node.name, f"{node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}"


def call_facade(provider, hook):
    method = getattr(provider.hooks, hook.removeprefix("portula_"))
    return method(**arguments_of(hook, parameters_of(hook)))


def example_plugin(hook):
    """Run the example of a hook and return an object of the class that implements the hook."""
    namespace = dict(NAMES)
    exec(compile(ENTRIES[hook].example, f"<example of {hook}>", "exec", dont_inherit=True), namespace)
    (plugin,) = [made for made in namespace.values() if inspect.isclass(made) and hook in vars(made)]
    needed = inspect.signature(plugin).parameters
    return plugin(**{name: GIVEN[name] for name in needed})


# --- The manual ---


@pytest.mark.parametrize(("hook", "signature"), list(signatures_in_source()))
def test_the_manual_has_a_heading_with_the_exact_signature(hook, signature):
    assert f"\n({hook})=\n### `{signature}`\n" in MANUAL


def test_the_manual_has_no_other_hooks():
    assert re.findall(r"^### `(\w+)\(", MANUAL, re.MULTILINE) == list(SPECS)


@each_hook
def test_the_manual_has_text_and_example(hook):
    entry = ENTRIES[hook]
    assert entry.text.endswith(".")
    assert entry.text in MANUAL
    assert f"```python\n{entry.example}\n```" in MANUAL


@each_hook
def test_the_kind_is_told_by_the_form_of_the_name(hook):
    kind, short = ENTRIES[hook].kind, hook.removeprefix("portula_")
    assert portula_reference.KINDS[kind] in MANUAL
    forms = {
        "veto": r"validate_\w+",
        "shape": r"shape_\w+",
        "demand": r"\w+_demands",
        "enrichment": r"\w+_(response|claims)",
        "outbox": r"record_\w+",
        "event": r"\w+_(issued|refused|revoked|replayed|given|saved|authenticated|succeeded|failed|ended)",
    }
    if hook in PER_REQUEST:
        assert re.fullmatch(forms[kind], short)
    else:
        answers_none = str(inspect.signature(SPECS[hook]).return_annotation).endswith("| None")
        assert kind == ("slot" if answers_none else "contribution")


@each_hook
def test_the_setting_beside_a_hook_is_in_the_manual(hook):
    setting = ENTRIES[hook].setting
    known = {
        name
        for models in portula_reference.models().values()
        for model in models
        for name in model.model_fields
    }
    assert setting is None or setting in known


# --- The examples ---


@each_hook
def test_the_example_runs_and_can_be_registered(hook):
    plugins = Plugins()
    plugins.register(example_plugin(hook), SHOP)
    plugins.check_pending()
    implementations = getattr(plugins.manager.hook, hook).get_hookimpls()
    assert [implementation.plugin_name for implementation in implementations] == ["shop"]


def provider_with(hook):
    """Return a provider of the example and a store, and the example."""
    plugin = example_plugin(hook)
    given = [plugin] if hook == "portula_stores" else [plugin, Memory()]
    return Provider(make_app(), plugins=given, discover=False), plugin


@pytest.mark.parametrize("hook", [name for name in SPECS if name not in PER_REQUEST])
def test_the_example_takes_part_in_the_start_of_a_provider(hook):
    provider, _ = provider_with(hook)
    assert STARTED[hook](provider)


@pytest.mark.parametrize("hook", DENIALS)
def test_the_example_denies(hook):
    provider, _ = provider_with(hook)
    with pytest.raises(DENIALS[hook]):
        call_facade(provider, hook)


@pytest.mark.parametrize("hook", ADDITIONS)
def test_the_example_adds(hook):
    provider, _ = provider_with(hook)
    assert call_facade(provider, hook) == {"access_token": "of ours", **ADDITIONS[hook]}


@pytest.mark.parametrize("hook", DEMANDS)
def test_the_example_demands(hook):
    provider, _ = provider_with(hook)
    assert call_facade(provider, hook) == DEMANDS[hook]


RECORDED = {
    "portula_record_authorization": "machine",
    "portula_record_session_end": "sid",
    "portula_record_token": "machine",
}


@pytest.mark.parametrize("hook", RECORDED)
def test_the_example_records(hook):
    provider, _ = provider_with(hook)
    (record,) = call_facade(provider, hook)
    assert RECORDED[hook] in record.payload.values()


def test_the_example_shapes():
    provider, _ = provider_with("portula_shape_token")
    exchange = sample_exchange()
    provider.hooks.shape_token(exchange)
    assert exchange.issue.lifetime == 60


@pytest.mark.parametrize("hook", PRINTED)
def test_the_example_hears(hook, capsys):
    provider, _ = provider_with(hook)
    call_facade(provider, hook)
    assert capsys.readouterr().out == f"{PRINTED[hook]}\n"


def test_every_example_was_called():
    called = {"portula_shape_token", *STARTED, *DENIALS, *DEMANDS, *ADDITIONS, *PRINTED, *RECORDED}
    assert called == set(SPECS)


# --- The façade ---


@each_called_hook
def test_the_facade_has_a_method_or_property_for_the_hook(hook):
    member = vars(Hooks)[hook.removeprefix("portula_")]
    if ENTRIES[hook].kind == "slot":
        assert isinstance(member, cached_property)
    else:
        wanted = [name for name in parameters_of(hook) if name != "provider"]
        own = list(inspect.signature(member).parameters)[1:]
        assert own == (wanted if hook in PER_REQUEST else [])


def test_the_facade_has_no_method_without_a_hook():
    public = {name for name in vars(Hooks) if not name.startswith("_")}
    assert public == {hook.removeprefix("portula_") for hook in SPECS} - {"addhooks"}


class Probe:
    """Implements one hook with all its parameters, and keeps what it was given."""

    def __init__(self, hook):
        self.given = []
        parameters = ", ".join(parameters_of(hook))
        keep = f"def {hook}({parameters}):\n    given.append(({parameters}{',' if parameters else ''}))\n"
        namespace = {"given": self.given}
        exec(keep, namespace)
        setattr(self, hook, hookimpl(namespace[hook]))


@each_called_hook
def test_the_facade_calls_with_exactly_the_specified_parameters(hook, monkeypatch):
    provider, probe = make_provider(), Probe(hook)
    plugins, offered = Plugins(), []
    plugins.register(probe, SHOP)
    call = Implementation.call
    monkeypatch.setattr(
        Implementation, "call", lambda self, given: (offered.append(given), call(self, given))[1]
    )
    hooks = Hooks(plugins, provider, {})
    arguments = arguments_of(hook, parameters_of(hook))
    if ENTRIES[hook].kind == "slot":
        assert hooks.ruling(hook.removeprefix("portula_")).winner is None
    else:
        getattr(hooks, hook.removeprefix("portula_"))(**arguments)
    assert [sorted(given) for given in offered] == [sorted(parameters_of(hook))]
    expected = {**arguments, "provider": provider}
    assert probe.given == [tuple(expected[name] for name in parameters_of(hook))]


@pytest.fixture(scope="module")
def named_elsewhere():
    folders = [ROOT / "tests", ROOT / "core" / "tests", *(ROOT / "plugins").glob("*/tests")]
    files = [path for folder in folders for path in folder.rglob("test_*.py") if path != Path(__file__)]
    return {word for path in files for word in re.findall(r"portula_\w+", path.read_text(encoding="utf-8"))}


@each_hook
def test_some_other_test_names_the_hook(hook, named_elsewhere):
    assert hook in named_elsewhere


# --- What registration refuses ---


class Wrapper:
    @hookimpl(wrapper=True)
    def portula_validate_token_request(self, request):
        return (yield)


class OldWrapper:
    @hookimpl(hookwrapper=True)
    def portula_token_issued(self, event):
        yield


class First:
    @hookimpl(tryfirst=True)
    def portula_client_id_generator(self, provider):
        return None


class Last:
    @hookimpl(trylast=True)
    def portula_scopes_backend(self, provider):
        return None


class Default:
    @hookimpl
    def portula_clock(self, provider=None):
        return None


class KeywordOnly:
    @hookimpl
    def portula_token_response(self, request, *, response):
        return None


class UnknownParameter:
    @hookimpl
    def portula_scopes(self, provider, application):
        return {}


@pytest.mark.parametrize(
    ("plugin", "text"),
    [
        (
            Wrapper,
            "portula_validate_token_request uses wrapper; the host orders and calls hooks itself, remove it",
        ),
        (
            OldWrapper,
            "portula_token_issued uses hookwrapper; the host orders and calls hooks itself, remove it",
        ),
        (
            First,
            "portula_client_id_generator uses tryfirst; the host orders and calls hooks itself, remove it",
        ),
        (Last, "portula_scopes_backend uses trylast; the host orders and calls hooks itself, remove it"),
        (Default, "portula_clock gives 'provider' a default or makes it keyword-only; hooks are positional"),
        (KeywordOnly, "portula_token_response gives 'response' a default or makes it keyword-only"),
        (UnknownParameter, "{'application'}"),
    ],
)
def test_registration_refuses(plugin, text):
    plugins = Plugins()
    with pytest.raises(BrokenPlugin) as caught:
        plugins.register(plugin, SHOP)
    assert str(caught.value).startswith("plugin 'shop' of distribution portula-shop 1.2: ")
    assert text in str(caught.value)
    assert "shop" not in plugins.sources


def test_a_refused_plugin_is_told_everything_at_once():
    class Twice:
        @hookimpl(tryfirst=True)
        def portula_clock(self, provider=None):
            return None

        @hookimpl(trylast=True)
        def portula_login(self, provider):
            return None

    with pytest.raises(BrokenPlugin) as caught:
        Plugins().register(Twice(), SHOP)
    assert len(caught.value.findings) == 3


def test_a_misspelt_hook_is_told_the_nearest_known_one():
    class Misspelt:
        @hookimpl
        def portula_validate_token_requests(self, request):
            return None

    with pytest.raises(BrokenPlugin) as caught:
        make_provider(Misspelt())
    (finding,) = caught.value.findings
    assert finding.startswith("plugin 'Misspelt': there is no hook 'portula_validate_token_requests'; ")
    assert finding.endswith("did you mean 'portula_validate_token_request'?")


def test_an_optional_hook_may_be_unknown():
    class Later:
        @hookimpl(optionalhook=True)
        def portula_hook_of_a_later_version(self):
            return None

    assert "Later" in make_provider(Later()).plugins.sources
