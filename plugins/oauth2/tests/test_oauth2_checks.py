"""What `portula check` says of settings that are less strict than RFC 9700."""

from functools import partial

import pytest
from click.testing import CliRunner
from support.checks import findings_of

from portula.cli import main as cli


@pytest.fixture
def found(tmp_path):
    return partial(findings_of, "oauth2", tmp_path)


@pytest.mark.parametrize(
    ("finding", "settings", "section"),
    [
        ("oauth2.pkce", {"PKCE_REQUIRED": False}, "RFC 9700 §2.1.1"),
        ("oauth2.pkce", {"PKCE_REQUIRED": "public"}, "RFC 9700 §2.1.1"),
        ("oauth2.pkce-plain", {"CODE_CHALLENGE_METHODS": ["S256", "plain"]}, "RFC 9700 §2.1.1"),
        ("oauth2.password-grant", {"PASSWORD_GRANT_ENABLED": True}, "RFC 9700 §2.4"),
        ("oauth2.code-lifetime", {"AUTHORIZATION_CODE_EXPIRE_SECONDS": 61}, "RFC 6749 §4.1.2, RFC 9700 §4.5"),
        ("oauth2.access-token-lifetime", {"ACCESS_TOKEN_EXPIRE_SECONDS": 86400}, "RFC 9700 §2.2.1, §4.10"),
    ],
)
def test_a_less_strict_setting_is_found_with_section_and_remedy(found, finding, settings, section):
    assert finding not in found()[0]
    rows, status = found(**settings)
    assert (rows[finding]["level"], rows[finding]["reference"], status) == ("warning", section, 0)
    assert rows[finding]["remedy"].endswith(".")


@pytest.mark.parametrize(
    ("finding", "worse", "better"),
    [
        ("oauth2.refresh-rotation", {"ROTATE_REFRESH_TOKEN": False}, {}),
        ("oauth2.refresh-grace", {"REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0}, {}),
        ("oauth2.pkce", {"PKCE_REQUIRED": "or_nonce"}, {}),
        ("oauth2.refresh-token-lifetime", {}, {"REFRESH_TOKEN_EXPIRE_SECONDS": 86400}),
    ],
)
def test_what_is_good_to_know_is_told_and_no_warning(found, finding, worse, better):
    assert found(**worse)[0][finding]["level"] == "info"
    assert finding not in found(**better)[0]


def test_the_defaults_bring_no_warning(found):
    rows, status = found()
    assert ({row["level"] for row in rows.values()}, status) == ({"info"}, 0)


AUTH = "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED"
TYPES = "OIDC_RESPONSE_TYPES_SUPPORTED"


@pytest.mark.parametrize(
    ("kind", "grant", "settings", "finding"),
    [
        (
            "public",
            "authorization-code",
            {AUTH: ["client_secret_post", "client_secret_basic"]},
            "auth-methods",
        ),
        ("confidential", "client-credentials", {AUTH: ["none"]}, "auth-methods"),
        ("public", "authorization-code", {TYPES: ["id_token"]}, "response-types"),
        ("public", "implicit", {TYPES: ["code"]}, "response-types"),
        ("public", "implicit", {TYPES: ["code", "token"]}, "response-types"),
    ],
)
def test_clients_that_a_list_shuts_out_are_named(found, tmp_path, kind, grant, settings, finding):
    found()
    made = [
        "createapplication",
        kind,
        grant,
        "--client-id",
        "tea",
        "--redirect-uris",
        "https://tea.example/cb",
    ]
    config = tmp_path / "clients.py"
    config.write_text("OAUTH2_PROVIDER = {'IMPLICIT_GRANT_ENABLED': True}\n")
    options = ["--data-dir", str(tmp_path / "data"), "--config", str(config)]
    CliRunner().invoke(cli.main, [*options, *made], catch_exceptions=False)
    assert f"oauth2.client-{finding}" not in found()[0]
    row = found(**settings)[0][f"oauth2.client-{finding}"]
    assert (row["level"], "tea" in row["summary"]) == ("warning", True)
