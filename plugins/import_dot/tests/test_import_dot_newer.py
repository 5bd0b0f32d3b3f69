"""Settings of django-oauth-toolkit after 3.4: what each becomes beside all rooms."""

import re

import pytest
from click.testing import CliRunner

from portula.cli.main import main
from portula_import_dot.judging import judge
from portula_import_dot.no_counterpart import BY_PREFIX, GONE
from portula_import_dot.reading import GivenSetting
from portula_testing.provider import installed_rooms, make_provider

NEWER = [
    "OAUTH_DEVICE_VERIFICATION_URI",
    "OAUTH_DEVICE_VERIFICATION_URI_COMPLETE",
    "OAUTH_DEVICE_USER_CODE_GENERATOR",
    "OAUTH_PRE_TOKEN_VALIDATION",
    "DEVICE_FLOW_INTERVAL",
    "DEVICE_GRANT_MODEL",
    "STORED_AUTHORIZATION_REQUEST_MODEL",
    "PAR_REQUEST_MODEL",
    "OIDC_REQUEST_OBJECTS_ENABLED",
    "OIDC_REQUEST_OBJECT_SIGNING_ALGS",
    "OIDC_REQUEST_OBJECT_STORE_LIFETIME_SECONDS",
    "OIDC_REQUEST_URI_FETCHER",
    "OIDC_REQUEST_URI_FETCH_TIMEOUT_SECONDS",
    "OIDC_REQUEST_URI_MAX_SIZE",
    "OIDC_REQUEST_URI_MAX_CONCURRENT_FETCHES",
    "OIDC_REQUEST_URI_FAILURE_BACKOFF_SECONDS",
    "PAR_ENABLED",
    "PAR_REQUEST_URI_LIFETIME_SECONDS",
    "REQUIRE_PUSHED_AUTHORIZATION_REQUESTS",
    "CIMD_ENABLED",
    "CIMD_ALLOWED_HOSTS",
    "CIMD_METADATA_FETCHER",
    "CIMD_REGISTRATION_PERMISSION_CLASSES",
    "CIMD_FETCH_TIMEOUT_SECONDS",
    "CIMD_MAX_DOCUMENT_SIZE",
    "CIMD_METADATA_MIN_AGE_SECONDS",
    "CIMD_METADATA_MAX_AGE_SECONDS",
    "CIMD_FAILURE_BACKOFF_SECONDS",
    "CIMD_MAX_CONCURRENT_FETCHES",
    "DCR_ENABLED",
    "DCR_REGISTRATION_PERMISSION_CLASSES",
    "DCR_REGISTRATION_SCOPE",
    "DCR_REGISTRATION_TOKEN_EXPIRE_SECONDS",
    "DCR_ROTATE_REGISTRATION_TOKEN_ON_UPDATE",
    "CLIENT_ASSERTION_LEEWAY",
    "CLIENT_ASSERTION_MAX_LIFETIME",
    "CLIENT_ASSERTION_ACCEPTED_AUDIENCES",
    "CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS",
    "CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS",
    "CLIENT_ASSERTION_JWKS_FETCHER",
    "CLIENT_ASSERTION_JWKS_CACHE_TIMEOUT",
    "CLIENT_ASSERTION_JWKS_FETCH_TIMEOUT_SECONDS",
    "CLIENT_ASSERTION_JWKS_MAX_SIZE",
    "CLIENT_ASSERTION_JWKS_FAILURE_BACKOFF_SECONDS",
    "CLIENT_ASSERTION_JWKS_REFETCH_INTERVAL_SECONDS",
    "RESOURCE_SERVER_TOKEN_RESOURCE_VALIDATOR",
    "RESOURCE_SERVER_INTROSPECTION_JWT_CLIENT_ID",
    "RESOURCE_SERVER_INTROSPECTION_JWT_PRIVATE_KEY",
    "RESOURCE_SERVER_INTROSPECTION_JWT_ALG",
    "RESOURCE_SERVER_INTROSPECTION_JWT_AUDIENCE",
    "RESOURCE_SERVER_INTROSPECTION_JWT_KID",
    "RESOURCE_SERVER_INTROSPECTION_JWT_LIFETIME",
    "RESOURCE_SERVER_INTROSPECTION_TIMEOUT_SECONDS",
    "OAUTH2_PROTECTED_RESOURCE_IDENTIFIER",
    "OAUTH2_PROTECTED_RESOURCE_AUTHORIZATION_SERVERS",
    "OAUTH2_PROTECTED_RESOURCE_BEARER_METHODS_SUPPORTED",
    "OAUTH2_PROTECTED_RESOURCE_NAME",
    "OAUTH2_PROTECTED_RESOURCE_DOCUMENTATION",
    "OAUTH2_PROTECTED_RESOURCE_POLICY_URI",
    "OAUTH2_PROTECTED_RESOURCE_TOS_URI",
    "OAUTH2_RESPONSE_TYPES_SUPPORTED",
    "OAUTH2_GRANT_TYPES_SUPPORTED",
    "OAUTH2_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED",
    "REQUIRE_FORM_ENCODED_REQUEST_BODY",
    "REFRESH_TOKEN_REUSE_PROTECTION",
    "ALLOW_LOCALHOST_LOOPBACK",
    "ALLOW_URI_WILDCARDS",
    "OIDC_USERINFO_JWT_EXPIRE_SECONDS",
    "OIDC_COMPLIANT_SCOPE_CLAIMS",
    "OIDC_ACR_VALUES_SUPPORTED",
    "OIDC_BACKCHANNEL_LOGOUT_ENABLED",
    "OIDC_BACKCHANNEL_LOGOUT_HANDLER",
    "JWT_BEARER_GRANT_ENABLED",
    "JWT_BEARER_TRUSTED_ISSUERS",
    "JWT_BEARER_SUBJECT_RESOLVER",
    "JWT_BEARER_AUDIENCES",
    "JWT_BEARER_REQUIRE_JTI",
    "JWT_BEARER_ISSUE_REFRESH_TOKENS",
    "JWT_BEARER_ALLOW_PRIVILEGED_SUBJECTS",
    "JWT_BEARER_MAX_ASSERTION_LIFETIME_SECONDS",
]


@pytest.fixture(scope="module")
def declared():
    provider = make_provider(*installed_rooms())
    return {setting.name for setting in provider.all_settings.declarations()}


@pytest.mark.parametrize("name", NEWER)
def test_each_is_a_setting_here_or_it_is_said_what_does_its_work(declared, name):
    assert (name in declared) != (name in GONE)


def test_what_is_said_names_settings_that_there_are(declared):
    named = {word for text in GONE.values() for word in re.findall(r"\b[A-Z][A-Z0-9_]{6,}\b", text)}
    assert named <= declared


def test_what_is_said_names_commands_that_there_are():
    for words in re.findall(r"`portula ([\w -]+)`", " ".join([*GONE.values(), *BY_PREFIX.values()])):
        assert CliRunner().invoke(main, [*words.split(), "--help"]).exit_code == 0, words


@pytest.mark.parametrize(
    ("name", "value", "outcome"),
    [
        ("CLIENT_ASSERTION_ACCEPTED_AUDIENCES", None, "our default"),
        ("CLIENT_ASSERTION_ACCEPTED_AUDIENCES", ["issuer"], "kept"),
        ("CLIENT_ASSERTION_ACCEPTED_AUDIENCES", [], "your hand"),
        (
            "CIMD_REGISTRATION_PERMISSION_CLASSES",
            ("oauth2_provider.cimd.AllowAllCIMDPermission",),
            "our default",
        ),
        (
            "CIMD_REGISTRATION_PERMISSION_CLASSES",
            [
                "oauth2_provider.cimd.HostAllowlistCIMDPermission",
                "oauth2_provider.cimd.AllowAllCIMDPermission",
            ],
            "our default",
        ),
        ("CIMD_REGISTRATION_PERMISSION_CLASSES", [], "kept"),
        ("CIMD_REGISTRATION_PERMISSION_CLASSES", None, "your hand"),
        (
            "CIMD_REGISTRATION_PERMISSION_CLASSES",
            ["oauth2_provider.cimd.AllowAllCIMDPermission", "mysite.Partners"],
            "your hand",
        ),
    ],
)
def test_their_defaults_are_known_and_what_is_stricter_is_not_loosened(name, value, outcome):
    (verdict,) = judge(make_provider(*installed_rooms()), [GivenSetting(name, 1, value)])
    assert verdict.outcome.value == outcome
    assert verdict.text
