"""What the room tells of itself and takes from a configuration: settings, slot, hook, checks, steps."""

import pytest
from security.driving import error_of
from support.devices import asked, begun, television, typed

from portula import Plugin, hookimpl
from portula.errors import ConfigError
from portula_testing.provider import make_provider

DEFAULTS = {
    "OAUTH_DEVICE_VERIFICATION_URI": None,
    "OAUTH_DEVICE_VERIFICATION_URI_COMPLETE": None,
    "OAUTH_DEVICE_USER_CODE_GENERATOR": "oauth2_provider.utils.user_code_generator",
    "OAUTH_PRE_TOKEN_VALIDATION": None,
    "DEVICE_FLOW_INTERVAL": 5,
    "DEVICE_GRANT_MODEL": "oauth2_provider.DeviceGrant",
}


def test_settings_have_the_names_and_defaults_of_django_oauth_toolkit(world):
    values = world.provider.all_settings
    assert {name: values.value(name) for name in DEFAULTS} == DEFAULTS


def test_addresses_may_be_others(make_world):
    short = "https://tea.example/tv"
    world = make_world(OAUTH_DEVICE_VERIFICATION_URI=short)
    told = begun(world, television(world))
    assert told["verification_uri"] == short
    assert "verification_uri_complete" not in told
    world = make_world(
        OAUTH_DEVICE_VERIFICATION_URI=short,
        OAUTH_DEVICE_VERIFICATION_URI_COMPLETE=lambda code: f"{short}/{code}",
    )
    told = begun(world, television(world))
    assert told["verification_uri_complete"] == f"{short}/{told['user_code']}"
    world = make_world(OAUTH_DEVICE_VERIFICATION_URI_COMPLETE=f"{short}/code")
    assert begun(world, television(world))["verification_uri_complete"] == f"{short}/code"
    world = make_world(OAUTH_DEVICE_VERIFICATION_URI_COMPLETE=lambda _: None)
    assert error_of(asked(world, television(world))) == "server_error"


def test_intervals_and_lives_may_be_others(make_world):
    world = make_world(DEVICE_FLOW_INTERVAL=7, DEVICE_CODE_EXPIRE_SECONDS=90)
    told = begun(world, television(world))
    assert (told["interval"], told["expires_in"]) == (7, 90)


@pytest.mark.parametrize(
    "settings",
    [
        {"OAUTH_DEVICE_VERIFICATION_URI": "/o/device/"},
        {"OAUTH_DEVICE_VERIFICATION_URI_COMPLETE": 1},
        {"OAUTH_DEVICE_USER_CODE_GENERATOR": "os.path"},
        {"DEVICE_FLOW_INTERVAL": 0},
        {"DEVICE_CODE_EXPIRE_SECONDS": 10_000},
        {"DEVICE_USER_CODE_ATTEMPTS": 0},
    ],
    ids=str,
)
def test_settings_that_are_wrong_stop_the_start(make_world, settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        make_world(**settings)


def digits():
    return "12-34-56"


def test_codes_may_be_of_another_form(make_world):
    world = make_world(OAUTH_DEVICE_USER_CODE_GENERATOR=f"{__name__}.digits")
    party, browser = television(world), world.browser()
    assert begun(world, party)["user_code"] == "12-34-56"
    browser.sign_in()
    assert "consent-allow" in typed(browser, "123456").text

    class Slot:
        @hookimpl
        def portula_device_user_code_generator(self, provider):
            return lambda: "WORD"

    world = make_world(Slot(), PLUGINS_CHOICE={"device_user_code_generator": "Slot"})
    assert begun(world, television(world))["user_code"] == "WORD"


def test_codes_that_are_always_the_same_refuse_the_second_device(make_world):
    world = make_world(OAUTH_DEVICE_USER_CODE_GENERATOR=digits)
    party = television(world)
    begun(world, party)
    assert error_of(asked(world, party), 503) == "temporarily_unavailable"


def test_settings_without_effect_are_named():
    provider = make_provider(
        discover=True,
        settings={"DEVICE_GRANT_MODEL": "shop.Grant", "OAUTH_PRE_TOKEN_VALIDATION": ["shop.rule"]},
    )
    found = [one for one in provider.hooks.collect(Plugin.portula_checks) if one.id == "device.no-effect"]
    assert [one.summary.split()[0] for one in found] == ["DEVICE_GRANT_MODEL", "OAUTH_PRE_TOKEN_VALIDATION"]


def test_its_steps_are_shown(world):
    names = [step.name for step in world.provider.step_lists["device_authorization"]]
    own = ["client_grant_type", "parameters", "scope", "code_challenge", "vetoes", "quota", "write"]
    assert names == ["read", "client", *own, "apply"]


def test_without_the_room_nothing_of_it_is_left(make_world):
    provider = make_provider(discover=True, settings={"PLUGINS_BLOCKED": ["device"]})
    door = provider.app.test_client()
    assert door.post("/o/device_authorization/").status_code == 404
    assert door.get("/o/device/").status_code == 404
    assert "device_authorization_endpoint" not in provider.metadata_document


def test_the_hook_on_risk_decides(world):
    facts = world.provider.plugins.facts("portula_assess_device")
    assert (facts.kind.value, facts.hook_class.value) == ("requirement", "decides")
