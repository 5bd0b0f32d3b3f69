"""S74: a plugin that pip brought replaces nothing in silence: reports name it, a lock file holds it, conflicts stop.

With real distributions and the command line, the same is shown in tests/plugins.
"""

import json
import sys
from itertools import count
from pathlib import Path

import pytest
from hosting import Memory, NobodyHere, discovering, make_app

from portula import Plugin, Provider
from portula.errors import BrokenPlugin, ConfigError, DuplicateContribution, SlotConflict
from portula.host.checks import core_checks
from portula.host.commands import HOST_COMMANDS
from portula.host.declared_hooks import DeclaredHooks
from portula.host.defaults import DEFAULT_ROOMS
from portula.host.kinds import NEEDS_TRUST
from portula.host.lock import PluginRefused, write
from portula.host.plugins import Plugins
from portula.plugin import HookClass, HookKind, Hooks, Tier
from portula.web import report
from portula.web.hooks import CORE_HOOKS

_numbers = count()
START = "from portula import hookimpl\n"
ABSTAINS = "@hookimpl\ndef {hook}(value):\n    return None\n"
ANSWERS = (
    "from support.fitting import fitting\n@hookimpl\ndef {hook}(provider):\n    return fitting({hook!r})\n"
)
MARK = "import builtins; builtins.s74_ran = True\n"

FACTS = {hook: DeclaredHooks(CORE_HOOKS).facts(hook) for hook in DeclaredHooks(CORE_HOOKS)}


def first_of_each_class(hooks):
    """Return the hooks as cases; the first of each class and kind runs in a plain `make test` too."""
    seen, cases = set(), []
    for hook in hooks:
        kind = (FACTS[hook].hook_class, FACTS[hook].kind)
        cases.append(pytest.param(hook, marks=pytest.mark.thorough if kind in seen else ()))
        seen.add(kind)
    return cases


POWERFUL = first_of_each_class(hook for hook, facts in FACTS.items() if facts.hook_class in NEEDS_TRUST)
HARMLESS = first_of_each_class(hook for hook, facts in FACTS.items() if facts.hook_class not in NEEDS_TRUST)
SLOTS = [hook for hook, facts in FACTS.items() if facts.kind is HookKind.SLOT]


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that puts a distribution with one plugin on the import path; it returns the plugin's file."""
    made = []

    def put(name, code):
        folder, module = tmp_path / name, f"s74_plugin_{next(_numbers)}"
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: portula-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[portula]\n{name} = {module}\n")
        file = folder / f"{module}.py"
        file.write_text(START + code)
        monkeypatch.syspath_prepend(folder)
        made.append(module)
        return file

    yield put
    for module in made:
        sys.modules.pop(module, None)
    sys.modules["builtins"].__dict__.pop("s74_ran", None)


@pytest.fixture
def lock(tmp_path):
    """Return a function that locks what is installed; it returns the settings that put the lock in force."""

    def make():
        plugins = Plugins(CORE_HOOKS, Provider())
        plugins.discover()
        write(tmp_path / "lock.json", plugins.lockable())
        for name in [name for name in sys.modules if name.startswith("s74_plugin_")]:
            del sys.modules[name]
        return {"PLUGINS_LOCK": str(tmp_path / "lock.json")}

    return make


def ran():
    return hasattr(sys.modules["builtins"], "s74_ran")


# --- The lock file ---


@pytest.mark.parametrize("hook", POWERFUL)
def test_under_a_lock_a_hook_that_decides_or_sees_secrets_needs_trust(install, lock, hook):
    install("thief", ABSTAINS.format(hook=hook))
    with pytest.raises(PluginRefused) as caught:
        discovering(**lock())
    assert str(caught.value) == (
        f"plugin 'thief' of distribution portula-thief 1.0 decides or sees secrets ({hook}); "
        "name it in PLUGINS_TRUSTED if you trust it: PLUGINS_TRUSTED = ['thief']"
    )
    trusted = Plugins(CORE_HOOKS, Provider())
    trusted.discover()
    assert "thief" in trusted.sources


@pytest.mark.parametrize("hook", HARMLESS)
def test_under_a_lock_a_hook_that_only_observes_or_adds_needs_none(install, lock, hook):
    install("helper", ABSTAINS.format(hook=hook))
    assert "helper" in discovering(**lock()).plugins.sources


def test_a_trusted_plugin_takes_part(install, lock):
    install("thief", ABSTAINS.format(hook="portula_login"))
    assert "thief" in discovering(**lock(), PLUGINS_TRUSTED=["thief"]).plugins.sources


def test_under_a_lock_the_hook_of_a_room_needs_trust_too(install, lock):
    install("thief", ABSTAINS.format(hook="portula_token_verifier"))
    with pytest.raises(PluginRefused, match=r"decides or sees secrets \(portula_token_verifier\)"):
        discovering(**lock())


def test_what_is_not_listed_is_refused_before_it_runs(install, lock):
    settings = lock()
    install("late", MARK)
    with pytest.raises(PluginRefused, match=r"plugin 'late' .* is not in the lock file"):
        discovering(**settings)
    assert not ran()


def test_what_was_changed_is_refused_before_it_runs(install, lock):
    file = install("changing", ABSTAINS.format(hook="portula_token_issued"))
    settings = lock()
    file.write_text(START + MARK)
    with pytest.raises(PluginRefused, match=r"plugin 'changing' .* has other files than the lock file says"):
        discovering(**settings)
    assert not ran()


def test_a_changed_module_beside_the_one_of_the_entry_point_is_refused(install, lock, tmp_path):
    """The whole distribution is locked, not only the package that the entry point names."""
    install("two", ABSTAINS.format(hook="portula_token_issued"))
    beside = tmp_path / "two" / "s74_beside.py"
    beside.write_text("ANSWER = 1\n")
    (tmp_path / "two" / "two-1.0.dist-info" / "RECORD").write_text("s74_beside.py,,\n")
    settings = lock()
    beside.write_text("ANSWER = 2\n")
    with pytest.raises(PluginRefused, match="has other files"):
        discovering(**settings)


def test_a_configuration_that_cannot_be_read_lets_nothing_past_the_lock(install, lock):
    settings = lock()
    install("late", MARK)
    with pytest.raises(ConfigError, match="PLUGINS_BLOCKED"):
        discovering(**settings, PLUGINS_BLOCKED=5)
    assert not ran()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"version": 2, "plugins": []}', '{"version": 1, "plugins": [{}]}']
)
def test_a_lock_file_that_is_none_stops_the_start(tmp_path, text):
    path = tmp_path / "lock.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match="is not a lock file of version 1; write it anew"):
        discovering(PLUGINS_LOCK=str(path))


def test_a_file_of_the_plugins_folder_is_locked_as_well(tmp_path, lock):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "local.py").write_text(MARK)
    with pytest.raises(PluginRefused, match=r"plugin 'local' is not in the lock file"):
        discovering(**lock(), PLUGINS_DIR=str(folder))
    assert not ran()


def test_the_lock_file_holds_no_path_of_this_machine(install, lock):
    install("helper", ABSTAINS.format(hook="portula_token_issued"))
    text = Path(lock()["PLUGINS_LOCK"]).read_text()
    assert "/" not in text
    assert json.loads(text)["version"] == 1


# --- Conflicts are errors ---


@pytest.mark.parametrize("hook", SLOTS)
def test_two_that_answer_one_slot_stop_the_start(install, hook):
    for name in ("first", "second"):
        install(name, ANSWERS.format(hook=hook))
    slot = hook.removeprefix("portula_")
    plugins = Plugins(CORE_HOOKS, Provider())
    plugins.discover(tuple(DEFAULT_ROOMS))
    with pytest.raises(SlotConflict) as caught:
        Hooks(plugins, Provider(), {}).ruling(getattr(Plugin, hook))
    assert "plugin 'first' of distribution portula-first 1.0" in str(caught.value)
    assert "plugin 'second' of distribution portula-second 1.0" in str(caught.value)
    assert f'PLUGINS_CHOICE = {{"{slot}": "first"}}' in str(caught.value)


ENDPOINT = """
from portula.plugin import Endpoint, json_answer
@hookimpl
def portula_endpoints(provider):
    return [Endpoint({name!r}, {path!r}, ("POST",), lambda message: json_answer(200, {{"access_token": "mine"}}))]
"""


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("token", "elsewhere/"),
        ("mine", "token/"),
        ("mine", "token"),
        ("mine", "/o/token/"),
        ("mine", "/o/introspect/"),
    ],
)
def test_no_plugin_can_stand_where_an_endpoint_of_ours_stands(install, name, path):
    install("thief", ENDPOINT.format(name=name, path=path))
    with pytest.raises(DuplicateContribution, match="portula_endpoints: "):
        discovering()


@pytest.mark.parametrize("name", HOST_COMMANDS)
def test_no_plugin_can_give_a_command_of_the_host_another_meaning(install, name):
    install(
        "thief",
        f"import click\n@hookimpl\ndef portula_commands(provider):\n    return [click.Command({name!r})]\n",
    )
    with pytest.raises(DuplicateContribution) as caught:
        discovering().hooks.collect(Plugin.portula_commands)
    assert str(caught.value) == (
        f"portula_commands: {name!r} comes from the host and from plugin 'thief' of distribution "
        "portula-thief 1.0; block one"
    )


def test_the_names_of_the_hosts_commands_are_complete():
    from portula.cli import main as cli
    from portula.cli import reports

    provider = Provider(make_app(), plugins=[Memory(), NobodyHere()], discover=False)
    own = [command.name for command in reports.commands(provider)]
    assert sorted(HOST_COMMANDS) == sorted({*own, *cli.main.commands})


def test_no_plugin_can_redefine_a_record_of_core(install):
    code = (
        "from portula.model.records import AccessToken, RecordType\n@hookimpl\ndef portula_records(provider):\n"
        "    return [RecordType('access_token', AccessToken, keys=('client_id',))]\n"
    )
    install("thief", code)
    with pytest.raises(
        DuplicateContribution, match="'access_token' comes from the host and from plugin 'thief'"
    ):
        discovering()


def test_a_grant_type_of_ours_cannot_be_contributed_again(install):
    install(
        "thief", "@hookimpl\ndef portula_grant_types(provider):\n    return {'authorization_code': object}\n"
    )
    with pytest.raises(DuplicateContribution, match="'authorization_code' comes from"):
        discovering()


# --- Ways around the tiers ---


SETTING = """
from typing import Annotated, Any
from pydantic import BaseModel
from portula.plugin import AnswersSlot
class Mine:
    def hash(self): return "mine"
class Models(BaseModel):
    HARMLESS: Annotated[Any, AnswersSlot("client_secret_generator")] = Mine()
@hookimpl
def portula_settings(provider): return [Models]
"""


def test_the_default_of_a_setting_is_no_answer_to_a_slot(install):
    install("thief", SETTING)
    provider = discovering()
    assert provider.hooks.ruling(Plugin.portula_client_secret_generator).winner.name == "generators"
    assert {source.tier for source in provider.plugins.sources.values()}.isdisjoint({Tier.SETTING})


def test_a_setting_that_answers_a_slot_needs_the_trust_of_that_slot(install, lock):
    install("thief", SETTING)
    with pytest.raises(PluginRefused, match=r"decides or sees secrets \(portula_client_secret_generator\)"):
        discovering(**lock())


HARMLESS_LOGIN = """
from portula.plugin import HookClass, HookDeclarations, slot
class Mine(HookDeclarations):
    @slot(HookClass.OBSERVES)
    def portula_login(self, provider): "A login that nobody need trust."
@hookimpl
def portula_declarations(provider): return [Mine]
"""


def test_no_plugin_can_declare_a_hook_of_ours_as_harmless(install):
    install("thief", HARMLESS_LOGIN)
    with pytest.raises(BrokenPlugin) as caught:
        discovering()
    assert str(caught.value) == (
        "plugin 'thief' of distribution portula-thief 1.0: portula_login is declared already, in "
        "portula.flow.service_hooks"
    )


def test_a_distribution_that_is_not_ours_by_name_cannot_take_the_name_of_a_room(install, monkeypatch):
    install("generators", MARK)
    import portula.host.discovery

    monkeypatch.setitem(portula.host.discovery.DEFAULT_ROOMS, "generators", "portula-original")
    plugins = Plugins(CORE_HOOKS, Provider())
    plugins.discover()
    assert plugins.sources["generators"].tier is Tier.INSTALLED, (
        "known by its distribution, not by its entry point"
    )


# --- Reports ---


REPLACEMENTS = [
    ("portula_secret_hasher", "secret_hasher", "generators"),
    ("portula_scopes_backend", "scopes_backend", "scopes_settings"),
]


@pytest.mark.parametrize(("hook", "slot", "ours"), REPLACEMENTS)
def test_a_replacement_is_reported_wherever_one_looks(install, hook, slot, ours):
    install(
        "other",
        ANSWERS.format(hook=hook),
    )
    provider = discovering()
    ruling = report.explain(provider, slot)["slot"]
    assert (ruling["winner"]["distribution"], ruling["default"]) == ("portula-other", False)
    assert [entry["plugin"] for entry in ruling["outranked"]] == [ours]
    (row,) = [row for row in report.plugins(provider) if row["plugin"] == "other"]
    assert (row["tier"], row["hooks"], row["default"]) == ("installed", [hook], False)
    assert set(row["classes"]) & set(NEEDS_TRUST)
    (found,) = [finding for finding in core_checks(provider) if finding.id == "core.unlocked-plugin"]
    assert "plugin 'other' of distribution portula-other 1.0" in found.summary


def test_a_part_of_the_validator_that_is_replaced_is_reported(install):
    install(
        "other",
        "from portula import OAuth2Validator\nclass Part(OAuth2Validator):\n"
        "    def validate_code(self, *_): return True\n"
        "@hookimpl\ndef portula_validator_mixins(provider):\n    return [Part]\n",
    )
    told = report.explain(discovering(), "validator.validate_code")
    assert told["winner"].endswith(".Part")
    assert any("portula_oauth2" in name for name in told["outranked"])


def test_who_declares_hooks_needs_trust():
    assert FACTS["portula_declarations"].hook_class is HookClass.DECIDES
