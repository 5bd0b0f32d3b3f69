"""How a hook goes away, and how a room declares hooks of its own."""

import pytest
from hosting import make_provider

from portula import Plugin, Provider, hookimpl
from portula.errors import BrokenPlugin, EmptySlot
from portula.host.checks import core_checks
from portula.host.kinds import HookFacts
from portula.plugin import HookClass, HookDeclarations, HookKind, contribution, event, slot, veto

WORDS = "portula_kettle_temperature goes in 2.0; implement portula_kettle_settings"


class KettleHooks(HookDeclarations):
    """Declarations that only these tests know."""

    @slot(HookClass.OBSERVES, setting="KETTLE", retired=WORDS)
    def portula_kettle_temperature(self, provider: Provider) -> int | None:
        """Answer the slot of the temperature."""


class Kettle(Plugin):
    def portula_declarations(self, provider):
        return [KettleHooks]


class Hot(Plugin, KettleHooks):
    def portula_kettle_temperature(self, provider):
        return 100


TEMPERATURE = KettleHooks.portula_kettle_temperature


@pytest.mark.parametrize(
    "plugins", [(Kettle(), Hot()), (Hot(), Kettle())], ids=["declared first", "declared last"]
)
def test_implementing_a_retired_hook_warns_and_still_works(plugins):
    with pytest.warns(DeprecationWarning, match=WORDS):
        provider = make_provider(*plugins)
    assert provider.hooks.ask(TEMPERATURE) == 100


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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_room_says_of_its_hook_what_core_says_of_its_own():
    provider = make_provider(Kettle(), Hot())
    said = HookFacts(kind=HookKind.SLOT, hook_class=HookClass.OBSERVES, setting="KETTLE", retired=WORDS)
    assert provider.plugins.facts("portula_kettle_temperature") == said
    assert provider.plugins.powers("Hot") == {"portula_kettle_temperature": said}


def test_an_empty_slot_of_a_room_says_so():
    provider = make_provider(Kettle())
    assert provider.hooks.ruling(TEMPERATURE).winner is None
    with pytest.raises(
        EmptySlot, match="slot 'kettle_temperature': nothing answers; install a plugin that does"
    ):
        provider.hooks.ask(TEMPERATURE)


def test_a_hook_that_nobody_declares_cannot_be_called():
    with pytest.raises(
        TypeError, match="portula_kettle_temperature is declared by no plugin that takes part"
    ):
        make_provider().hooks.ask(TEMPERATURE)


class BadHot:
    @hookimpl
    def portula_kettle_temperature(self, provider: int) -> int:
        return 100


class Lukewarm:
    @hookimpl
    def portula_kettle_temperature(self, provider):
        return "lukewarm"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (
            BadHot,
            "plugin 'BadHot': portula_kettle_temperature annotates 'provider' as int; the hook gives Provider",
        ),
        (
            Lukewarm,
            "plugin 'Lukewarm': portula_kettle_temperature answers a str; an instance of int is needed",
        ),
    ],
)
def test_an_implementation_is_held_to_a_declaration_that_comes_later(plugin, words):
    with pytest.raises(BrokenPlugin) as caught:
        make_provider(plugin(), Kettle())
    assert str(caught.value) == words


def declaring(*classes):
    class Declaring(Plugin):
        def portula_declarations(self, provider):
            return classes

    return Declaring()


class Again(HookDeclarations):
    @slot(HookClass.OBSERVES)
    def portula_login(self, provider: Provider) -> int | None:
        """Declare what core declares."""


class Unprefixed(HookDeclarations):
    @event()
    def kettle_boiled(self, kettle: int) -> None:
        """Lack the prefix."""


class Wide(HookDeclarations):
    @contribution(HookClass.OBSERVES)
    def portula_kettles(self, provider: Provider, kitchen: str) -> list[int]:
        """Take two values."""
        return []


class Unreadable(HookDeclarations):
    @slot(HookClass.OBSERVES)
    def portula_kettle(self, provider: Provider) -> "Kettles | None":  # noqa: F821 - that is the point
        """Name what is not there."""


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (Again, "portula_login is declared already, in portula.flow.service_hooks"),
        (Unprefixed, "the hook kettle_boiled needs a name that begins with portula_"),
        (Wide, "portula_kettles takes provider, kitchen; every hook takes one value"),
        (
            Unreadable,
            "the annotations of portula_kettle cannot be read at run time: name 'Kettles' is not defined",
        ),
        (
            int,
            "portula_declarations answers as entry 1 the class int; a subclass of HookDeclarations is needed",
        ),
    ],
)
def test_a_wrong_declaration_stops_the_start(cls, words):
    with pytest.raises(BrokenPlugin) as caught:
        make_provider(declaring(cls))
    assert str(caught.value) == f"plugin 'Declaring': {words}"


def test_a_class_of_declarations_may_be_contributed_twice():
    class Mine(HookDeclarations):
        @slot(HookClass.OBSERVES)
        def portula_kettle(self, provider: Provider) -> str | None:
            """Answer the slot of the kettle."""

    class Both(Plugin, Mine):
        """Derives from core's declarations too, which are known."""

        def portula_declarations(self, provider):
            return [Mine, type(self)]

        def portula_kettle(self, provider):
            return "whistling"

    provider = make_provider(Both())
    assert provider.hooks.ask(Mine.portula_kettle) == "whistling"


def test_an_implementation_that_is_decorated_as_a_declaration_is_refused():
    class Shop(Plugin):
        @veto(HookClass.DECIDES)
        def portula_validate_token_request(self, exchange):
            raise ZeroDivisionError

    with pytest.raises(BrokenPlugin) as caught:
        make_provider(Shop())
    assert str(caught.value) == (
        "plugin 'Shop': portula_validate_token_request has the decorator of a declaration; "
        "an implementation has none, remove it"
    )
