"""`portula import-dot` knows the settings of devices that django-oauth-toolkit has."""

import json

import pytest
from click.testing import CliRunner

from portula import Plugin
from portula_testing.provider import make_provider

GIVEN = {
    "OAUTH_DEVICE_VERIFICATION_URI": "https://id.example/o/device",
    "OAUTH_DEVICE_USER_CODE_GENERATOR": "oauth2_provider.utils.user_code_generator",
    "DEVICE_FLOW_INTERVAL": 10,
    "DEVICE_GRANT_MODEL": "oauth2_provider.DeviceGrant",
    "OAUTH_PRE_TOKEN_VALIDATION": ["oauth2_provider.utils.set_oauthlib_user_to_device_request_user"],
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    path = tmp_path_factory.mktemp("import") / "settings.py"
    path.write_text(f"OAUTH2_PROVIDER = {GIVEN!r}\n")
    provider = make_provider(discover=True)
    (command,) = [one for one in provider.hooks.collect(Plugin.portula_commands) if one.name == "import-dot"]
    with provider.app.app_context():
        done = CliRunner().invoke(command, [str(path), "--json"])
    assert done.exit_code == 0, done.output
    return {one["name"]: one for one in json.loads(done.stdout)["settings"]}


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("OAUTH_DEVICE_VERIFICATION_URI", "kept"),
        ("OAUTH_DEVICE_USER_CODE_GENERATOR", "our default"),
        ("DEVICE_FLOW_INTERVAL", "kept"),
        ("DEVICE_GRANT_MODEL", "our default"),
        ("OAUTH_PRE_TOKEN_VALIDATION", "kept"),
    ],
)
def test_each_setting_becomes_something(judged, name, outcome):
    assert judged[name]["outcome"] == outcome


def test_what_is_different_here_is_said(judged):
    assert "tells it nothing" in judged["DEVICE_FLOW_INTERVAL"]["text"]
