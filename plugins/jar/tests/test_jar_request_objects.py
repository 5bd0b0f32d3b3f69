"""Request objects by value and by reference: RFC 9101 §5, OpenID Connect Core §6."""

import pytest
from security.driving import answered
from support.fitting import stubbed

from portula import hookimpl
from portula.errors import FetchFailed
from portula.plugin import Fetcher, FetchResponse
from portula_testing import jws

ISSUER = "https://id.example/o"
URI = "https://client.example/request.jwt"


class Web(stubbed(Fetcher)):
    """Other servers: one document at one address."""

    def __init__(self):
        self.document = ""
        self.asked = []

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def get(self, url, *, accept, max_bytes=65536):
        self.asked.append(url)
        if not self.document:
            raise FetchFailed("nothing there")
        return FetchResponse(200, "application/jwt", self.document.encode())

    def post(self, url, form, *, max_bytes=65536):
        raise FetchFailed("nobody posts here")


@pytest.fixture(scope="module")
def key():
    return jws.TokenKey("ES256")


@pytest.fixture
def web():
    return Web()


@pytest.fixture
def party(world, key):
    return world.client(metadata={"jwks": key.jwks})


def claims(party, **others):
    return {
        "iss": party.client_id,
        "aud": ISSUER,
        "client_id": party.client_id,
        "response_type": "code",
        "redirect_uri": party.redirect_uri,
        "scope": "openid email",
        "state": "of the object",
        "nonce": "of the object",
        "max_age": 600,
        "claims": {"userinfo": {"given_name": None}},
        **others,
    }


def test_what_stands_in_the_object_counts(world, browser, party, key):
    token = key.sign(claims(party))
    plain = {"code_challenge": None, "code_challenge_method": None}
    outside = {"scope": "openid", "state": "outside", "nonce": "outside", **plain}
    answer = answered(browser.authorize(party, **outside, request=token))
    assert answer["state"] == "of the object"
    tokens = world.door().redeem(party, answer["code"], None).json
    assert world.read(tokens["id_token"])["nonce"] == "of the object"
    told = world.userinfo(tokens["access_token"]).json
    assert (told["email"], told["given_name"]) == ("ann@example.com", "Ann")


def test_what_the_object_leaves_out_counts_for_nothing_beside_it(world, browser, party, key):
    """Scope and response type aside, which OAuth 2.0 asks for there (RFC 9101 §6.3, OpenID Connect Core §6.1)."""
    token = key.sign({"prompt": "none"})
    browser.sign_in()
    outside = {"scope": "openid", "redirect_uri": party.redirect_uri, "nonce": "outside"}
    answer = answered(browser.ask(party, state="outside", **outside, request=token))
    assert answer["error"] == "consent_required"
    assert "state" not in answer


def test_a_challenge_beside_the_object_counts_for_nothing(make_world, key):
    world = make_world(PKCE_REQUIRED=True)
    party = world.client(metadata={"jwks": key.jwks})
    answer = answered(world.browser().authorize(party, request=key.sign(claims(party))))
    assert answer["error"] == "invalid_request"


def test_a_good_redirect_uri_inside_serves_although_a_bad_one_is_outside(browser, party, key):
    good = party.redirect_uri
    response = browser.authorize(
        party, redirect_uri="https://evil.example/cb", request=key.sign(claims(party, redirect_uri=good))
    )
    assert response.location.startswith(good)


def test_a_bad_redirect_uri_inside_is_an_error_page(browser, party, key):
    token = key.sign(claims(party, redirect_uri="https://evil.example/cb"))
    response = browser.ask(party, request=token)
    assert response.status_code == 400
    assert "Location" not in response.headers


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": "somebody else"},
        {"aud": "https://other.example"},
        {"exp": 1},
        {"exp": "soon"},
        {"nbf": 9_999_999_999},
        {"client_id": "another"},
        {"sub": ...},
        {"sub": ..., "jti": "1", "exp": 4102444800},
        {"response_type": "id_token"},
        {"request": "a.b.c"},
        {"request_uri": URI},
        {"user": "eve"},
        {"state": "\0"},
    ],
    ids=str,
)
def test_an_object_that_says_something_wrong_is_refused(browser, party, key, wrong):
    given = {name: party.client_id if value is ... else value for name, value in wrong.items()}
    answer = answered(browser.ask(party, request=key.sign(claims(party, **given))))
    assert answer["error"] == "invalid_request_object"


def test_what_a_client_proves_itself_by_is_no_request_object(world, browser, party, key):
    """Whoever is sent one, another server among them, could else ask in the client's name (RFC 9101 §10.8)."""
    now = world.provider.now()
    assertion = {"iss": party.client_id, "sub": party.client_id, "aud": ISSUER, "jti": "1", "exp": now + 60}
    for typ in ("JWT", None, "client-authentication+jwt"):
        answer = answered(browser.ask(party, request=key.sign(assertion, typ=typ)))
        assert answer["error"] == "invalid_request_object"


def test_one_that_says_so_by_its_type_may_be_about_the_client(browser, party, key):
    token = key.sign(claims(party, sub=party.client_id), typ="oauth-authz-req+jwt")
    assert answered(browser.authorize(party, request=token))["state"] == "of the object"


def test_an_object_of_somebody_else_is_refused(browser, party):
    stranger = jws.TokenKey("ES256")
    for token in (stranger.sign(claims(party)), "a.b.c", "rubbish"):
        assert answered(browser.ask(party, request=token))["error"] == "invalid_request_object"


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt", "dpop+jwt"])
def test_a_token_of_another_kind_is_no_request_object(browser, party, key, typ):
    answer = answered(browser.ask(party, request=key.sign(claims(party), typ=typ)))
    assert answer["error"] == "invalid_request_object"


def test_an_unsigned_one_is_not_supported_unless_it_is_allowed(make_world, browser, party):
    token = jws.unsigned_token(claims(party))
    assert answered(browser.ask(party, request=token))["error"] == "request_not_supported"
    lenient = make_world(UNSIGNED_REQUEST_OBJECTS_ALLOWED=True)
    client = lenient.client()
    answer = answered(lenient.browser().authorize(client, request=jws.unsigned_token(claims(client))))
    assert answer["state"] == "of the object"
    strict = lenient.client(metadata={"request_object_signing_alg": "RS256"})
    answer = answered(lenient.browser().ask(strict, request=jws.unsigned_token(claims(strict))))
    assert answer["error"] == "invalid_request_object"


def test_the_registered_algorithm_is_the_only_one(world, browser, key):
    other = jws.TokenKey("RS256", "2")
    jwks = {"keys": [key.jwk, other.jwk]}
    party = world.client(metadata={"jwks": jwks, "request_object_signing_alg": "RS256"})
    assert answered(browser.ask(party, request=key.sign(claims(party))))["error"] == "invalid_request_object"
    assert "code" in answered(browser.authorize(party, request=other.sign(claims(party))))


def test_one_may_be_signed_with_a_secret_that_can_be_read(world, browser):
    party = world.client(hash_secret=False)
    token = jws.signed_with_secret(party.secret.encode(), claims(party))
    assert answered(browser.authorize(party, request=token))["state"] == "of the object"


def test_where_it_is_switched_off_it_is_not_supported(make_world, key):
    world = make_world(REQUEST_OBJECTS_ENABLED=False)
    party = world.client(metadata={"jwks": key.jwks})
    answer = answered(world.browser().ask(party, request=key.sign(claims(party))))
    assert answer["error"] == "request_not_supported"


# --- By reference ---


@pytest.fixture
def referring(make_world, web, key):
    world = make_world(web, REQUEST_URI_ENABLED=True, PLUGINS_CHOICE={"fetcher": "Web"})
    return world, world.client(metadata={"jwks": key.jwks, "request_uris": [URI]})


def test_by_default_none_is_fetched(browser, party):
    assert answered(browser.ask(party, request_uri=URI))["error"] == "request_uri_not_supported"


def test_an_object_may_stand_where_the_client_says(referring, web, key):
    world, party = referring
    web.document = key.sign(claims(party))
    answer = answered(world.browser().authorize(party, request_uri=f"{URI}#version-2"))
    assert answer["state"] == "of the object"
    assert set(web.asked) == {URI}


def test_it_must_be_registered_and_lead_somewhere(referring, web):
    world, party = referring
    elsewhere = answered(world.browser().ask(party, request_uri="https://client.example/other"))
    assert elsewhere["error"] == "invalid_request_uri"
    assert web.asked == []
    assert answered(world.browser().ask(party, request_uri=URI))["error"] == "invalid_request_uri"


def test_what_a_client_proves_itself_by_is_none_by_reference_either(referring, web, key):
    world, party = referring
    web.document = key.sign(claims(party, sub=party.client_id, jti="1"))
    assert answered(world.browser().ask(party, request_uri=URI))["error"] == "invalid_request_object"


def test_an_unsigned_one_by_reference_is_not_supported(referring, web):
    world, party = referring
    web.document = jws.unsigned_token(claims(party))
    assert answered(world.browser().ask(party, request_uri=URI))["error"] == "request_uri_not_supported"


def test_both_ways_at_once_are_an_invalid_request(referring, key):
    world, party = referring
    token = key.sign(claims(party))
    answer = answered(world.browser().ask(party, request_uri=URI, request=token))
    assert answer["error"] == "invalid_request"


def test_registration_may_be_left_out_where_that_is_set(make_world, web, key):
    settings = {"REQUEST_URI_ENABLED": True, "REQUEST_URI_MUST_BE_REGISTERED": False}
    world = make_world(web, **settings, PLUGINS_CHOICE={"fetcher": "Web"})
    party = world.client(metadata={"jwks": key.jwks})
    web.document = key.sign(claims(party))
    assert "code" in answered(world.browser().authorize(party, request_uri=URI))


def metadata(world):
    return world.door().open("/o/.well-known/openid-configuration").json


def test_request_objects_are_advertised_if_they_are_understood(make_world):
    document = metadata(make_world())
    assert document["request_parameter_supported"] is True
    assert document["request_uri_parameter_supported"] is False
    assert "none" not in document["request_object_signing_alg_values_supported"]
    document = metadata(make_world(REQUEST_URI_ENABLED=True, UNSIGNED_REQUEST_OBJECTS_ALLOWED=True))
    assert document["request_uri_parameter_supported"] is True
    assert document["require_request_uri_registration"] is True
    assert "none" in document["request_object_signing_alg_values_supported"]
    document = metadata(make_world(REQUEST_OBJECTS_ENABLED=False))
    assert document["request_parameter_supported"] is False
    assert "request_object_signing_alg_values_supported" not in document


def test_without_openid_connect_they_are_understood_too(make_world, key):
    world = make_world(OIDC_ENABLED=False)
    party = world.client(metadata={"jwks": key.jwks}, grant_types=("authorization_code",))
    token = key.sign(claims(party, scope="read", claims=None, max_age=None))
    answer = answered(world.browser().authorize(party, scope="write", state="outside", request=token))
    assert (answer["state"], "code" in answer) == ("of the object", True)
