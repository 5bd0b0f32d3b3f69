"""POST register/: what a client is told, what it may be, and which error names what is wrong (RFC 7591)."""

import base64
from urllib.parse import urlsplit

import pytest

from portula import Plugin
from portula.plugin import ClientSaved
from portula_testing.provider import CALLBACK

KNOWN = {
    "redirect_uris": [CALLBACK, "https://client.example/other?x=1"],
    "token_endpoint_auth_method": "client_secret_post",
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "client_name": "Tea house",
    "client_name#ja": "茶屋",
    "client_uri": "https://client.example/",
    "logo_uri": "https://client.example/logo.png",
    "logo_uri#fr": "https://client.example/logo.fr.png",
    "policy_uri": "https://client.example/policy",
    "tos_uri": "https://client.example/tos",
    "scope": "read write",
    "contacts": ["ann@client.example"],
    "software_id": "4NRB1-0XZABZI9E6-5SM3R",
    "software_version": "2.1",
    "application_type": "web",
}


# --- What is answered ---


def test_a_client_is_told_everything_once_and_nothing_is_cached(world):
    answer = world.register()
    assert answer.status_code == 201
    assert answer.mimetype == "application/json"
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    told = answer.json
    uri = urlsplit(told["registration_client_uri"])
    assert f"{uri.scheme}://{uri.netloc}{uri.path}" == "https://id.example/o/register/"
    assert told["client_id_issued_at"] == 1_700_000_000
    assert told["client_secret_expires_at"] == 0
    assert len(told["client_secret"]) >= 32
    assert len(told["registration_access_token"]) >= 43


def test_every_member_is_registered_and_told(world):
    told = world.registered(**KNOWN)
    assert {name: told[name] for name in KNOWN} == KNOWN
    assert world.find(told).name == "Tea house"


def test_the_defaults_of_the_specifications_are_filled_in_and_told(world):
    told = world.registered()
    assert {name: told[name] for name in told.keys() & {*KNOWN}} == {
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "application_type": "web",
        "scope": "read write offline_access",
    }


def test_members_that_nobody_understands_are_ignored(world):
    told = world.registered(tea="green", software_statement="e30.e30.e30", **{"tea#ja": "緑"})
    assert told.keys().isdisjoint({"tea", "tea#ja", "software_statement"})
    assert "tea" not in world.find(told).metadata


def test_a_null_counts_as_left_out(world):
    assert world.registered(client_name=None, grant_types=None)["grant_types"] == ["authorization_code"]


@pytest.mark.parametrize("name", ["client_name#", "client_name#a b", "client_name#" + "x" * 9, "contacts#ja"])
def test_what_is_no_localized_member_is_ignored(world, name):
    told = world.registered(client_name="Tea", **{name: "x"})
    assert name not in told
    assert told["client_name"] == "Tea"


def test_listeners_hear_of_a_client_once_it_is_there(world):
    told = world.registered()
    assert world.heard.of(ClientSaved) == [
        ClientSaved(
            provider=world.provider,
            client_id=told["client_id"],
            created=True,
            at=1700000000,
            address="203.0.113.7",
        )
    ]


# --- Who it is, and what it proves that with ---


def test_its_secret_authenticates_it(world):
    told = world.registered()
    pair = f"{told['client_id']}:{told['client_secret']}".encode()
    headers = {"Authorization": "Basic " + base64.b64encode(pair).decode()}
    answer = world.open("POST", "/o/introspect/", data={"token": "x"}, headers=headers)
    assert answer.json == {"active": False}


def test_a_client_without_authentication_is_public_and_has_no_secret(world):
    told = world.registered(token_endpoint_auth_method="none")
    assert told.keys().isdisjoint({"client_secret", "client_secret_expires_at"})
    client = world.find(told)
    assert (client.client_type, client.secret_hashes) == ("public", ())


@pytest.mark.parametrize(
    "members",
    [
        {"token_endpoint_auth_method": "client_secret_jwt"},
        {"id_token_signed_response_alg": "HS256"},
        {"token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "HS512"},
    ],
)
def test_a_secret_that_signs_is_kept_sealed(make, by_keys, kind, members):
    world = make(by_keys, kind=kind)
    told = world.registered(**members)
    (kept,) = world.find(told).secret_hashes
    assert kept.startswith("sealed:")
    assert world.provider.hooks.ask(Plugin.portula_secret_hasher).verify(told["client_secret"], kept)


def test_a_secret_that_does_not_sign_is_kept_as_a_digest(make, by_keys):
    world = make(by_keys)
    told = world.registered()
    (kept,) = world.find(told).secret_hashes
    assert kept.startswith("digest:")
    assert told["id_token_signed_response_alg"] == "RS256"


def test_a_client_that_proves_itself_by_keys_has_no_secret(make, by_keys):
    world = make(by_keys)
    told = world.registered(token_endpoint_auth_method="private_key_jwt")
    assert "client_secret" not in told
    client = world.find(told)
    assert (client.client_type, client.secret_hashes) == ("confidential", ())


def test_without_basic_the_default_is_a_method_that_is_in_use(make):
    world = make(OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED=["client_secret_post"])
    assert world.registered()["token_endpoint_auth_method"] == "client_secret_post"


# --- Grant types, response types, scopes ---


def test_grant_types_follow_from_response_types(make):
    world = make(IMPLICIT_GRANT_ENABLED=True)
    told = world.registered(response_types=["code", "token"])
    assert told["grant_types"] == ["authorization_code", "implicit"]


def test_response_types_follow_from_grant_types(make):
    world = make(IMPLICIT_GRANT_ENABLED=True)
    assert world.registered(grant_types=["implicit"])["response_types"] == ["token"]


def test_contradicting_types_are_refused(make):
    world = make(IMPLICIT_GRANT_ENABLED=True)
    answer = world.register(response_types=["token"], grant_types=["authorization_code"])
    assert world.error_of(answer) == "invalid_client_metadata"


def test_grant_types_it_may_not_have_are_left_out(world):
    asked = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code", "client_credentials"]
    assert world.registered(grant_types=asked)["grant_types"] == ["authorization_code"]


@pytest.mark.parametrize("asked", [["password"], ["client_credentials"], ["implicit"], ["tea"], []])
def test_a_client_that_could_do_nothing_is_refused(world, asked):
    assert world.error_of(world.register(grant_types=asked)) == "invalid_client_metadata"


def test_allowed_grant_types_are_a_setting(make):
    world = make(DCR_ALLOWED_GRANT_TYPES=["client_credentials"])
    told = world.registered(grant_types=["client_credentials", "authorization_code"], redirect_uris=...)
    assert told["grant_types"] == ["client_credentials"]
    assert told["response_types"] == []


def test_unknown_scopes_are_dropped(world):
    assert world.registered(scope="read tea read")["scope"] == "read"


def test_privileged_scopes_are_dropped(world):
    assert world.registered(scope="read introspection")["scope"] == "read"
    assert "introspection" not in world.registered()["scope"].split()


def test_a_client_that_asks_for_unknown_scopes_alone_has_the_default(world):
    assert world.registered(scope="tea")["scope"] == "read write offline_access"


def test_allowed_scopes_are_a_setting(make):
    world = make(DCR_ALLOWED_SCOPES=["read", "offline_access", "introspection", "gone"])
    assert world.registered(scope="write offline_access introspection")["scope"] == "offline_access"
    assert world.registered()["scope"] == "read offline_access"


def test_default_scopes_are_a_setting(make):
    world = make(DCR_DEFAULT_SCOPES=["read", "introspection"])
    assert world.registered()["scope"] == "read"
    assert world.registered(scope="write")["scope"] == "write"


# --- What is refused ---


@pytest.mark.parametrize(
    "uri",
    [
        "https://client.example/cb#part",
        "https://client.example/#",
        "http://client.example/cb",
        "javascript:alert(1)",
        "/cb",
        "",
        "https://client.example/../cb",
    ],
)
def test_a_wrong_redirect_uri_is_named_as_that(world, uri):
    assert world.error_of(world.register(redirect_uris=[CALLBACK, uri])) == "invalid_redirect_uri"


@pytest.mark.parametrize("value", ["https://client.example/cb", [1], {"0": CALLBACK}, True, [], ...])
def test_redirect_uris_that_are_none_are_named_as_that(world, value):
    assert world.error_of(world.register(redirect_uris=value)) == "invalid_redirect_uri"


@pytest.mark.parametrize(
    ("application_type", "uri", "status"),
    [
        ("native", "com.example.app:/cb", 201),
        ("native", "http://127.0.0.1/cb", 201),
        ("web", "com.example.app:/cb", 400),
        ("native", "javascript.x:alert(1)#", 400),
    ],
)
def test_redirect_uris_follow_the_application_type(world, application_type, uri, status):
    answer = world.register(
        redirect_uris=[uri], application_type=application_type, token_endpoint_auth_method="none"
    )
    assert answer.status_code == status


@pytest.mark.parametrize(
    "members",
    [
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": 1},
        {"grant_types": "authorization_code"},
        {"response_types": ["tea"]},
        {"response_types": [["code"]]},
        {"application_type": "toaster"},
        {"client_name": ["Tea"]},
        {"client_name": "x" * 256},
        {"client_name": "a\u202eb"},
        {"client_name": True},
        {"scope": ["read"]},
        {"contacts": "ann@client.example"},
        {"logo_uri": "javascript:alert(1)"},
        {"logo_uri#ja": "javascript:alert(1)"},
        {"tos_uri": "data:text/html,x"},
        {"software_id": 7},
    ],
    ids=str,
)
def test_wrong_metadata_is_named_as_that(world, members):
    assert world.error_of(world.register(**members)) == "invalid_client_metadata"
    assert world.heard.of(ClientSaved) == []


def test_an_error_says_which_member_is_wrong(world):
    described = world.register(contacts=["a", 7]).json["error_description"]
    assert described.startswith("contacts[1]: ")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"client_name":"a","client_name":"b"}',
        b'{"client_name":"a","client_nam\\u0065":"b"}',
        b'{"x":' + b"[" * 20 + b"]" * 20 + b"}",
        b'{"x":' + b"[" * 60_000,
        b'{"x":NaN}',
        b'{"x":1e999}',
        b'{"x":' + b"9" * 5000 + b"}",
        b'{"client_name":"\\ud800"}',
        b'{"client_name":"a\\u0000"}',
        b'{"\\udfff":1}',
        b'{"client_name":"\xff"}',
        "\ufeff{}".encode(),
    ],
    ids=lambda body: ascii(body)[:30],
)
def test_a_body_that_has_not_one_meaning_is_refused(world, body):
    answer = world.open("POST", data=body, content_type="application/json")
    assert world.error_of(answer) == "invalid_client_metadata"


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "", None])
def test_only_json_is_read(world, content_type):
    answer = world.open(
        "POST", data=b'{"redirect_uris":["%s"]}' % CALLBACK.encode(), content_type=content_type
    )
    assert world.error_of(answer) == "invalid_client_metadata"


def test_a_body_that_is_too_large_is_refused(world):
    assert world.error_of(world.register(x="x" * 65536), status=413) == "invalid_request"


@pytest.mark.parametrize(
    "host", ["x,frame-src,.evil.example", "x;script-src.evil.example", "a'b.example", "1.2.3"]
)
def test_the_host_of_an_address_is_a_name_or_an_address(world, host):
    """Else it could end a word of a Content-Security-Policy (CSP §2.2)."""
    uri = f"https://{host}/cb"
    answer = world.register(redirect_uris=[CALLBACK, uri])
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_redirect_uri")
    for member in ("logo_uri", "client_uri", "policy_uri", "tos_uri"):
        answer = world.register(**{member: uri})
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_client_metadata")
