"""A house in which OpenID Connect is on, a relying party that looks closely, and fixtures for both."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from security.house import House

from portula_testing import jws
from portula_testing.writing import change_in

SCOPE = "openid profile email address phone"
GRANTS = ("authorization_code", "refresh_token", "client_credentials", "implicit")
CLAIMS = {
    "name": "Ann Example",
    "given_name": "Ann",
    "address": {"locality": "Lund"},
    "phone_number": "+46 1",
    "email_verified": True,
    "shoe_size": 39,
}


class World(House):
    """A house with a relying party's eyes."""

    def __init__(self, *plugins, **settings):
        given = {"OIDC_ENABLED": True, "PKCE_REQUIRED": "public", "IMPLICIT_GRANT_ENABLED": True, **settings}
        super().__init__(*plugins, **{name: value for name, value in given.items() if value is not ...})
        change_in(
            self.provider.storage,
            type(self.ann),
            {"sub": self.ann.sub},
            email="ann@example.com",
            claims=CLAIMS,
        )

    def client(self, *, hash_secret=True, **fields):
        fields.setdefault("grant_types", GRANTS)
        if hash_secret:
            return super().client(**fields)
        party = super().client(**{**fields, "algorithm": ""})
        copied = replace(self.find(party), client_id="", algorithm=fields.get("algorithm", ""))
        application, secret = self.provider.clients.create(copied, hash_secret=False)
        return replace(party, client_id=application.client_id, secret=secret)

    def keys(self):
        return {key["kid"]: key for key in self.door().open("/o/.well-known/jwks.json").json["keys"]}

    def read(self, token, party=None):
        """Return the claims of a token, once its signature is right."""
        header, _ = jws.taken_apart(token)
        if header["alg"].startswith("HS"):
            return jws.verified_with_secret(token, party.secret.encode())[1]
        key = self.keys()[header["kid"]]
        assert key.get("alg", header["alg"]) == header["alg"]
        return jws.verify_token(token, key)[1]

    def sign_in(self, party, **parameters):
        """Run the code flow with the scope openid and return the token response's members."""
        return self.tokens(party, **{"scope": SCOPE, **parameters})

    def userinfo(self, token, method="GET", **keywords):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.door().open("/o/userinfo/", method=method, headers=headers, **keywords)


@pytest.fixture(scope="session")
def pem():
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="session")
def make_world(pem):
    """Return the function that makes a world with other settings or plugins; ... leaves a setting out."""

    def make(*plugins, **settings):
        return World(*plugins, **{"OIDC_RSA_PRIVATE_KEY": pem, **settings})

    return make


@pytest.fixture(scope="session")
def world(make_world):
    """The world that most tests share: each makes the clients it needs, and time only goes forward."""
    return make_world(SIGNING_KEYS_GENERATED=True)


@pytest.fixture
def browser(world):
    return world.browser()
