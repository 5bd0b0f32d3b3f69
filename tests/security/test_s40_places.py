"""S40 to S42 over HTTP: no forgery is believed where clients and servers present JWTs.

Rooms: jar and par (request objects, and what a client proves itself by there), dpop, jwt_access_tokens and
jwt_introspection at resource servers elsewhere. The forgeries themselves are those of `portula_testing`.
"""

import itertools

import httpx
import pytest
from support.asking import ResourceServer
from support.assertions import TYPE
from support.elsewhere import API, KEYS, Elsewhere, Web, document
from support.proofs import Prover

from portula_testing import jws
from portula_testing.forgeries import (
    MALFORMED,
    REFUSED_HEADERS,
    alterations,
    key_confusions,
    psychic,
    self_made,
    sign_again,
)
from security.driving import ISSUER, bearer, s256
from security.house import House

KEY = jws.TokenKey("ES256", kid="of the tests")
ANSWER = "application/token-introspection+jwt"
_numbers = itertools.count()


class Place:
    """Where a JWT is presented: the claims of a good one, its type, and whether one is taken."""

    typ = "JWT"
    brings_its_key = False

    def __init__(self, house, monkeypatch):
        self.house, self.door = house, house.door()
        self.party = house.client(metadata={"jwks": KEY.jwks})
        self.header = {}

    def claims(self):
        now = self.house.clock.time
        return {"iss": self.party.client_id, "aud": ISSUER, "iat": now, "exp": now + 60}

    def good(self):
        return KEY.sign(self.claims(), typ=self.typ, **self.header)


def asked(party):
    """Return the parameters of an authorization request."""
    return {
        "client_id": party.client_id,
        "response_type": "code",
        "redirect_uri": party.redirect_uri,
        "scope": "read",
        "code_challenge": s256("v" * 43),
        "code_challenge_method": "S256",
    }


class RequestObject(Place):
    typ = "oauth-authz-req+jwt"

    def claims(self):
        return {**super().claims(), **asked(self.party)}


class AtAuthorize(RequestObject):
    def takes(self, token):
        response = self.house.browser().ask(self.party, request=token)
        assert response.status_code < 500
        return response.status_code == 302 and "error" not in response.location


class AtPush(RequestObject):
    def takes(self, token):
        form = {"client_id": self.party.client_id, "request": token}
        answer = self.door.post("/o/par/", form, self.party.auth)
        assert answer.status_code in (201, 400, 413), answer.text
        return answer.status_code == 201


class AssertionAtPush(Place):
    typ = "client-authentication+jwt"

    def __init__(self, house, monkeypatch):
        super().__init__(house, monkeypatch)
        self.party = house.client(metadata={"jwks": KEY.jwks}, token_endpoint_auth_method="private_key_jwt")

    def claims(self):
        return {**super().claims(), "sub": self.party.client_id, "jti": f"{next(_numbers)}"}

    def takes(self, token):
        form = {"client_assertion_type": TYPE, "client_assertion": token, **asked(self.party)}
        answer = self.door.post("/o/par/", form)
        assert answer.status_code in (201, 400, 401, 413), answer.text
        return answer.status_code == 201


class Proof(Place):
    typ = "dpop+jwt"
    brings_its_key = True

    def __init__(self, house, monkeypatch):
        super().__init__(house, monkeypatch)
        self.header = {"jwk": KEY.jwk, "kid": None}

    def claims(self):
        uri = {"htm": "POST", "htu": f"{ISSUER}/token/"}
        return {**uri, "iat": self.house.clock.time, "jti": f"{next(_numbers)}"}

    def takes(self, token):
        headers = {**self.party.auth, "DPoP": token}
        answer = self.door.token(self.party, headers, grant_type="client_credentials")
        assert answer.status_code in (200, 400), answer.text
        return answer.status_code == 200


class AccessTokenElsewhere(Place):
    typ = "at+jwt"

    def __init__(self, house, monkeypatch):
        super().__init__(house, monkeypatch)
        self.server = Elsewhere(house=house)
        self.server.publish(KEY)

    def claims(self):
        of_token = {"sub": "1", "client_id": "app", "scope": "read", "jti": "x"}
        return {**super().claims(), "iss": ISSUER, "aud": API, **of_token}

    def takes(self, token):
        answer = self.server.http.get("/read", base_url=API, headers=bearer(token))
        assert answer.status_code in (200, 400, 401), answer.text
        return answer.status_code == 200


class AnswerElsewhere(Place):
    typ = "token-introspection+jwt"

    def __init__(self, house, monkeypatch):
        super().__init__(house, monkeypatch)
        web = Web(self.door)
        web.documents[KEYS] = document(keys=[KEY.jwk])
        self.server = ResourceServer(
            monkeypatch,
            house,
            web,
            RESOURCE_SERVER_INTROSPECTION_SIGNED=True,
            RESOURCE_SERVER_INTROSPECTION_CREDENTIALS=(self.party.client_id, self.party.secret),
            RESOURCE_SERVER_ISSUER=ISSUER,
            RESOURCE_SERVER_AUDIENCES=[API],
            RESOURCE_SERVER_TOKEN_CACHING_SECONDS=0,
        )

    def claims(self):
        told = {"token_introspection": {"active": True, "scope": "read", "sub": "1"}}
        return {"iss": ISSUER, "aud": self.party.client_id, "iat": self.house.clock.time, **told}

    def takes(self, token):
        headers = {"Content-Type": ANSWER}
        self.server.answer = lambda _request: httpx.Response(200, headers=headers, content=token.encode())
        answer = self.server.get("opaque")
        assert answer.status_code in (200, 503), answer.text
        return answer.status_code == 200


PLACES = [AtAuthorize, AtPush, AssertionAtPush, Proof, AccessTokenElsewhere, AnswerElsewhere]


@pytest.fixture(scope="module")
def house():
    return House(OIDC_ENABLED=True)


@pytest.fixture(params=PLACES, ids=lambda place: place.__name__)
def place(request, house, monkeypatch):
    made = request.param(house, monkeypatch)
    assert made.takes(made.good()), "a good one"
    return made


def taken(place, tokens):
    return [name for name, token in tokens if place.takes(token)]


def test_no_forged_signature_is_believed(place):
    """S40; a proof brings its key along, so there a stranger's own is no forgery."""
    forged = [*alterations(place.good()), *psychic(KEY.kid, place.claims(), place.typ)]
    assert taken(place, forged) == []
    assert place.takes(place.good())


def test_a_public_key_is_no_secret_and_none_is_no_algorithm(place):
    """S40."""
    forged = key_confusions(KEY.jwk, place.claims(), place.typ)
    if place.brings_its_key:
        secret = str(KEY.jwk).encode()
        forged = [
            ("secret", jws.signed_with_secret(secret, place.claims(), typ=place.typ, jwk=KEY.jwk)),
            ("none", jws.unsigned_token(place.claims(), typ=place.typ, jwk=KEY.jwk)),
        ]
    assert taken(place, forged) == []


def test_a_key_that_a_token_names_or_brings_is_not_used(place):
    """S41; a proof's `jwk` is its key, and nothing else of its header is one."""
    if place.brings_its_key:
        other = jws.TokenKey("ES256")
        headers = [{"jku": "https://evil.example/"}, {"x5u": "https://evil.example/"}, {"x5c": ["MIIB"]}]
        forged = [
            (str(header), other.sign(place.claims(), typ=place.typ, jwk=jwk, **header))
            for header in headers
            for jwk in (None, KEY.jwk)
        ]
    else:
        forged = self_made(KEY.kid, place.claims(), place.typ)
    assert taken(place, forged) == []


def test_what_a_header_must_not_have_is_refused(place):
    """S42: crit, b64, zip, and names of algorithms that are none."""
    forged = [(name, sign_again(KEY, place.good(), **header)) for name, header in REFUSED_HEADERS.items()]
    assert taken(place, forged) == []


def test_what_is_no_token_is_refused(place):
    """S42."""
    names = [text for text in MALFORMED if text.isascii() and text.isprintable() and 0 < len(text) < 60_000]
    assert taken(place, [(text[:40], text) for text in names]) == []


def test_a_proof_of_another_key_does_not_use_a_bound_token(house):
    """S41: the one place where a token's key counts is held to the key that the token is bound to."""
    mine, thief = (Prover(lambda: house.clock.time) for _ in range(2))
    party, door = house.client(), house.door()
    headers = {**party.auth, **mine.proof()}
    token = door.token(party, headers, grant_type="client_credentials", scope="read").json["access_token"]
    both = {"jwk": thief.public, "kid": mine.thumbprint}
    for headers in (thief.at("/resource", token), thief.at("/resource", token, header=both)):
        assert door.open("/resource", headers=headers).status_code == 401
    assert door.open("/resource", headers=mine.at("/resource", token)).status_code == 200
