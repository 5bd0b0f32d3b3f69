"""Clients authenticate by assertions wherever clients authenticate, each assertion once."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from authlib.oauth2.rfc7523 import client_secret_jwt_sign, private_key_jwt_sign
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, OctKey
from support.assertions import ISSUER, TYPE, refused

from portula import hookimpl
from portula.errors import FetchFailed, InvalidClientMetadata
from portula.plugin import ClientAuthMethod, Fetcher, FetchResponse
from portula_testing.jws import TokenKey
from portula_testing.tls import Authority, HttpsServer, Reply

ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "EdDSA")


@pytest.fixture(scope="module")
def keys():
    return {algorithm: TokenKey(algorithm) for algorithm in ALGORITHMS}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_client_authenticates_with_a_key_of_its_own(world, keys, door, algorithm):
    client = world.client(keys[algorithm])
    response = world.token(keys[algorithm].sign(world.claims(client)), door)
    assert response.status_code == 200, response.text
    assert response.json["token_type"] == "Bearer"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_client_authenticates_with_its_secret_as_the_key(world, secret_signed, door, algorithm):
    client, secret = world.sealed_client()
    response = world.token(secret_signed(secret, world.claims(client), algorithm), door)
    assert response.status_code == 200, response.text


def test_what_another_library_signs_is_understood(make_world, key):
    """Authlib names the token endpoint, as OpenID Connect Core §9 does."""
    world = make_world(CLIENT_ASSERTION_ACCEPTED_AUDIENCES=["issuer", "token_endpoint"])
    endpoint = f"{ISSUER}/token/"
    pem = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    now = {"iat": int(world.clock()), "exp": int(world.clock()) + 60}
    by_key = private_key_jwt_sign(ECKey.import_key(pem), world.client(key), endpoint, alg="ES256", claims=now)
    client, secret = world.sealed_client()
    by_secret = client_secret_jwt_sign(OctKey.import_key(secret), client, endpoint, claims=now)
    assert [world.token(assertion).status_code for assertion in (by_key, by_secret)] == [200, 200]


def test_client_id_may_stand_beside_it(world, key):
    client = world.client(key)
    assert world.token(key.sign(world.claims(client)), client_id=client).status_code == 200


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "client-authentication+jwt"])
def test_the_type_of_an_assertion_may_be_said(world, key, typ):
    client = world.client(key)
    assert world.token(key.sign(world.claims(client), typ=typ)).status_code == 200


def test_it_works_at_revocation_and_introspection(world, key, door):
    client = world.client(key)
    token = world.token(key.sign(world.claims(client)), door).json["access_token"]

    def ask(path):
        form = {
            "client_assertion_type": TYPE,
            "client_assertion": key.sign(world.claims(client)),
            "token": token,
        }
        return world.post(path, form, door)

    assert ask("/o/introspect/").json["active"] is True
    assert ask("/o/revoke_token/").status_code == 200
    assert ask("/o/introspect/").json == {"active": False}
    for path in ("/o/introspect/", "/o/revoke_token/"):
        bad = {"client_assertion_type": TYPE, "client_assertion": "x", "token": token}
        response = world.post(path, bad, door)
        assert (response.status_code, response.json["error"]) == (401, "invalid_client")


def test_a_client_of_any_method_may_use_what_it_holds_keys_for(world, key):
    client = world.client(metadata={"jwks": key.jwks})
    assert world.token(key.sign(world.claims(client))).status_code == 200


def test_a_client_whose_keys_are_elsewhere_authenticates(make_world, key, tmp_path):
    authority = Authority()
    rooms = ("client_assertion", "jose", "fetch")
    settings = {
        "FETCH_ALLOWED_PRIVATE_HOSTS": ["localhost"],
        "FETCH_CA_BUNDLE": str(authority.write(tmp_path)),
    }
    world = make_world(*rooms, **settings)
    with HttpsServer(authority, tmp_path) as server:
        server.routes["/jwks"] = lambda _asked: Reply.json(key.jwks)
        metadata = {"jwks_uri": f"{server.url}/jwks"}
        client = world.client(token_endpoint_auth_method="private_key_jwt", metadata=metadata)
        assert [world.token(key.sign(world.claims(client))).status_code for _ in range(2)] == [200, 200]
        assert len(server.asked) == 1


def test_a_client_whose_keys_cannot_be_had_is_told_to_come_again(make_world, key, door):
    """RFC 6749 §5.2 has no word for it; invalid_client would tell it that its key is wrong."""

    class Away(Fetcher):
        keys = None

        @hookimpl
        def portula_fetcher(self, provider):
            return self

        def get(self, url, *, accept, max_bytes=65536):
            if self.keys is None:
                raise FetchFailed("no answer")
            return FetchResponse(200, "application/json", json.dumps(self.keys).encode())

        def post(self, url, form, *, max_bytes=65536):
            raise NotImplementedError

    away = Away()
    world = make_world("client_assertion", "jose", away, CLIENT_JWKS_REFETCH_SECONDS=7)
    metadata = {"jwks_uri": "https://client.example/jwks"}
    client = world.client(token_endpoint_auth_method="private_key_jwt", metadata=metadata)
    assertion = key.sign(world.claims(client))
    form = {"client_assertion_type": TYPE, "client_assertion": assertion, "token": "any"}
    for response in (
        world.token(assertion, door),
        world.post("/o/introspect/", form, door),
        world.post("/o/revoke_token/", form, door),
    ):
        assert (response.status_code, response.json["error"]) == (503, "temporarily_unavailable")
        assert response.headers["Retry-After"] == "7"
        assert "WWW-Authenticate" not in response.headers
    away.keys = key.jwks
    world.clock.advance(7)
    assert world.token(assertion, door).status_code == 200, "it was not used up"


# --- Once ---


def test_one_assertion_counts_once(world, key, door):
    assertion = key.sign(world.claims(world.client(key)))
    assert world.token(assertion, door).status_code == 200
    for again in ("flask", "wsgi"):
        refused(world.token(assertion, again))


def test_of_many_at_the_same_time_one_succeeds(world, key):
    assertion = key.sign(world.claims(world.client(key)))
    together = threading.Barrier(8)

    def ask(number):
        together.wait(10)
        return world.token(assertion, ("flask", "wsgi")[number % 2]).status_code

    with ThreadPoolExecutor(8) as pool:
        found = sorted(pool.map(ask, range(8)))
    assert found == [200, *[401] * 7]


def test_workers_that_share_a_database_share_what_was_used(make_world, key, tmp_path):
    workers = [make_world(folder=tmp_path) for _ in range(2)]
    assertion = key.sign(workers[0].claims(workers[0].client(key)))
    together = threading.Barrier(6)

    def ask(number):
        together.wait(10)
        return workers[number % 2].token(assertion).status_code

    with ThreadPoolExecutor(6) as pool:
        found = sorted(pool.map(ask, range(6)))
    for worker in workers:
        worker.close()
    assert found == [200, *[401] * 5]


def test_a_jti_is_spent_though_the_request_failed(world, key, door):
    """The transaction of the request is rolled back; the jti is not given back with it."""
    client = world.client(key)
    assertion = key.sign(world.claims(client))
    refused(world.token(assertion, door, scope="unknown"), "invalid_scope")
    refused(world.token(assertion, door))


def test_a_jti_of_a_bad_signature_is_not_spent(world, key):
    """Or anybody could use up what a client is about to send."""
    claims = world.claims(world.client(key))
    refused(world.token(TokenKey("ES256").sign(claims)))
    assert world.token(key.sign(claims)).status_code == 200


def test_clients_may_choose_the_same_jti(world, key):
    for client in (world.client(key), world.client(key)):
        assert world.token(key.sign(world.claims(client, jti="1"))).status_code == 200


def test_a_jti_is_remembered_until_nobody_would_believe_it_any_more(world, key, clock):
    assertion = key.sign(world.claims(world.client(key), exp=int(clock()) + 300))
    assert world.token(assertion).status_code == 200
    clock.advance(359)
    world.purge()
    refused(world.token(assertion))
    assert world.remembered() == 1
    clock.advance(2)
    world.purge()
    assert world.remembered() == 0
    refused(world.token(assertion))


# --- Beside other methods ---


def test_two_methods_at_once_are_refused(world, key, door):
    client = world.client(key)
    form = {"client_id": client, "client_secret": "x" * 40}
    refused(world.token(key.sign(world.claims(client)), door, **form), "invalid_request")


def test_a_client_of_one_method_cannot_use_the_other(world, key, secret_signed):
    with_key = world.client(key)
    with_secret, secret = world.sealed_client(metadata={"jwks": key.jwks})
    refused(world.token(secret_signed("x" * 40, world.claims(with_key))))
    refused(world.token(key.sign(world.claims(with_secret))))
    assert world.token(secret_signed(secret, world.claims(with_secret))).status_code == 200


def test_a_client_registered_for_a_key_cannot_use_its_secret(world, key):
    client = world.client(key)
    form = {"grant_type": "client_credentials", "client_id": client, "client_secret": "x" * 40}
    refused(world.post("/o/token/", form))


REQUEST_OBJECTS = [
    {"response_type": "code"},
    {"redirect_uri": "https://client.example/cb"},
    {"code_challenge": "c" * 43},
    {"response_mode": "form_post"},
]


@pytest.mark.parametrize("path", ["/o/token/", "/o/introspect/", "/o/revoke_token/"])
@pytest.mark.parametrize("members", REQUEST_OBJECTS, ids=str)
def test_a_request_object_proves_nothing(world, key, door, path, members):
    """It went through a browser, where others read it (RFC 9101 §10.8)."""
    client = world.client(key)
    assertion = key.sign({**world.claims(client), **members})
    form = {"client_assertion_type": TYPE, "client_assertion": assertion}
    refused(world.post(path, {**form, "grant_type": "client_credentials", "token": "any"}, door))


def test_an_assertion_may_name_its_client_once_more(world, key):
    client = world.client(key)
    assert world.token(key.sign({**world.claims(client), "client_id": client})).status_code == 200


def test_a_request_object_signed_with_a_secret_proves_nothing_either(world, secret_signed, door):
    client, secret = world.sealed_client()
    refused(world.token(secret_signed(secret, world.claims(client, response_type="code")), door))


@pytest.mark.parametrize("path", ["/o/token/", "/o/introspect/", "/o/revoke_token/"])
def test_an_assertion_without_its_type_does_not_count(world, key, door, path):
    client = world.client(key)
    form = {"client_assertion": key.sign(world.claims(client)), "token": "any", "client_id": client}
    refused(world.post(path, {**form, "grant_type": "client_credentials"}, door))
    assert world.remembered() == 0


def test_an_assertion_of_another_type_is_left_to_who_knows_it(make_world, key):
    """Nothing here claims it, and no other method is refused for standing beside it."""

    class Saml:
        @hookimpl
        def portula_client_auth_methods(self, provider):
            def presented(request):
                return "saml" in request.body.get("client_assertion_type", "")

            def known(_request):
                return world.record(client)

            return [ClientAuthMethod("saml", presented, known)]

    world = make_world("client_assertion", "jose", Saml())
    client = world.client()
    other = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    assert world.token("PHNhbWw+", client_assertion_type=other).status_code == 200
    refused(world.token("PHNhbWw+", client_assertion_type="urn:other"))


def test_without_something_that_verifies_there_are_no_methods(make_world, key):
    world = make_world("client_assertion")
    methods = set(world.provider.client_auth_methods)
    assert methods == {"client_secret_basic", "client_secret_post", "none"}
    assert not any("signing_alg" in name for name in world.provider.metadata_document)
    with pytest.raises(InvalidClientMetadata, match="nothing here verifies signatures"):
        world.client(key)
    client = world.client()
    refused(world.token(key.sign(world.claims(client)), client_id=client))
