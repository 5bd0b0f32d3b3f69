"""The declared hooks: each is documented, its example runs, and an implementation is held to it."""

import ast
import inspect
import re
import sys
from pathlib import Path

import pytest
from hook_samples import ADDITIONS, DEMANDS, DENIALS, GIVEN, NAMES, PRINTED, STARTED, value_of
from hosting import Memory, make_app, make_provider

from portula import Plugin, Provider, hookimpl
from portula.errors import BrokenPlugin
from portula.host.declared_hooks import DeclaredHooks
from portula.host.kinds import AT_START
from portula.host.plugins import Plugins
from portula.plugin import HookKind, PluginSource, Tier, TokenIssued, TokenRefused
from portula.web.hooks import CORE_HOOKS

ROOT = Path(__file__).resolve().parents[1]

sys.path.insert(0, str(ROOT / "docs" / "_ext"))
import portula_reference  # noqa: E402 - it stands with the manual, which is no package

DECLARED = DeclaredHooks(CORE_HOOKS)
HOOKS = DECLARED.in_order()
ENTRIES = {entry.name: entry for entry in portula_reference.hook_entries()}
MANUAL = portula_reference.expand((ROOT / "docs" / "hooks.md").read_text(encoding="utf-8"))
PER_REQUEST = [hook for hook in HOOKS if DECLARED.facts(hook).kind not in AT_START]
SHOP = PluginSource("shop", Tier.INSTALLED, "portula-shop", "1.2")

each_hook = pytest.mark.parametrize("hook", HOOKS)


def new_plugins():
    return Plugins(CORE_HOOKS, Provider())


def signatures_in_source():
    """Read the signatures from the files, without the help of the generator."""
    for path in (ROOT / "core/src/portula").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name in DECLARED and node.decorator_list:
                parameter = ast.unparse(node.args).removeprefix("self, ").replace(": P", ": Provider")
                if ": " in parameter:
                    yield node.name, f"{node.name}({parameter}) -> {ast.unparse(node.returns)}"


def call(provider, hook):
    """Call a hook of a request as core does."""
    verbs = {
        HookKind.VETO: provider.hooks.hear,
        HookKind.SHAPE: provider.hooks.shape,
        HookKind.REQUIREMENT: provider.hooks.require,
        HookKind.ENRICHMENT: provider.hooks.enrich,
        HookKind.OUTBOX: provider.hooks.record,
        HookKind.EVENT: provider.hooks.tell,
    }
    return verbs[DECLARED.facts(hook).kind](DECLARED[hook], value_of(hook, provider))


def example_plugin(hook):
    """Run the example of a hook and return an object of the class that implements the hook."""
    namespace = dict(NAMES)
    exec(compile(ENTRIES[hook].example, f"<example of {hook}>", "exec", dont_inherit=True), namespace)
    (plugin,) = [made for made in namespace.values() if inspect.isclass(made) and hook in vars(made)]
    needed = inspect.signature(plugin).parameters
    return plugin(**{name: GIVEN[name] for name in needed})


# --- The handle ---


@each_hook
def test_the_method_of_the_public_class_is_the_declaration(hook):
    assert getattr(Plugin, hook) is DECLARED[hook]


# --- The manual ---


@pytest.mark.parametrize(("hook", "signature"), sorted(signatures_in_source()))
def test_the_manual_has_a_heading_with_the_exact_signature(hook, signature):
    assert f"\n({hook})=\n### `{signature}`\n" in MANUAL


def test_every_declaration_was_read():
    assert sorted(name for name, _ in signatures_in_source()) == sorted(HOOKS)


def test_the_manual_has_no_other_hooks():
    assert re.findall(r"^### `(\w+)\(", MANUAL, re.MULTILINE) == HOOKS


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
        "requirement": r"\w+_demands",
        "enrichment": r"\w+_(response|claims)",
        "outbox": r"record_\w+",
        "event": r"event|\w+_(issued|refused|revoked|replayed|given|saved|authenticated|succeeded|failed|ended)",
    }
    if hook in PER_REQUEST:
        assert re.fullmatch(forms[kind], short)
    else:
        answers_none = str(inspect.signature(DECLARED[hook]).return_annotation).endswith("| None")
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
    plugins = new_plugins()
    plugins.register(example_plugin(hook), SHOP)
    plugins.check_pending()
    assert plugins.hooks_of("shop") == [hook]


def provider_with(hook):
    """Return a provider of the example and a store, and the example."""
    plugin = example_plugin(hook)
    given = [plugin] if hook == "portula_stores" else [plugin, Memory()]
    if hook == "portula_deliveries":  # which nobody could send without a fetcher
        given.append(
            type("Web", (), {"portula_fetcher": hookimpl(lambda self, provider: GIVEN["fetcher"])})()
        )
    return Provider(make_app(), plugins=given, discover=False), plugin


@pytest.mark.parametrize("hook", [name for name in HOOKS if name not in PER_REQUEST])
def test_the_example_takes_part_in_the_start_of_a_provider(hook):
    provider, _ = provider_with(hook)
    assert STARTED[hook](provider)


@pytest.mark.parametrize("hook", DENIALS)
def test_the_example_denies(hook):
    provider, _ = provider_with(hook)
    with pytest.raises(DENIALS[hook]):
        call(provider, hook)


@pytest.mark.parametrize("hook", ADDITIONS)
def test_the_example_adds(hook):
    provider, _ = provider_with(hook)
    assert call(provider, hook) == {"access_token": "of ours", **ADDITIONS[hook]}


@pytest.mark.parametrize("hook", DEMANDS)
def test_the_example_demands(hook):
    provider, _ = provider_with(hook)
    assert call(provider, hook) == DEMANDS[hook]


RECORDED = {
    "portula_record_authorization": "machine",
    "portula_record_session_end": "sid",
    "portula_record_token": "machine",
}


@pytest.mark.parametrize("hook", RECORDED)
def test_the_example_records(hook):
    provider, _ = provider_with(hook)
    (record,) = call(provider, hook)
    assert RECORDED[hook] in record.payload.values()


def test_the_example_shapes():
    provider, _ = provider_with("portula_shape_token")
    assert call(provider, "portula_shape_token").issue.lifetime == 60


@pytest.mark.parametrize("hook", PRINTED)
def test_the_example_hears(hook, capsys):
    provider, _ = provider_with(hook)
    call(provider, hook)
    assert capsys.readouterr().out == f"{PRINTED[hook]}\n"


def test_every_example_was_called():
    called = {"portula_shape_token", *STARTED, *DENIALS, *DEMANDS, *ADDITIONS, *PRINTED, *RECORDED}
    assert called == set(HOOKS)


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
    def portula_validate_token_request(self, exchange):
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
    def portula_token_response(self, *, response):
        return None


class Two:
    @hookimpl
    def portula_scopes(self, provider, application):
        return {}


class Nothing:
    @hookimpl
    def portula_scopes(self):
        return {}


class OtherValue:
    @hookimpl
    def portula_token_issued(self, event: TokenRefused):
        return None


class OtherAnswer(Plugin):
    def portula_token_issued(self, event: TokenIssued) -> bool:
        return True


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
        (
            Default,
            "portula_clock: 'provider' has a default or is not positional; a hook is called with one value",
        ),
        (KeywordOnly, "portula_token_response: 'response' has a default or is not positional"),
        (Two, "portula_scopes takes provider, application; every hook takes one value"),
        (Nothing, "portula_scopes takes nothing; every hook takes one value"),
        (OtherValue, "portula_token_issued annotates 'event' as TokenRefused; the hook gives TokenIssued"),
        (OtherAnswer, "portula_token_issued is annotated to return bool; the hook wants None"),
    ],
)
def test_registration_refuses(plugin, text):
    plugins = new_plugins()
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
        new_plugins().register(Twice(), SHOP)
    assert len(caught.value.findings) == 3


def test_a_misspelt_hook_is_told_the_nearest_known_one():
    class Misspelt:
        @hookimpl
        def portula_validate_token_requests(self, exchange):
            return None

    with pytest.raises(BrokenPlugin) as caught:
        make_provider(Misspelt())
    (finding,) = caught.value.findings
    assert finding.startswith("plugin 'Misspelt': there is no hook 'portula_validate_token_requests'; ")
    assert finding.endswith("did you mean 'portula_validate_token_request'?")


def test_an_optional_hook_may_be_unknown():
    class Later:
        @hookimpl(optionalhook=True)
        def portula_hook_of_a_later_version(self, value):
            return None

    assert "Later" in make_provider(Later()).plugins.sources


@pytest.mark.parametrize("base", [Plugin, object])
def test_any_name_of_the_parameter_will_do(base):
    class Shop(base):
        @hookimpl
        def portula_scopes(self, server):
            return {"tea": server.name}

    assert make_provider(Shop()).scope_texts["tea"] == "portula"


def test_a_plugin_class_registers_what_it_overrides_and_nothing_that_it_inherits():
    class Shop(Plugin):
        def portula_scopes(self, provider):
            return {"tea": "Make tea"}

    class Corner(Shop):
        def helper(self):
            return None

    plugins = make_provider(Corner()).plugins
    assert plugins.hooks_of("Corner") == ["portula_scopes"]


def test_a_misspelt_method_of_a_plugin_class_is_told_the_nearest_hook():
    class Shop(Plugin):
        def portula_scope(self, provider):
            return {}

    with pytest.raises(
        BrokenPlugin, match=r"there is no hook 'portula_scope'; did you mean 'portula_scopes'\?"
    ):
        make_provider(Shop())
