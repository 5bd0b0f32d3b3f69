"""S44 at the places of newer protocols, and for tokens that are encrypted: each is taken only where it belongs.

Rooms: par, jar, dpop, rar, device, jwt_introspection with the resource servers that read its answers. Anybody may
encrypt a token for the provider, whose keys are public: that makes no other kind of it.
"""

import httpx
import pytest
from joserfc.jwk import RSAKey
from support.asking import ResourceServer
from support.devices import GRANT
from support.elsewhere import API, Web
from support.encrypting import encrypted
from support.proofs import Prover

from security.driving import answered, bearer
from security.test_s44_places import (
    ASSERTION_TYPE,
    ISSUER,
    KEY,
    KINDS,
    TAKEN,
    Places,
    elsewhere,
    house,
    made,
    of_client,
    plain,
    reading,
    signing,
)

__all__ = ["elsewhere", "house", "plain", "reading", "signing"]

JWT = "application/token-introspection+jwt"
THOROUGH = ("authorization response", "introspection answer", "client assertion", "DPoP proof")
ENCRYPTED = [
    "ID token",
    "JWT access token",
    "request object",
    *(pytest.param(kind, marks=pytest.mark.thorough) for kind in THOROUGH),
]
OPENED = {
    "request object": ("as_a_request_object", "as_a_pushed_request_object"),
    "ID token": ("as_a_hint", "as_a_hint_of_logout"),
}
"""Where clients may send what is encrypted for the provider (RFC 9101 §6.1, OpenID Connect Core §3.1.2.1)."""


def for_the_provider(house, token):
    """Encrypt a token with the public key of the provider."""
    keys = house.door().open("/o/.well-known/jwks.json").json["keys"]
    key = RSAKey.import_key(next(key for key in keys if key["use"] == "enc" and key["kty"] == "RSA"))
    return encrypted(token, key, "RSA-OAEP", kid=key.kid)


class MorePlaces(Places):
    """Presents a token; says whether it was taken."""

    def _by(self, assertion, path="/o/par/", **form):
        """Post as the client that signs, by the assertion that is given, or a fresh one."""
        assertion = assertion or KEY.sign(of_client(self.house, self.signing))
        form |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
        return self.door.post(path, form)

    def as_a_caller_of_introspection(self, token):
        return self.door.post("/o/introspect/", {"token": "x"}, bearer(token)).status_code != 401

    def as_an_assertion_at_introspection(self, token):
        return self._by(token, "/o/introspect/", token="x").status_code == 200

    def as_an_assertion_at_a_push(self, token):
        return self._by(token, response_type="code").json["error"] != "invalid_client"

    def as_a_pushed_request_object(self, token):
        form = {"client_id": self.signing.client_id, "request": token}
        return self._by(None, **form).status_code == 201

    def as_a_reference(self, token):
        answer = self.house.browser().ask(self.signing, request_uri=token, state=None)
        return answer.status_code == 302 and "error" not in answered(answer)

    def as_a_device_code(self, token):
        return self.door.token(self.plain, grant_type=GRANT, device_code=token).status_code == 200

    def as_details(self, token):
        form = {"grant_type": "client_credentials", "authorization_details": token}
        return self.door.token(self.plain, **form).status_code == 200

    def as_a_bound_token(self, token):
        prover = Prover(lambda: self.house.clock.time)
        return self.door.open("/resource", headers=prover.at("/resource", token)).status_code == 200

    def as_a_proof_at_a_resource(self, token):
        bound = self.house.tokens(self.plain)["access_token"]
        headers = {"Authorization": f"DPoP {bound}", "DPoP": token}
        return self.door.open("/resource", headers=headers).status_code == 200


MORE = {
    "as_a_caller_of_introspection": {"access token", "JWT access token"},
    "as_an_assertion_at_introspection": {"client assertion", "client assertion without type"},
    "as_an_assertion_at_a_push": {"client assertion", "client assertion without type"},
    "as_a_pushed_request_object": {"request object"},
    "as_a_reference": set(),
    "as_a_device_code": set(),
    "as_details": set(),
    "as_a_bound_token": set(),
    "as_a_proof_at_a_resource": set(),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", MORE)
def test_a_token_is_taken_where_it_belongs_and_nowhere_else(
    house, signing, plain, reading, elsewhere, place, kind
):
    token = made(house, signing, plain, reading, kind)
    house.clock.forward(1)
    assert getattr(MorePlaces(house, signing, plain, elsewhere), place)(token) is (kind in MORE[place])


@pytest.mark.parametrize("kind", ENCRYPTED)
@pytest.mark.parametrize("place", [*TAKEN, *MORE])
def test_encrypting_a_token_makes_no_other_kind_of_it(house, signing, plain, reading, elsewhere, place, kind):
    token = for_the_provider(house, made(house, signing, plain, reading, kind))
    house.clock.forward(1)
    taken = getattr(MorePlaces(house, signing, plain, elsewhere), place)(token)
    assert taken is (place in OPENED.get(kind, ()))


@pytest.fixture
def server(monkeypatch, house, plain):
    """A resource server that asks as the client to which the answers are made."""
    settings = {
        "RESOURCE_SERVER_INTROSPECTION_SIGNED": True,
        "RESOURCE_SERVER_INTROSPECTION_CREDENTIALS": (plain.client_id, plain.secret),
        "RESOURCE_SERVER_ISSUER": ISSUER,
        "RESOURCE_SERVER_AUDIENCES": [API],
        "RESOURCE_SERVER_TOKEN_CACHING_SECONDS": 0,
    }
    return ResourceServer(monkeypatch, house, Web(house.door()), **settings)


@pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_resource_server_takes_answers_alone_for_answers(
    house, signing, plain, reading, server, kind, wrapped
):
    token = made(house, signing, plain, reading, kind)
    token = for_the_provider(house, token) if wrapped else token
    house.clock.forward(1)
    server.answer = lambda _request: httpx.Response(200, headers={"Content-Type": JWT}, content=token)
    taken = server.get("opaque").status_code in (200, 403)  # its token has another scope than the view needs
    assert taken is (kind == "introspection answer" and not wrapped)
