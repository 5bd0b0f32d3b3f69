"""JWT access tokens at a resource server in another process, verified by the keys of their issuer (RFC 9068 §4)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from flask import Flask
from security.driving import ISSUER
from support.elsewhere import API, KEYS, METADATA, Elsewhere, document

import portula_fetch
import portula_jose
import portula_resource_server
from portula import ConfigError, Plugin, Provider, hookimpl
from portula_testing import jws

OF_THE_FUTURE, PAST = 2_000_000_000, 1_600_000_000


@pytest.fixture(scope="module")
def world():
    return Elsewhere()


@pytest.fixture
def fresh(world):
    """A resource server that has fetched nothing yet, beside the same provider."""
    return Elsewhere(house=world.house)


@pytest.fixture(scope="module")
def forged(world):
    """A resource server that takes a key of the tests for one of the issuer's."""
    elsewhere = Elsewhere(house=world.house)
    assert elsewhere.status(elsewhere.forgery()) == 200
    return elsewhere


def refused(answer, status=401, error="invalid_token"):
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert f'error="{error}"' in answer.headers["WWW-Authenticate"]


# --- What counts ---


def test_a_token_of_a_person_and_one_of_a_client_count(world):
    client = world.house.client()
    tokens = world.house.tokens(client, scope="openid read")
    told = world.get(tokens["access_token"]).json
    assert (told["subject"], told["client_id"]) == (world.house.ann.sub, client.client_id)
    assert told["expires_at"] == world.clock.time + tokens["expires_in"]
    assert told["claims"]["amr"] == ["pwd"]
    assert world.get(world.token(client)).json["subject"] is None


def test_nobody_is_asked_but_for_metadata_and_keys_and_for_these_once(fresh):
    for _ in range(3):
        assert fresh.status(fresh.token()) == 200
    assert fresh.web.asked == [METADATA, KEYS]


def test_a_scope_that_is_missing_is_refused_as_ever(world):
    refused(world.get(world.token(), path="/write"), 403, "insufficient_scope")
    answer = world.http.get("/read", base_url=API)
    assert (answer.status_code, answer.data) == (401, b"")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384", "EdDSA"])
def test_each_algorithm_of_the_issuer_counts(world, algorithm):
    assert world.status(world.token(world.house.client(algorithm=algorithm))) == 200


def test_it_works_without_a_storage(world):
    assert Elsewhere(house=world.house, stores=False).status(world.token()) == 200


# --- What does not ---

FORGED = {
    "of another issuer": {"iss": "https://other.example/o"},
    "of an issuer that looks like it": {"iss": f"{ISSUER}/"},
    "of nobody": {"iss": None},
    "for another server": {"aud": "https://files.example"},
    "for a server that looks like it": {"aud": [f"{API}/", f"{API}.evil.example", API.upper(), f"{API}x"]},
    "for the client": {"aud": "app"},
    "for nobody": {"aud": None},
    "for an empty list": {"aud": []},
    "for a number": {"aud": 7},
    "for a list of objects": {"aud": [{"a": API}]},
    "expired": {"exp": PAST},
    "without end": {"exp": None},
    "with an end that is a text": {"exp": "soon"},
    "with an end that is a bool": {"exp": True},
    "with an end beyond the calendar": {"exp": 10**18},
    "of the future": {"iat": OF_THE_FUTURE},
    "of no time": {"iat": None},
    "not valid yet": {"nbf": OF_THE_FUTURE},
    "with a start that is a text": {"nbf": "now"},
    "of no subject": {"sub": None},
    "of a subject that is a number": {"sub": 1},
    "of no client": {"client_id": None},
    "without a name": {"jti": None},
    "with scopes as a list": {"scope": ["read"]},
    "bound to a text": {"cnf": "jkt"},
    "bound to what nobody proves": {"cnf": {"leaf": "green"}},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
def test_a_token_whose_claims_are_wrong_is_refused(forged, changes):
    refused(forged.get(forged.forgery(**changes)))


@pytest.mark.parametrize(
    ("claim", "seconds", "status"),
    [
        ("exp", -9, 200),
        ("exp", -10, 401),
        ("iat", 10, 200),
        ("iat", 11, 401),
        ("nbf", 10, 200),
        ("nbf", 11, 401),
    ],
)
def test_clocks_may_differ_by_a_little(forged, claim, seconds, status):
    assert forged.status(forged.forgery(**{claim: forged.clock.time + seconds})) == status


def test_a_token_may_be_for_several_servers(forged):
    assert forged.status(forged.forgery(aud=["https://files.example", API])) == 200


@pytest.mark.parametrize(
    "typ", ["JWT", None, "logout+jwt", "dpop+jwt", "token-introspection+jwt", "at-jwt", "at+jwt;x"]
)
def test_a_token_of_another_type_is_refused(forged, typ):
    refused(forged.get(forged.forgery(typ=typ)))


@pytest.mark.parametrize("typ", ["at+JWT", "application/at+jwt"])
def test_the_type_is_compared_as_a_media_type(forged, typ):
    assert forged.status(forged.forgery(typ=typ)) == 200


def test_what_the_issuer_signs_besides_is_refused(world):
    """S44: each is signed by the very keys."""
    house, client = world.house, world.house.client()
    tokens = house.tokens(client, scope="openid read")
    jose, now = house.provider.hooks.ask(Plugin.portula_jose), house.clock.time
    claims = {"iss": ISSUER, "sub": "1", "aud": API, "iat": now, "exp": now + 60, "jti": "x"}
    others = [jose.sign(claims, typ=typ) for typ in ("JWT", "logout+jwt", "token-introspection+jwt", "")]
    for token in (tokens["id_token"], tokens["refresh_token"], *others):
        refused(world.get(token))


def test_no_algorithm_and_no_key_of_a_tokens_own_is_believed(forged):
    """S40, S41: the public key as a secret, none, a key in the header, another key under the same name."""
    claims = jws.taken_apart(forged.forgery())[1]
    public = str(forged.key.jwk).encode()
    stranger = jws.TokenKey("ES256", kid=forged.key.kid)
    tokens = [
        jws.unsigned_token(claims, typ="at+jwt", kid=forged.key.kid),
        jws.signed_with_secret(public, claims, typ="at+jwt", kid=forged.key.kid),
        forged.forgery(stranger),
        forged.forgery(stranger, header={"jwk": stranger.jwk}),
        forged.forgery(stranger, header={"jku": "https://evil.example/keys"}),
        forged.forgery() + "A",
        f"{forged.forgery()}.{forged.forgery()}",
    ]
    for token in tokens:
        refused(forged.get(token))
    assert "https://evil.example/keys" not in forged.web.asked


def test_an_algorithm_that_is_not_allowed_here_is_refused(world):
    strict = Elsewhere(house=world.house, RESOURCE_SERVER_JWT_ALGS=["PS256"])
    assert strict.status(world.token()) == 401
    assert strict.status(world.token(world.house.client(algorithm="PS256"))) == 200


def test_a_callable_may_compare_audiences(world):
    seen = []

    def validate(url, audience):
        seen.append((url, audience))
        return "https://files.example" in audience

    own = {"RESOURCE_SERVER_AUDIENCES": [], "RESOURCE_SERVER_TOKEN_RESOURCE_VALIDATOR": validate}
    other = Elsewhere(house=world.house, **own)
    assert other.status(world.token(resource="https://files.example")) == 200
    assert other.status(world.token()) == 401
    assert seen[1] == (f"{API}/read", [API])


# --- Keys ---


def test_a_key_that_is_not_known_is_looked_for_once_in_a_while(fresh):
    fresh.publish(old := jws.TokenKey("ES256", kid="old"))
    assert fresh.status(fresh.forgery(old)) == 200
    fresh.publish(old, new := jws.TokenKey("ES256", kid="new"))
    for _ in range(3):
        assert fresh.status(fresh.forgery(jws.TokenKey("ES256", kid="nobody's"))) == 401
    assert fresh.web.asked.count(KEYS) == 1
    fresh.clock.forward(10)
    assert fresh.status(fresh.forgery(new)) == 200
    assert fresh.web.asked.count(KEYS) == 2


def test_keys_that_cannot_be_had_are_no_refusal(fresh):
    token = fresh.token()
    fresh.web.is_down = True
    for _ in range(3):
        answer = fresh.get(token)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert fresh.web.asked == [METADATA]
    fresh.web.is_down = False
    fresh.clock.forward(10)
    assert fresh.status(fresh.token()) == 200
    fresh.web.is_down = True
    assert fresh.status(fresh.token()) == 200


def test_keys_that_cannot_be_had_at_a_set_address_are_no_refusal_either(world):
    other = Elsewhere(house=world.house, RESOURCE_SERVER_JWKS_URL="https://keys.example/set")
    other.web.is_down = True
    token = other.token()
    assert [other.get(token).headers["Retry-After"] for _ in range(3)] == ["10"] * 3
    assert other.web.asked == ["https://keys.example/set"]


BAD_METADATA = {
    "of another issuer": document(issuer="https://other.example/o", jwks_uri=KEYS),
    "without keys": document(issuer=ISSUER),
    "with keys that are no address": document(issuer=ISSUER, jwks_uri=7),
    "that is a list": b"[]",
    "that is none": b"<html>",
}


@pytest.mark.parametrize("metadata", BAD_METADATA.values(), ids=BAD_METADATA)
def test_metadata_that_is_not_the_issuers_is_not_believed(fresh, metadata, caplog):
    fresh.web.documents[METADATA] = metadata
    assert fresh.status(fresh.token()) == 503
    assert "the metadata of https://id.example/o" in caplog.text


def test_the_address_of_the_keys_is_read_again_and_goes_on_while_it_cannot_be(fresh):
    assert fresh.status(fresh.token()) == 200
    fresh.clock.forward(3600)
    fresh.web.documents[METADATA] = b"<html>"
    assert fresh.status(fresh.token()) == 200
    assert fresh.web.asked.count(METADATA) == 2


def test_metadata_that_hangs_holds_up_one_request(fresh):
    token, get, entered, go = fresh.token(), fresh.web.get, Event(), Event()
    assert fresh.status(token) == 200
    fresh.clock.forward(3600)

    def slow(url, **keywords):
        if url == METADATA:
            entered.set()
            assert go.wait(10)
        return get(url, **keywords)

    fresh.web.get = slow
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(fresh.status, token)
        assert entered.wait(10)
        assert fresh.status(token) == 200
        go.set()
        assert first.result(10) == 200
    assert fresh.web.asked.count(METADATA) == 2


# --- Settings ---


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"RESOURCE_SERVER_ISSUER": "http://id.example/o"}, "an https URL"),
        ({"RESOURCE_SERVER_ISSUER": "https://ann@id.example/o"}, "an https URL"),
        ({"RESOURCE_SERVER_JWKS_URL": "/keys"}, "an https URL"),
        ({"RESOURCE_SERVER_JWKS_URL": "https://id.example/keys#1"}, "an https URL"),
        ({"RESOURCE_SERVER_AUDIENCES": []}, "RESOURCE_SERVER_ISSUER needs RESOURCE_SERVER_AUDIENCES"),
        ({"RESOURCE_SERVER_JWT_ALGS": ["none"]}, "'none' is signed by nobody"),
        ({"RESOURCE_SERVER_JWT_ALGS": ["RS256", "HS256"]}, "'HS256' is signed by nobody, or by a secret"),
        ({"RESOURCE_SERVER_JWT_ALGS": []}, "RESOURCE_SERVER_JWT_ALGS"),
        ({"RESOURCE_SERVER_JWT_LEEWAY_SECONDS": 61}, "RESOURCE_SERVER_JWT_LEEWAY_SECONDS"),
        ({"RESOURCE_SERVER_JWT_INTROSPECTED": True}, "needs RESOURCE_SERVER_INTROSPECTION_URL"),
        ({"RESOURCE_SERVER_ISSUER": None, "RESOURCE_SERVER_JWKS_URL": KEYS}, "need RESOURCE_SERVER_ISSUER"),
    ],
)
def test_a_configuration_that_cannot_work_stops_the_start(world, settings, said):
    with pytest.raises(ConfigError) as raised:
        Elsewhere(house=world.house, **settings)
    assert said in str(raised.value)


@pytest.mark.parametrize("slot", ["jose", "fetcher"])
def test_what_is_missing_is_named_at_start(slot):
    answers = {"jose": portula_jose, "fetcher": portula_fetch}
    rooms = [portula_resource_server, *(room for name, room in answers.items() if name != slot)]
    app = Flask("elsewhere")
    own = {"RESOURCE_SERVER_ISSUER": ISSUER, "RESOURCE_SERVER_AUDIENCES": [API]}
    app.config.update(SECRET_KEY="0123456789abcdef", OAUTH2_PROVIDER=own)
    with pytest.raises(ConfigError, match=f"slot '{slot}'"):
        Provider(app, plugins=rooms, discover=False)


def test_a_verifier_of_the_deployments_own_answers_in_its_place(world):
    class Own:
        @hookimpl
        def portula_token_verifier(self, provider):
            return lambda token: None

    choice = {"fetcher": "Web", "token_verifier": "Own"}
    assert Elsewhere(Own(), house=world.house, PLUGINS_CHOICE=choice).status(world.token()) == 401
