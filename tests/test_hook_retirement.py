"""How a hook goes away: it warns for one minor version, and is still called."""

import pytest
from hosting import make_provider

from portula import hookimpl, hookspec
from portula.errors import BrokenPlugin
from portula.host.checks import core_checks
from portula.host.classes import HookFacts, facts_of
from portula.plugin import HookClass, Kind, describes

WORDS = "portula_kettle_temperature goes in 2.0; implement portula_kettle_settings"


class KettleHooks:
    """Specifications that only these tests know."""

    @hookspec(warn_on_impl=DeprecationWarning(WORDS))
    @describes(Kind.SLOT, HookClass.OBSERVES, "KETTLE")
    def portula_kettle_temperature(self, provider):
        """Answer the slot of the temperature."""


class Kettle:
    @hookimpl
    def portula_addhooks(self, pm):
        pm.add_hookspecs(KettleHooks)


class Hot:
    @hookimpl
    def portula_kettle_temperature(self):
        return 100


@pytest.mark.parametrize("plugins", [(Kettle(), Hot()), (Hot(), Kettle())], ids=["spec first", "spec last"])
def test_implementing_a_retired_hook_warns_and_still_works(plugins):
    with pytest.warns(DeprecationWarning, match=WORDS):
        provider = make_provider(*plugins)
    assert provider.hooks.ruling("kettle_temperature").answer == 100


def test_who_does_not_implement_a_retired_hook_is_not_warned():
    make_provider(Kettle())  # a warning would be an error here


def test_check_names_who_implements_a_retired_hook():
    with pytest.warns(DeprecationWarning, match=WORDS):
        provider = make_provider(Kettle(), Hot())
    (finding,) = [finding for finding in core_checks(provider) if finding.id == "core.retired-hook"]
    assert finding.summary == (
        f"plugin 'Hot' implements portula_kettle_temperature, which is going away: {WORDS}"
    )


# --- Hooks of a room's own ---


def test_a_room_says_of_its_hook_what_core_says_of_its_own():
    with pytest.warns(DeprecationWarning, match=WORDS):
        provider = make_provider(Kettle(), Hot())
    said = HookFacts(Kind.SLOT, HookClass.OBSERVES, "KETTLE")
    assert provider.plugins.facts("portula_kettle_temperature") == said
    assert provider.plugins.powers("Hot") == {"portula_kettle_temperature": said}


def test_a_hook_of_which_nothing_is_said_decides():
    assert facts_of("portula_kettle").hook_class is HookClass.DECIDES
    assert facts_of("portula_clock", KettleHooks.portula_kettle_temperature).setting is None


def test_a_room_cannot_make_a_hook_of_core_look_harmless():
    facts = facts_of("portula_login", KettleHooks.portula_kettle_temperature)
    assert facts.hook_class is HookClass.DECIDES


class BadHot:
    @hookimpl
    def portula_kettle_temperature(self, request):
        return 100


class Registrar:
    @hookimpl
    def portula_addhooks(self, pm):
        pm.register(Hot(), "anybody")


class Remover:
    @hookimpl
    def portula_addhooks(self, pm):
        pm.unregister(name="portula_oauth2")


class Twice:
    @hookimpl
    def portula_addhooks(self, pm):
        class Again:
            @hookspec
            def portula_login(self, provider):
                """Answer the slot of the login."""

        pm.add_hookspecs(Again)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_implementation_is_held_to_a_specification_that_comes_later():
    with pytest.raises(BrokenPlugin, match=r"(?s)plugin 'BadHot': .*\{'request'\}"):
        make_provider(BadHot(), Kettle())


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (
            Registrar,
            "plugin 'Registrar': portula_addhooks registers or removes plugins; it may add specifications only",
        ),
        (
            Remover,
            "plugin 'Remover': portula_addhooks registers or removes plugins; it may add specifications only",
        ),
    ],
)
def test_adding_hooks_is_no_way_to_change_who_takes_part(plugin, words):
    with pytest.raises(BrokenPlugin) as caught:
        make_provider(plugin())
    assert str(caught.value) == words


def test_a_hook_of_core_cannot_be_specified_again():
    with pytest.raises(BrokenPlugin, match="plugin 'Twice': portula_addhooks: "):
        make_provider(Twice())
