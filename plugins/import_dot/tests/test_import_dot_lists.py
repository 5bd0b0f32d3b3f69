"""What a list excludes here, and what django-oauth-toolkit does without a setting, is said and written."""

import json

import pytest
from click.testing import CliRunner

from portula import Plugin
from portula_testing.provider import make_provider

ROOMS = (
    "import_dot",
    "oauth2",
    "generators",
    "scopes_settings",
    "consent",
    "oidc",
    "jose",
    "client_assertion",
    "fetch",
)


@pytest.fixture(scope="module")
def provider():
    return make_provider(*ROOMS, settings={"OIDC_ENABLED": True})


@pytest.fixture
def judged(provider, tmp_path):
    def judge(dictionary, *options):
        path = tmp_path / "settings.py"
        path.write_text(f"OAUTH2_PROVIDER = {dictionary!r}\n")
        (command,) = [
            found for found in provider.hooks.collect(Plugin.portula_commands) if found.name == "import-dot"
        ]
        with provider.app.app_context():
            done = CliRunner().invoke(command, [str(path), "--json", *options])
        assert done.exit_code == 0, done.output
        return {one["name"]: one for one in json.loads(done.stdout)["settings"]}

    return judge


@pytest.mark.parametrize(
    ("name", "value", "excluded", "taken"),
    [
        (
            "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED",
            ["client_secret_post", "client_secret_basic"],
            ["'none'", "'private_key_jwt'", "'client_secret_jwt'"],
            "'client_secret_post'",
        ),
        ("OIDC_RESPONSE_TYPES_SUPPORTED", ["code"], ["'id_token'", "'code id_token'"], "'code',"),
        ("OIDC_SUBJECT_TYPES_SUPPORTED", ["public"], ["'pairwise'"], "'public'"),
    ],
)
def test_what_a_list_excludes_is_named(judged, name, value, excluded, taken):
    text = judged({name: value})[name]["text"]
    left_out = text.partition("Excluded: ")[2]
    assert all(one in left_out for one in excluded)
    assert taken not in left_out


def test_a_list_that_excludes_nothing_is_said_to_exclude_nothing(judged):
    name = "OIDC_SUBJECT_TYPES_SUPPORTED"
    assert "Excluded" not in judged({name: ["public", "pairwise"]})[name]["text"]


@pytest.mark.parametrize("said", [{"OIDC_ENABLED": True}, {"OIDC_RSA_PRIVATE_KEY": "the key"}])
def test_claims_of_scopes_in_id_tokens_are_written_for_who_speaks_openid_connect(judged, tmp_path, said):
    target = tmp_path / "out.py"
    verdict = judged(said, "--write", str(target))["ID_TOKEN_WITH_SCOPE_CLAIMS"]
    assert (verdict["outcome"], verdict["value"], verdict["line"]) == ("kept", "True", None)
    assert "django-oauth-toolkit always has them" in verdict["text"]
    assert "'ID_TOKEN_WITH_SCOPE_CLAIMS': True," in target.read_text()


@pytest.mark.parametrize("said", [{}, {"OIDC_ENABLED": False}, {"PKCE_REQUIRED": False}])
def test_for_others_nothing_is_written(judged, said):
    assert "ID_TOKEN_WITH_SCOPE_CLAIMS" not in judged(said)


def test_what_the_file_says_itself_counts(judged):
    told = judged({"OIDC_ENABLED": True, "ID_TOKEN_WITH_SCOPE_CLAIMS": False})
    assert told["ID_TOKEN_WITH_SCOPE_CLAIMS"]["value"] == "False"
