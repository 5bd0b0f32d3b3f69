"""Whatever is sent to the endpoints and parameters of OpenID Connect: no failure of the server, no leak from it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portula_testing import jws
from portula_testing.writing import change_in
from security.driving import Door
from security.hostile import (
    FORM,
    asked_of,
    authorizations,
    bodies,
    content_types,
    cookies,
    encoded,
    headers_of,
    is_no_failure,
    origins,
    pairs,
    values,
)
from security.house import House

MACHINE = ["/o/userinfo/", "/o/register/", "/o/.well-known/jwks.json", "/o/.well-known/openid-configuration"]
PAGES = ["/o/logout/", "/o/session/check/", "/o/sessions/"]
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]
PARAMETERS = [
    "prompt",
    "max_age",
    "claims",
    "nonce",
    "acr_values",
    "id_token_hint",
    "login_hint",
    "ui_locales",
    "display",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
]
WORDS = [
    "none",
    "login",
    "openid",
    "id_token",
    "code id_token token",
    "0",
    "-1",
    "{}",
    "[]",
    "a.b.c",
    "a.b.c.d.e",
    "RSA-OAEP",
    "dir",
    "form_post",
]

fuzzed = settings(database=None)
kinds = pytest.mark.parametrize("kind", ["flask", pytest.param("wsgi", marks=pytest.mark.thorough)])

#: JSON of any shape, small.
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = [
    "redirect_uris",
    "grant_types",
    "response_types",
    "jwks",
    "jwks_uri",
    "scope",
    "client_name#x",
    "logo_uri",
]
MEMBERS += [
    "sector_identifier_uri",
    "subject_type",
    "backchannel_logout_uri",
    "request_uris",
    "default_max_age",
]
MEMBERS += [
    "id_token_signed_response_alg",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "request_object_encryption_alg",
    "token_endpoint_auth_method",
    "post_logout_redirect_uris",
    "contacts",
]


@pytest.fixture(scope="module")
def fuzz_house():
    """A house that answers 500 where others would let an exception through to the test."""
    return House(
        config={"TESTING": False, "PROPAGATE_EXCEPTIONS": False},
        OIDC_ENABLED=True,
        IMPLICIT_GRANT_ENABLED=True,
        REQUEST_URI_ENABLED=True,
        REQUEST_URI_MUST_BE_REGISTERED=False,
        OIDC_RP_INITIATED_LOGOUT_ENABLED=True,
        OIDC_SESSION_MANAGEMENT_ENABLED=True,
        DCR_ENABLED=True,
        DCR_REGISTRATION_MODE="open",
        DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR=None,
        DCR_MAX_CLIENTS_PER_HOUR=None,
    )


@pytest.fixture(scope="module")
def client(fuzz_house):
    return fuzz_house.client(
        grant_types=("authorization_code", "implicit", "refresh_token"),
        post_logout_redirect_uris=("https://client.example/out",),
        skip_authorization=True,
    )


@pytest.fixture(scope="module")
def right(fuzz_house, client):
    """Right values by their names, and the cookies of somebody who is signed in."""
    browser = fuzz_house.browser()
    browser.sign_in()
    tokens = fuzz_house.tokens(client, scope="openid")
    return {
        "client_id": client.client_id,
        "secret": client.secret,
        "redirect_uri": client.redirect_uri,
        "code": tokens["id_token"],
        "access_token": tokens["access_token"],
        "refresh_token": tokens["refresh_token"],
        "basic": f"Bearer {tokens['access_token']}",
        "cookies": browser.cookies,
    }


@kinds
@pytest.mark.parametrize("path", MACHINE)
@fuzzed
@given(
    method=st.sampled_from(METHODS),
    body=bodies,
    query=bodies,
    content_type=content_types,
    authorization=authorizations,
    origin=origins,
)
def test_machine_endpoints(
    fuzz_house, right, kind, path, method, body, query, content_type, authorization, origin
):
    headers = headers_of(right, Authorization=authorization, Origin=origin, Content_Type=content_type)
    response = fuzz_house.door(kind).open(
        path, method=method, data=encoded(right, body), headers=headers, query_string=asked_of(right, query)
    )
    assert is_no_failure(response)
    assert "Access-Control-Allow-Credentials" not in response.headers


@fuzzed
@given(document=st.dictionaries(st.sampled_from(MEMBERS), documents, max_size=6))
def test_registrations(fuzz_house, document):
    told = {"redirect_uris": ["https://client.example/cb"], **document}
    response = fuzz_house.door().post(
        "/o/register/", json.dumps(told).encode(), {"Content-Type": "application/json"}
    )
    assert is_no_failure(response)
    assert response.status_code in (201, 400)
    assert response.status_code == 201 or response.json["error"].startswith("invalid_")


@pytest.mark.parametrize("path", PAGES)
@fuzzed
@given(fields=pairs, query=bodies, cookie=cookies, posted=st.booleans())
def test_pages(fuzz_house, right, path, fields, query, cookie, posted):
    headers = headers_of(right, Cookie=cookie)
    asked = asked_of(right, query)
    if posted:
        page = Door(fuzz_house.app).post(
            path, encoded(right, (fields, True)), headers, content_type=FORM, query_string=asked
        )
    else:
        page = Door(fuzz_house.app).open(path, headers=headers, query_string=asked)
    assert is_no_failure(page)
    assert "<svg" not in page.text
    assert page.status_code not in (307, 308)


@fuzzed
@given(
    fields=st.dictionaries(
        st.sampled_from(PARAMETERS), st.one_of(values, st.sampled_from(WORDS).map(str.encode)), max_size=6
    )
)
def test_authentication_requests_that_are_nearly_right(fuzz_house, right, client, fields):
    """Where a redirect answers, it leads to the registered URI, or to our login."""
    asked = {
        b"response_type": b"code",
        b"client_id": b"@client_id",
        b"redirect_uri": b"@redirect_uri",
        b"scope": b"openid",
        b"nonce": b"n",
        b"code_challenge": b"A" * 43,
        b"code_challenge_method": b"S256",
        **{name.encode(): value for name, value in fields.items()},
    }
    sent = encoded(right, (list(asked.items()), True)).decode("latin-1")
    headers = headers_of(right, Cookie="@cookies")
    page = Door(fuzz_house.app).open("/o/authorize/", query_string=sent, headers=headers)
    assert is_no_failure(page)
    where = page.headers.get("Location")
    assert where is None or where.startswith(
        (f"{client.redirect_uri}?", f"{client.redirect_uri}#", "/accounts/login/?")
    )


@fuzzed
@given(
    claims=st.dictionaries(st.sampled_from([*PARAMETERS, "iss", "aud", "exp", "nbf", "client_id"]), documents)
)
def test_request_objects(fuzz_house, right, client, claims):
    """Signed with the right key, so that their claims are looked at."""
    key = KEY
    change_in(
        fuzz_house.provider.storage,
        type(fuzz_house.find(client)),
        {"client_id": client.client_id},
        metadata={"jwks": key.jwks},
    )
    asked = {"client_id": client.client_id, "request": key.sign(json_safe(claims)), "scope": "openid"}
    headers = headers_of(right, Cookie="@cookies")
    page = Door(fuzz_house.app).open("/o/authorize/", query_string=asked, headers=headers)
    assert is_no_failure(page)
    assert "evil" not in page.headers.get("Location", "")


@fuzzed
@given(claims=documents)
def test_the_claims_parameter(fuzz_house, right, client, claims):
    asked = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": "openid",
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
        "claims": json.dumps(claims, ensure_ascii=True),
    }
    headers = headers_of(right, Cookie="@cookies")
    page = Door(fuzz_house.app).open("/o/authorize/", query_string=asked, headers=headers)
    assert is_no_failure(page)


KEY = jws.TokenKey("ES256")


def json_safe(value):
    """Return a value as its own JSON would be read again."""
    return json.loads(json.dumps(value))
