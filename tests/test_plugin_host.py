import sys
from itertools import count

import pytest
from hosting import KEY, ROOMS, Memory, NobodyHere, discovering, make_app, make_provider

from portula import ConfigError, Plugin, Provider, hookimpl
from portula.errors import (
    BrokenPlugin,
    DuplicateContribution,
    DuplicatePlugin,
    EmptySlot,
    SlotConflict,
    UnknownPlugin,
)
from portula.host.plugins import Plugins
from portula.plugin import HashGenerator, Tier
from portula.web.hooks import CORE_HOOKS
from portula_oauth2.settings import OAuth2Settings

PLUGIN = """
from portula import hookimpl
from portula.plugin import HashGenerator

class Ids(HashGenerator):
    def hash(self):
        return "{answer}"

@hookimpl
def portula_client_id_generator(provider):
    return Ids()
"""
INSTALLED = PLUGIN.format(answer="installed")
SLOT = "client_id_generator"

_numbers = count()


class Ids(HashGenerator):
    """A generator that says who made it."""

    def __init__(self, answer):
        self.answer = answer

    def hash(self):
        return self.answer


class IdRoom:
    def __init__(self, answer):
        self.answer = answer

    @hookimpl
    def portula_client_id_generator(self, provider):
        return Ids(self.answer)


class Quiet:
    @hookimpl
    def portula_demo(self, provider):
        return {}


class FromSetting:
    def hash(self):
        return "setting"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that puts a distribution with one plugin on the import path."""
    made = []

    def put(name, plugin, code=INSTALLED, version="1.2"):
        folder, module = tmp_path / name, f"fake_plugin_{next(_numbers)}"
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[portula]\n{plugin} = {module}\n")
        (folder / f"{module}.py").write_text(code)
        monkeypatch.syspath_prepend(folder)
        made.append(module)

    yield put
    for module in made:
        sys.modules.pop(module, None)


def absent(provider):
    """Return what stayed away, and why."""
    return {source.name: note for source, note in provider.plugins.absent.items()}


# --- Discovery ---


def test_an_installed_plugin_is_on_and_known_with_its_distribution(install):
    install("portula-shop", "shop")
    plugins = Plugins(CORE_HOOKS, Provider())
    plugins.discover()
    source = plugins.sources["shop"]
    assert (source.tier, source.distribution, source.version) == (Tier.INSTALLED, "portula-shop", "1.2")
    assert str(source) == "plugin 'shop' of distribution portula-shop 1.2"


def test_the_rooms_that_come_with_portula_are_the_weakest_tier():
    plugins = Plugins(CORE_HOOKS, Provider())
    plugins.discover()
    assert plugins.sources["generators"].tier is Tier.DEFAULT
    assert plugins.sources["generators"].distribution == "portula-generators"


def test_without_discovery_nothing_installed_takes_part(install):
    install("portula-shop", "shop", "raise RuntimeError('imported')")
    assert "shop" not in make_provider().plugins.sources


@pytest.mark.parametrize(
    ("name", "second"), [("shop", "portula-bazaar"), ("generators", "portula-generators")]
)
def test_two_distributions_that_claim_one_name_are_both_named(install, name, second):
    install("portula-shop", name)
    if name == "shop":
        install(second, name)
    with pytest.raises(DuplicatePlugin) as caught:
        Plugins(CORE_HOOKS, Provider()).discover()
    assert "is claimed by two distributions" in str(caught.value)
    assert "portula-shop" in str(caught.value)
    assert second in str(caught.value)


def test_two_distributions_that_claim_one_name_cannot_be_settled_by_blocking(install):
    install("portula-shop", "shop")
    install("portula-bazaar", "shop")
    with pytest.raises(DuplicatePlugin):
        Plugins(CORE_HOOKS, Provider()).discover(("shop",), ())


def test_an_older_copy_of_a_distribution_behind_on_the_path_is_no_second_claim(install):
    install("portula-shop", "shop", version="1.0")
    install("Portula_Shop", "shop", version="2.0")
    plugins = Plugins(CORE_HOOKS, Provider())
    plugins.discover()
    assert plugins.sources["shop"].version == "2.0"


def test_a_plugin_that_fails_to_import_stops_the_start_with_its_distribution_named(install):
    install("portula-shop", "shop", "import a_module_that_is_nowhere")
    with pytest.raises(BrokenPlugin) as caught:
        Plugins(CORE_HOOKS, Provider()).discover()
    assert str(caught.value) == (
        "plugin 'shop' of distribution portula-shop 1.2 fails to import: ModuleNotFoundError: "
        "No module named 'a_module_that_is_nowhere'; mend it, uninstall it, or name it in PLUGINS_OPTIONAL"
    )


def test_an_optional_plugin_that_fails_to_import_is_left_out_and_noted(install):
    install("portula-shop", "shop", "raise RuntimeError('closed today')")
    provider = discovering(PLUGINS_OPTIONAL=["shop"])
    assert "shop" not in provider.plugins.sources
    assert absent(provider) == {
        "shop": "plugin 'shop' of distribution portula-shop 1.2 fails to import: RuntimeError: closed today"
    }


def test_an_optional_plugin_that_imports_takes_part(install):
    install("portula-shop", "shop")
    provider = discovering(PLUGINS_OPTIONAL=["shop"])
    assert absent(provider) == {}
    assert provider.hooks.ask(Plugin.portula_client_id_generator).hash() == "installed"


def test_an_optional_plugin_that_breaks_a_rule_still_stops_the_start(install):
    install(
        "portula-shop", "shop", PLUGIN.format(answer="x").replace("@hookimpl", "@hookimpl(tryfirst=True)")
    )
    with pytest.raises(BrokenPlugin, match=r"distribution portula-shop 1.2: .* uses tryfirst"):
        discovering(PLUGINS_OPTIONAL=["shop"])


def test_a_blocked_plugin_is_not_even_imported(install):
    install("portula-shop", "shop", "raise RuntimeError('imported')")
    provider = discovering(PLUGINS_BLOCKED=["shop"])
    assert "shop" not in provider.plugins.sources
    assert absent(provider) == {"shop": "blocked"}


def test_a_room_of_ours_can_be_blocked():
    provider = discovering(
        PLUGINS_BLOCKED=["accounts", "consent", "device", "oauth2", "introspection", "par", "resource_server"]
    )
    assert "accounts" not in provider.plugins.sources
    assert provider.app.test_client().get("/accounts/login/").status_code == 404


@pytest.mark.parametrize("setting", ["PLUGINS_BLOCKED", "PLUGINS_OPTIONAL"])
def test_an_unknown_plugin_is_told_the_nearest_known_one(setting):
    with pytest.raises(UnknownPlugin) as caught:
        discovering(**{setting: ["acounts", "zzz"]})
    assert caught.value.findings == (
        f"{setting}: no plugin named 'acounts' is installed; did you mean 'accounts'?",
        f"{setting}: no plugin named 'zzz' is installed",
    )


# --- PLUGINS_DIR ---


def test_files_of_a_folder_are_plugins_named_after_the_file(tmp_path):
    (tmp_path / "shop.py").write_text(PLUGIN.format(answer="directory"))
    (tmp_path / "notes.txt").write_text("no plugin")
    provider = discovering(PLUGINS_DIR=str(tmp_path))
    assert provider.plugins.sources["shop"].tier is Tier.DIRECTORY
    assert provider.hooks.ruling(Plugin.portula_client_id_generator).winner.name == "shop"


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"PLUGINS_DIR: '.*nowhere' is not a folder"):
        make_provider(PLUGINS_DIR=str(tmp_path / "nowhere"))


def test_a_file_that_fails_is_named(tmp_path):
    (tmp_path / "shop.py").write_text("1 / 0")
    with pytest.raises(BrokenPlugin, match=r"plugin 'shop': shop.py fails: ZeroDivisionError"):
        make_provider(PLUGINS_DIR=str(tmp_path))


def test_a_file_named_like_an_installed_plugin_is_refused(tmp_path):
    (tmp_path / "generators.py").write_text(PLUGIN.format(answer="x"))
    with pytest.raises(DuplicatePlugin, match="plugin 'generators' and plugin 'generators' of distribution"):
        discovering(PLUGINS_DIR=str(tmp_path))


# --- Order ---


TIERS = ["installed", "directory", "deployment", "setting"]


@pytest.mark.parametrize("strongest", range(len(TIERS) + 1))
def test_the_strongest_tier_wins(install, tmp_path, strongest):
    present = TIERS[:strongest]
    settings, plugins = {}, []
    if "installed" in present:
        install("portula-shop", "shop")
    if "directory" in present:
        folder = tmp_path / "plugins"
        folder.mkdir()
        (folder / "local.py").write_text(PLUGIN.format(answer="directory"))
        settings["PLUGINS_DIR"] = str(folder)
    if "deployment" in present:
        plugins.append(IdRoom("deployment"))
    if "setting" in present:
        settings["CLIENT_ID_GENERATOR_CLASS"] = FromSetting
    provider = discovering(*plugins, **settings)
    names = ["setting:CLIENT_ID_GENERATOR_CLASS", "IdRoom", "local", "shop", "generators"]
    ruling = provider.hooks.ruling(Plugin.portula_client_id_generator)
    assert [ruling.winner.name, *(source.name for source in ruling.outranked)] == names[
        len(TIERS) - strongest :
    ]
    if present:
        assert provider.hooks.ask(Plugin.portula_client_id_generator).hash() == present[-1]
    else:
        assert len(provider.hooks.ask(Plugin.portula_client_id_generator).hash()) >= 32


def test_none_is_no_answer():
    class Abstains:
        @hookimpl
        def portula_client_id_generator(self, provider):
            return None

    assert (
        discovering(Abstains()).hooks.ruling(Plugin.portula_client_id_generator).winner.name == "generators"
    )


def test_two_answers_in_the_winning_tier_are_an_error_that_names_the_line_that_settles_it(install):
    install("portula-shop", "shop")
    install("portula-bazaar", "bazaar")
    with pytest.raises(SlotConflict) as caught:
        discovering()
    assert str(caught.value) == (
        "slot 'client_id_generator': both plugin 'bazaar' of distribution portula-bazaar 1.2 and plugin 'shop' of "
        "distribution portula-shop 1.2 answer; settle it with "
        'PLUGINS_CHOICE = {"client_id_generator": "bazaar"} or block one with PLUGINS_BLOCKED'
    )


def test_two_answers_below_the_winning_tier_are_no_conflict(install):
    install("portula-shop", "shop")
    install("portula-bazaar", "bazaar")
    assert discovering(IdRoom("mine")).hooks.ask(Plugin.portula_client_id_generator).hash() == "mine"


@pytest.mark.parametrize("chosen", ["shop", "bazaar", "generators", "IdRoom"])
def test_a_choice_settles_it_for_any_tier(install, chosen):
    install("portula-shop", "shop")
    install("portula-bazaar", "bazaar")
    provider = discovering(IdRoom("mine"), PLUGINS_CHOICE={SLOT: chosen})
    assert provider.hooks.ruling(Plugin.portula_client_id_generator).winner.name == chosen


def test_a_choice_of_a_plugin_that_does_not_answer_is_refused():
    with pytest.raises(ConfigError) as caught:
        make_provider(PLUGINS_CHOICE={SLOT: "portula_generator"})
    assert str(caught.value) == (
        "PLUGINS_CHOICE: 'portula_generator' does not answer the slot 'client_id_generator'; those that do: "
        "portula_generators; did you mean 'portula_generators'?"
    )


@pytest.mark.parametrize(
    ("slot", "suggestion"),
    [("client_ids_generator", "; did you mean 'client_id_generator'?"), ("blueprints", ""), ("kettle", "")],
)
def test_a_choice_for_what_is_no_slot_is_refused_at_start(slot, suggestion):
    with pytest.raises(ConfigError) as caught:
        make_provider(PLUGINS_CHOICE={slot: "portula_generators"})
    assert str(caught.value) == f"PLUGINS_CHOICE: there is no slot {slot!r}{suggestion}"


# --- What is missing, what is there twice ---


def test_an_empty_slot_says_at_start_what_to_install():
    rooms = [room for room in ROOMS if room.__name__ != "portula_generators"]
    with pytest.raises(EmptySlot, match=r"slot '\w+': nothing answers; install portula-generators"):
        make_provider(rooms=rooms)


def test_a_provider_without_a_login_says_so_at_start():
    with pytest.raises(EmptySlot, match="slot 'login': nothing answers; install portula-accounts, or give"):
        Provider(make_app(), plugins=[*ROOMS, Memory()], discover=False)


def test_a_provider_without_a_store_says_so_at_start():
    with pytest.raises(
        ConfigError, match="STORAGE: name the default store; installed: none; install portula-"
    ):
        Provider(make_app(), plugins=[*ROOMS, NobodyHere()], discover=False)


def test_one_key_from_two_plugins_is_an_error_that_names_both(install):
    code = "from portula import hookimpl\n@hookimpl\ndef portula_stores(provider):\n    return {'memory': list}\n"
    install("portula-shop", "shop", code)
    with pytest.raises(DuplicateContribution) as caught:
        discovering()
    assert str(caught.value) == (
        "portula_stores: 'memory' comes from plugin 'shop' of distribution portula-shop 1.2 and from "
        "plugin 'Memory'; block one"
    )


def test_two_plugins_of_one_class_have_names_of_their_own():
    provider = make_provider(Quiet(), Quiet())
    assert {"Quiet", "Quiet-2"} <= set(provider.plugins.sources)


def test_one_object_given_twice_is_refused():
    room = Quiet()
    with pytest.raises(BrokenPlugin, match="plugin 'Quiet-2': "):
        make_provider(room, room)


def test_a_class_is_made_into_an_object():
    class Room:
        @hookimpl
        def portula_scopes(self, provider):
            return {"tea": type(self).__name__}

    assert make_provider(Room).scope_texts["tea"] == "Room"


# --- One manager a provider ---


def test_two_providers_of_one_app_have_plugins_settings_and_paths_of_their_own():
    app = make_app(PROVIDER_NAME="first")
    first = Provider(app, plugins=[*ROOMS, Memory(), NobodyHere(), Quiet()], discover=False)
    settings = {"MOUNT_PATH": "/second", "SECRET_KEYS": [KEY], "ACCESS_TOKEN_EXPIRE_SECONDS": 5}
    second = Provider(
        app, plugins=[*ROOMS, Memory(), NobodyHere()], discover=False, settings=settings, name="second"
    )
    assert first.plugins.manager is not second.plugins.manager
    assert "Quiet" in first.plugins.sources
    assert "Quiet" not in second.plugins.sources
    assert [
        provider.settings(OAuth2Settings).ACCESS_TOKEN_EXPIRE_SECONDS for provider in (first, second)
    ] == [36000, 5]
    assert (first.mount, second.mount) == ("/o", "/second")
    assert app.extensions["portula"] == {"portula": first, "second": second}
    assert first.keys.digest("purpose", "value") != second.keys.digest("purpose", "value")


def test_registering_with_one_provider_leaves_others_alone():
    names = set(make_provider().plugins.sources)
    make_provider(Quiet())
    assert set(make_provider().plugins.sources) == names
