"""Every floor: a setting below it stops the start, a registration below it is refused, by all ways."""

import json

import pytest
from security.house import House
from support.high_security import register

from portula.errors import ConfigError, InvalidClientMetadata
from portula_profiles.fapi2 import FAPI2, FAPI2_MESSAGE_SIGNING
from portula_profiles.fapi_ciba import FAPI_CIBA
from portula_profiles.mcp import MCP
from portula_profiles.oauth21 import OAUTH21
from portula_testing import jws

SECURITY = {
    "REQUIRE_PUSHED_AUTHORIZATION_REQUESTS": [False],
    "PAR_REDIRECT_URI_REQUIRED": [False],
    "PAR_REQUEST_URI_LIFETIME_SECONDS": [600],
    "OIDC_RESPONSE_TYPES_SUPPORTED": [["code", "id_token"], ["code", "code id_token"], ["id_token"]],
    "IMPLICIT_GRANT_ENABLED": [True],
    "PASSWORD_GRANT_ENABLED": [True],
    "PKCE_REQUIRED": [False, "public", "or_nonce", lambda client_id: True],
    "CODE_CHALLENGE_METHODS": [["plain"], ["S256", "plain"]],
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": [61, lambda request: 10],
    "ROTATE_REFRESH_TOKEN": [True, lambda request: False],
    "TOKENS_IN_FORMS": [True],
    "SENDER_CONSTRAINED_TOKENS_REQUIRED": [False],
    "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": [["client_secret_basic"], ["private_key_jwt", "none"]],
    "CLIENT_ASSERTION_PRIVATE_KEY_JWT_ALGS": [["RS256"], ["PS256", "ES384"]],
    "CLIENT_ASSERTION_CLIENT_SECRET_JWT_ALGS": [["HS256"]],
    "CLIENT_ASSERTION_ACCEPTED_AUDIENCES": [["issuer", "token_endpoint"], ["endpoint"]],
    "CLIENT_ASSERTION_AUDIENCE_LISTS": [True],
    "CLIENT_ASSERTION_LEEWAY": [9, 61],
    "DPOP_CLOCK_SKEW_SECONDS": [9, 61],
    "JWT_BEARER_CLOCK_SKEW_SECONDS": [9],
    "DPOP_SIGNING_ALGS": [["RS256"], ["ES256", "ES512"]],
    "REQUEST_OBJECT_SIGNING_ALGS": [["RS256"], ["HS256", "PS256"]],
    "CIBA_REQUEST_SIGNING_ALGS": [["RS256"], ["PS256", "ES384"]],
    "JWT_BEARER_ALGORITHMS": [["RS256"], ["ES384", "PS256"]],
    "RESOURCE_SERVER_JWT_ALGS": [["RS256"], ["PS256", "ES384"]],
    "UNSIGNED_REQUEST_OBJECTS_ALLOWED": [True],
    "SIGNING_ALGORITHMS": [["RS256"], ["RS256", "PS256"], ["ES384"]],
    "SIGNING_WITH_CLIENT_SECRETS": [True],
}
MESSAGES = {
    **SECURITY,
    "REQUIRE_SIGNED_REQUEST_OBJECT": [False],
    "REQUEST_OBJECT_REQUIRED_CLAIMS": [[], ["aud", "exp"]],
    "REQUEST_OBJECT_MAX_LIFETIME_SECONDS": [3601, None],
    "RESPONSE_MODES_SUPPORTED": [None, ["query"], ["jwt", "form_post"]],
    "JWT_INTROSPECTION_REQUIRED": [False],
}
MODERN = {
    "PKCE_REQUIRED": [False, "public", "or_nonce"],
    "CODE_CHALLENGE_METHODS": [["plain", "S256"]],
    "TOKEN_REQUEST_REDIRECT_URI_REQUIRED": [True],
    "IMPLICIT_GRANT_ENABLED": [True],
    "PASSWORD_GRANT_ENABLED": [True],
    "OIDC_RESPONSE_TYPES_SUPPORTED": [["code", "code token"], None],
    "REFRESH_TOKEN_EXPIRE_SECONDS": [None, lambda request: 60],
    "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED": [["client_secret_basic"], ["none", "client_secret_jwt"]],
}
PROTOCOL = {
    **MODERN,
    "ACCESS_TOKEN_EXPIRE_SECONDS": [3601, lambda request: 60],
    "EXTRA_SERVER_KWARGS": [{"token_expires_in": 60}],
    "CIMD_ENABLED": [False],
    "REQUEST_APPROVAL_PROMPT": ["auto"],
    "RESOURCE_INDICATORS_DEFAULT": [None],
}
OF_CLIENTS = (
    "SENDER_CONSTRAINED_TOKENS_REQUIRED",
    "TOKENS_IN_FORMS",
    "OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED",
    *(name for name in SECURITY if "ALG" in name),
    "SIGNING_WITH_CLIENT_SECRETS",
    "UNSIGNED_REQUEST_OBJECTS_ALLOWED",
)
ALLOWED_BY_FAPI2_ALONE = ["ES256", "EdDSA"]
BACKCHANNEL = {
    "CIBA_SIGNED_REQUESTS_REQUIRED": [False],
    **{
        name: [*SECURITY[name], *([ALLOWED_BY_FAPI2_ALONE] if ["RS256"] in SECURITY[name] else [])]
        for name in OF_CLIENTS
    },
}
PROFILES = [
    (FAPI2, SECURITY),
    (FAPI2_MESSAGE_SIGNING, MESSAGES),
    (FAPI_CIBA, BACKCHANNEL),
    (OAUTH21, MODERN),
    (MCP, PROTOCOL),
]
CASES = [
    (profile.name, name, value)
    for profile, floors in PROFILES
    for name, values in floors.items()
    for value in values
    if profile is not FAPI2_MESSAGE_SIGNING or name not in SECURITY
]


@pytest.mark.parametrize(("profile", "floors"), PROFILES, ids=lambda value: getattr(value, "name", ""))
def test_every_floor_is_tried(profile, floors):
    assert {floor.setting for floor in profile.floors} == set(floors)


@pytest.mark.parametrize(("profile", "name", "value"), CASES)
def test_a_setting_below_a_floor_stops_the_start(profile, name, value):
    with pytest.raises(ConfigError) as caught:
        House(PROFILE=profile, **{name: value})
    (line,) = [line for line in str(caught.value).splitlines() if f"{name}: " in line]
    assert "is not allowed; allowed: " in line
    assert line.endswith(f"; profile {profile}")


@pytest.mark.parametrize(
    ("profile", "name"),
    [
        ("fapi2", "PAR_ENABLED"),
        ("fapi2", "DPOP_ENABLED"),
        ("fapi2-message-signing", "REQUEST_OBJECTS_ENABLED"),
    ],
)
def test_what_a_profile_needs_is_not_switched_off(profile, name):
    with pytest.raises(ConfigError, match=name):
        House(PROFILE=profile, **{name: False})


def test_all_is_told_together():
    with pytest.raises(ConfigError) as caught:
        House(
            PROFILE="fapi2",
            PKCE_REQUIRED=False,
            PASSWORD_GRANT_ENABLED=True,
            CODE_CHALLENGE_METHODS=["plain"],
        )
    for name in (
        "PKCE_REQUIRED: False",
        "PASSWORD_GRANT_ENABLED: True",
        "CODE_CHALLENGE_METHODS: ('plain',)",
    ):
        assert name in str(caught.value)


def test_profiles_in_a_list():
    house = House(PROFILE=["fapi2", "oauth2.1"], OIDC_ENABLED=True)
    settings = {row.name: row.origin for row in house.provider.all_settings.declarations()}
    assert settings["ROTATE_REFRESH_TOKEN"] == "profile fapi2"
    assert settings["REFRESH_TOKEN_EXPIRE_SECONDS"] == "profile oauth2.1"
    assert register(house).token(grant_type="client_credentials").status_code == 200


def two_keys(first, second):
    keys = [{**jws.TokenKey("ES256").jwk, "kid": kid} for kid in (first, second)]
    return {"keys": [{name: value for name, value in key.items() if value is not None} for key in keys]}


FIELDS = [
    ("require_pkce", {"require_pkce": False}),
    ("client_type", {"client_type": "public"}),
    ("grant_types", {"grant_types": ("authorization_code", "password")}),
    ("grant_types", {"grant_types": ("authorization_code", "implicit")}),
    ("token_endpoint_auth_method", {"token_endpoint_auth_method": "client_secret_basic"}),
    ("token_endpoint_auth_method", {"token_endpoint_auth_method": "client_secret_jwt"}),
    ("token_endpoint_auth_method", {"token_endpoint_auth_method": None}),
    ("redirect_uris", {"redirect_uri": "http://127.0.0.1/cb", "application_type": "web"}),
    ("id_token_signed_response_alg", {"algorithm": "RS256"}),
    ("id_token_signed_response_alg", {"algorithm": "HS256"}),
    ("response_types", {"metadata": {"response_types": ["code id_token"]}}),
    ("token_endpoint_auth_signing_alg", {"metadata": {"token_endpoint_auth_signing_alg": "RS256"}}),
    ("request_object_signing_alg", {"metadata": {"request_object_signing_alg": "RS256"}}),
    ("request_object_signing_alg", {"metadata": {"request_object_signing_alg": "none"}}),
    ("userinfo_signed_response_alg", {"metadata": {"userinfo_signed_response_alg": "ES384"}}),
    ("authorization_signed_response_alg", {"metadata": {"authorization_signed_response_alg": "RS256"}}),
    ("jwks", {"metadata": {"jwks": two_keys("1", None)}}),
]


@pytest.mark.parametrize(("field", "fields"), FIELDS)
@pytest.mark.parametrize("where", ["server", "client"])
def test_a_client_below_a_floor_is_not_registered(request, where, field, fields):
    house = request.getfixturevalue("fapi" if where == "server" else "plain")
    metadata = {**fields.get("metadata", {}), **({} if where == "server" else {"profile": "fapi2"})}
    with pytest.raises(InvalidClientMetadata, match=f"{field}: .* is not allowed.*profile fapi2"):
        register(house, **{**fields, "metadata": metadata})


@pytest.mark.parametrize("jwks", [two_keys("1", "2"), jws.TokenKey("PS256").jwks, jws.TokenKey("EdDSA").jwks])
def test_keys_that_are_allowed(fapi, jwks):
    register(fapi, metadata={"jwks": jwks})


def test_http_on_the_device(fapi):
    register(fapi, redirect_uri="http://127.0.0.1/cb", application_type="native")


def test_plain_clients_go_on_beside_a_strict_one(plain):
    register(plain, metadata={"profile": "fapi2"})
    assert plain.tokens(plain.client())["token_type"] == "Bearer"
    assert plain.tokens(plain.public_client())["access_token"]


def registered(house, **members):
    """Let a client register itself."""
    document = {"redirect_uris": ["https://client.example/cb"], **members}
    headers = {"Content-Type": "application/json"}
    return house.door().post("/o/register/", json.dumps(document), headers)


OPEN = {"DCR_ENABLED": True, "DCR_REGISTRATION_MODE": "open", "OIDC_ENABLED": True}
BY_KEY = {"token_endpoint_auth_method": "private_key_jwt", "jwks": jws.TokenKey("ES256").jwks}


@pytest.mark.parametrize("profile", ["fapi1", 3])
def test_clients_name_profiles_that_are_known(profile):
    answer = registered(House(**OPEN), profile=profile)
    assert answer.json["error"] == "invalid_client_metadata"
    assert "profile" in answer.json["error_description"]


@pytest.mark.parametrize(
    ("settings", "members"),
    [({"PROFILE": "fapi2"}, {}), ({}, {"profile": "fapi2"})],
    ids=["server", "client"],
)
def test_clients_that_register_themselves(settings, members):
    house = House(**OPEN, **settings)
    made = registered(house, **BY_KEY, **members)
    assert made.status_code == 201, made.text
    assert "client_secret" not in made.json
    refused = registered(house, **{**BY_KEY, "id_token_signed_response_alg": "ES384"}, **members)
    assert refused.json["error"] == "invalid_client_metadata"
    assert "id_token_signed_response_alg" in refused.json["error_description"]
    other = {"token_endpoint_auth_method": "none"}
    assert registered(house, **other, **members).json["error"] == "invalid_client_metadata"


def test_a_client_does_not_get_out_of_its_profile_by_itself():
    house = House(**OPEN)
    made = registered(house, **BY_KEY, profile="fapi2").json
    document = {"client_id": made["client_id"], "redirect_uris": ["https://client.example/cb"]}
    headers = {
        "Authorization": f"Bearer {made['registration_access_token']}",
        "Content-Type": "application/json",
    }
    path = made["registration_client_uri"].removeprefix(house.host)
    plain = house.door().open(path, method="PUT", data=json.dumps(document), headers=headers)
    assert plain.json["error"] == "invalid_client_metadata"
    kept = house.door().open(path, method="PUT", data=json.dumps({**document, **BY_KEY}), headers=headers)
    assert kept.json["profile"] == "fapi2"
