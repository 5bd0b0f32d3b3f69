"""A default that is shown is the value in force: writing it changes nothing, and an explicit False wins."""

import json

import pytest
from click.testing import CliRunner
from security.driving import answered
from security.house import House
from support.checks import findings_of

from portula.cli.main import main
from portula_oauth2.settings import OAuth2Settings
from portula_oidc.settings import OIDCSettings

NAMES = [
    (OAuth2Settings, "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED"),
    (OAuth2Settings, "OIDC_RESPONSE_TYPES_SUPPORTED"),
    (OAuth2Settings, "IMPLICIT_GRANT_ENABLED"),
    (OAuth2Settings, "PKCE_REQUIRED"),
    (OAuth2Settings, "IGNORE_UNKNOWN_SCOPES"),
    (OIDCSettings, "OIDC_SUBJECT_TYPES_SUPPORTED"),
    (OIDCSettings, "ID_TOKEN_WITH_SCOPE_CLAIMS"),
]
METADATA = "/o/.well-known/openid-configuration"
BY_KEY = {
    "token_endpoint_auth_method": "private_key_jwt",
    "metadata": {"jwks_uri": "https://client.example/keys"},
}


def told(house):
    """Return the metadata, and how clients of each kind fare."""
    public = house.public_client()
    code, verifier = house.browser().code(public)
    keyed = house.client(**BY_KEY)
    assertion = {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
    return (
        house.door().open(METADATA).json,
        house.door().redeem(public, code, verifier).status_code,
        house.door()
        .token(grant_type="client_credentials", client_assertion="x.y.z", **assertion)
        .json["error"],
        house.find(keyed).token_endpoint_auth_method,
    )


@pytest.fixture(scope="module")
def plain():
    return told(House(OIDC_ENABLED=True))


@pytest.mark.parametrize(("model", "name"), NAMES, ids=lambda value: value if isinstance(value, str) else "")
def test_writing_the_shown_default_changes_nothing(plain, model, name):
    assert told(House(OIDC_ENABLED=True, **{name: model.model_fields[name].default})) == plain


@pytest.mark.parametrize("listed", [["code", "token"], ["token", "id_token token", "id_token"]])
def test_an_explicit_false_wins_over_a_list(listed):
    house = House(OIDC_ENABLED=True, IMPLICIT_GRANT_ENABLED=False, OIDC_RESPONSE_TYPES_SUPPORTED=listed)
    types = house.door().open(METADATA).json["response_types_supported"]
    assert not any("token" in name.split() for name in types)
    answer = house.browser().ask(house.client(), response_type="token")
    assert answered(answer)["error"] == "unsupported_response_type"


@pytest.mark.parametrize(
    ("kinds", "subject_type", "named"),
    [
        (["public"], "pairwise", True),
        (["public"], "public", False),
        (["pairwise"], "", True),
        (["public", "pairwise"], "pairwise", False),
    ],
)
def test_check_names_clients_whose_subject_type_a_list_excludes(tmp_path, kinds, subject_type, named):
    findings_of("oidc", tmp_path)
    metadata = {"subject_type": subject_type} if subject_type else {}
    words = ["createapplication", "confidential", "authorization-code", "--client-id", "tea"]
    words += ["--redirect-uris", "https://tea.example/cb", "--metadata", json.dumps(metadata)]
    made = CliRunner().invoke(main, ["--data-dir", str(tmp_path / "data"), "--no-plugins", *words])
    assert made.exit_code == 0, made.output
    rows, _ = findings_of("oidc", tmp_path, OIDC_SUBJECT_TYPES_SUPPORTED=kinds)
    found = rows.get("oidc.client-subject-types")
    assert (found is not None) is named
    assert found is None or ("tea" in found["summary"] and found["level"] == "warning")
