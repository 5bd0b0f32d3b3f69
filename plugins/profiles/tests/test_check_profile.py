"""`portula check --profile` says what is missing, for the server and for each client, in force or not."""

import json

import pytest
from click.testing import CliRunner
from support.data_folder import initialised

from portula.cli.main import main
from portula_testing import jws

CLIENT = [
    "createapplication",
    "confidential",
    "authorization-code",
    "--redirect-uris",
    "https://tea.example/cb",
]


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a command under some settings."""

    def run(*command, **settings):
        (tmp_path / "config.py").write_text(f"OAUTH2_PROVIDER = {settings!r}\n")
        folder = initialised(tmp_path / "data")
        options = ["--data-dir", str(folder), "--config", str(tmp_path / "config.py"), "--no-plugins"]
        return CliRunner().invoke(main, [*options, *command])

    return run


def by_key(**members):
    document = {
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": jws.TokenKey("ES256").jwks,
        **members,
    }
    return ["--metadata", json.dumps(document)]


def test_nothing_is_missing(run):
    made = run(*CLIENT, *by_key(), PROFILE="fapi2")
    assert made.exit_code == 0, made.output
    done = run("check", "--profile", "fapi2", PROFILE="fapi2")
    assert (done.exit_code, done.output) == (0, "Nothing is missing for the profile fapi2.\n")


def test_what_is_missing_of_server_and_clients(run):
    assert run(*CLIENT, "--client-id", "tea", "--no-require-pkce").exit_code == 0
    assert run(*CLIENT, "--client-id", "safe", *by_key()).exit_code == 0
    done = run("check", "--profile", "fapi2", PKCE_REQUIRED="public", PAR_ENABLED=False)
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert len(lines) == 5
    starts = [
        "server: PROFILE: None is not allowed; allowed: 'fapi2'",
        "server: PROFILE: fapi2 without pushed authorization requests (RFC 9126) is not allowed; allowed: with ",
        "server: PKCE_REQUIRED: 'public' is not allowed; allowed: True",
        "client tea: require_pkce: False is not allowed; allowed: true, or left out",
        "client tea: token_endpoint_auth_method: None is not allowed; allowed: private_key_jwt, ",
    ]
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True)), lines


def test_json(run):
    assert run(*CLIENT, "--client-id", "tea").exit_code == 0
    done = run("check", "--profile", "fapi2", "--json", PROFILE="fapi2")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == [
        {
            "client_id": "tea",
            "field": "token_endpoint_auth_method",
            "value": "None",
            "allowed": "private_key_jwt, tls_client_auth, self_signed_tls_client_auth",
        }
    ]


def test_a_profile_that_nobody_knows(run):
    done = run("check", "--profile", "fapi")
    assert done.exit_code == 1
    assert "no installed plugin has the profile 'fapi'" in done.output
    assert "fapi2" in done.output


def test_a_registration_below_it_names_the_member(run):
    done = run(*CLIENT, PROFILE="fapi2")
    assert done.exit_code == 1
    assert "token_endpoint_auth_method: None is not allowed" in done.output


def test_settings_show_where_they_come_from(run):
    rows = {row["name"]: row for row in json.loads(run("settings", "--json", PROFILE="fapi2").stdout)}
    assert rows["PROFILE"]["source"] == "configured"
    assert rows["ROTATE_REFRESH_TOKEN"]["value"] == rows["ROTATE_REFRESH_TOKEN"]["default"] == "False"
    assert rows["ROTATE_REFRESH_TOKEN"]["source"] == "profile fapi2"
    assert rows["SIGNING_ALGORITHMS"]["value"] == "('PS256', 'ES256', 'EdDSA')"


RESOURCES = {"https://id.example/mcp": {}}
MCP = {"PROFILE": "mcp", "PROTECTED_RESOURCES": RESOURCES, "OIDC_ISS_ENDPOINT": "https://id.example/o"}


def test_nothing_is_missing_for_mcp(run):
    assert run("createapplication", "public", *CLIENT[2:], **MCP).exit_code == 0
    done = run("check", "--profile", "mcp", **MCP)
    assert (done.exit_code, done.output) == (0, "Nothing is missing for the profile mcp.\n")


def test_what_is_missing_for_mcp(run):
    trusted = [*CLIENT, "--client-id", "tea", "--skip-authorization", "--no-require-pkce"]
    assert run(*trusted).exit_code == 0
    below = {
        "CIMD_ENABLED": False,
        "ACCESS_TOKEN_EXPIRE_SECONDS": 36000,
        "REQUEST_APPROVAL_PROMPT": "auto",
        "CODE_CHALLENGE_METHODS": ["S256", "plain"],
    }
    done = run("check", "--profile", "mcp", "--json", **below)
    assert done.exit_code == 1
    found = {(row["client_id"], row["field"]): row["value"] for row in json.loads(done.stdout)}
    lacks = [value for (client, field), value in found.items() if (client, field) == (None, "PROFILE")]
    assert lacks, found
    assert {
        *((None, name) for name in below),
        ("tea", "require_pkce"),
        ("tea", "skip_authorization"),
    } <= found.keys()
    words = done.stdout
    for need in ("tokens for single servers (RFC 8707)", "clients that are known by a document"):
        assert f"mcp without {need}" in words


def test_a_server_is_missing_one_thing_at_a_time(run):
    for name, value in {"PROTECTED_RESOURCES": {}, "CIMD_ENABLED": False}.items():
        done = run("check", "--profile", "mcp", **{**MCP, "PROFILE": None, name: value})
        lines = done.output.splitlines()
        assert done.exit_code == 1
        assert lines[0].startswith("server: PROFILE: None is not allowed; allowed: 'mcp'")
        assert any("mcp without" in line for line in lines[1:])
