"""What clients do that have tokens encrypted, and encrypt their requests (RFC 7516)."""

import json

from joserfc import jwk
from security.driving import s256
from support.encrypting import encrypted, jwks_of, opened, rsa_key

from failures.houses import CALLBACK, ISSUER, VERIFIER, House, claims_of, expect, sent_back
from failures.machine_flows import FirstKey, bearer
from portula.plugin import AccessToken
from portula_testing import jws

ALGORITHM = "RSA-OAEP"


def content(token):
    return opened(token, rsa_key(), ALGORITHM)[1]


def readable(answer):
    """Return a redirect with what is in its encrypted response."""
    address, found, token = (answer.location or "").partition("response=")
    if found:
        answer.headers["Location"] = f"{address}response={content(token)}"
    return answer


class EncryptedTokens(FirstKey):
    """A code is redeemed for an ID token that is encrypted, and userinfo is asked for, which is too."""

    name = "encrypted tokens"
    keyed = True

    def prepare(self):
        self.person()
        names = ("id_token_encrypted_response_alg", "userinfo_encrypted_response_alg")
        members = {"jwks": jwks_of(rsa_key()), **dict.fromkeys(names, ALGORITHM)}
        self.client("authorization_code", "refresh_token", metadata=members)
        self.code = self.authorize(self.browser())["code"]

    def run(self):
        self.tokens = self.redeem(self.code)
        token = self.tokens["access_token"]
        self.told = expect(self.browser().get("/o/userinfo/", headers=bearer(token)), 200).text

    def check(self):
        sub = claims_of(content(self.tokens["id_token"]))["sub"]
        assert json.loads(content(self.told))["sub"] == sub
        return sub


class EncryptedResponse(House):
    """The answer to an authorization request is a JWT that is encrypted."""

    name = "encrypted response"

    def prepare(self):
        self.person()
        members = {"jwks": jwks_of(rsa_key()), "authorization_encrypted_response_alg": ALGORITHM}
        self.client("authorization_code", skip_authorization=True, metadata=members)
        self.visitor = self.browser()
        self.sign_in(self.visitor)

    def attempt(self, action):
        """Read what is encrypted, so that an error in it is seen."""
        return super().attempt(lambda: readable(action()))

    def run(self):
        claims = claims_of(sent_back(self.ask(self.visitor, response_mode="jwt"))["response"])
        if "error" in claims:
            raise AssertionError(f"the app gets the error {claims['error']}")
        self.tokens = self.redeem(claims["code"])

    def check(self):
        assert len(self.live(AccessToken)) == 1
        return self.active(self.tokens["access_token"])


class EncryptedRequest(House):
    """A request object that is encrypted for the provider."""

    name = "encrypted request"

    def prepare(self):
        self.person()
        self.key = jws.TokenKey("ES256")
        self.client("authorization_code", skip_authorization=True, metadata={"jwks": self.key.jwks})
        self.visitor = self.browser()
        self.sign_in(self.visitor)
        keys = expect(self.browser().get("/o/.well-known/jwks.json"), 200).json["keys"]
        ours = next(key for key in keys if key["use"] == "enc" and key["kty"] == "RSA")
        asked = {
            "iss": self.client_id,
            "aud": ISSUER,
            "client_id": self.client_id,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "read",
            "state": "of the object",
            "code_challenge": s256(VERIFIER),
            "code_challenge_method": "S256",
        }
        self.object = encrypted(self.key.sign(asked), jwk.RSAKey.import_key(ours), ALGORITHM, kid=ours["kid"])

    def run(self):
        query = {"client_id": self.client_id, "redirect_uri": CALLBACK, "request": self.object}
        sent = sent_back(self.visitor.get("/o/authorize/", query_string=query))
        assert sent["state"] == "of the object"
        self.tokens = self.redeem(sent["code"])

    def check(self):
        assert len(self.live(AccessToken)) == 1
        return self.active(self.tokens["access_token"])
