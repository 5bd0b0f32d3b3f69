"""A FAPI 2.0 client, and what it does with a house: it pushes, proves a key, redeems and refreshes."""

import itertools
import secrets
from dataclasses import dataclass, field

from security.driving import ISSUER, Party, error_of, pkce

from portula.plugin import Application
from portula_testing import jws
from support.assertions import TYPE
from support.proofs import Prover

PAR = "/o/par/"
TOKEN = "/o/token/"
FIELDS = ("response_type", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")
_numbers = itertools.count()


@dataclass
class SecureClient:
    """A client with a key for its assertions and request objects, and one that its tokens are bound to."""

    house: object
    party: Party
    key: jws.TokenKey
    prover: Prover = field(init=False)

    def __post_init__(self):
        self.prover = Prover(self.house.provider.now)

    def claims(self, **changes):
        now = self.house.provider.now()
        claims = {"iss": self.party.client_id, "sub": self.party.client_id, "aud": ISSUER}
        claims |= {"jti": f"jti {next(_numbers)}", "iat": now, "exp": now + 60, **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def proof(self, **changes):
        """Return the parameters that authenticate the client."""
        assertion = (changes.pop("key", None) or self.key).sign(self.claims(**changes))
        return {"client_assertion_type": TYPE, "client_assertion": assertion}

    def push(self, *, auth=None, headers=None, **changes):
        """Push a request; return the answer and the verifier. A parameter that is None is left out."""
        verifier, challenge = pkce()
        form = {
            "client_id": self.party.client_id,
            "response_type": "code",
            "redirect_uri": self.party.redirect_uri,
            "scope": "openid read",
            "state": "the state",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        form = {name: value for name, value in form.items() if value is not None}
        return self.house.door().post(PAR, {**form, **(auth or self.proof())}, headers or {}), verifier

    def signed(self, *, key=None, **changes):
        """Push a request object (RFC 9101), by another key if one is given, its claims changed; None takes one out."""
        verifier, challenge = pkce()
        now = self.house.provider.now()
        claims = {
            "iss": self.party.client_id,
            "aud": ISSUER,
            "nbf": now,
            "exp": now + 300,
            "client_id": self.party.client_id,
            "response_type": "code",
            "response_mode": "jwt",
            "redirect_uri": self.party.redirect_uri,
            "scope": "openid read",
            "state": "the state",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        request = (key or self.key).sign(claims, typ="oauth-authz-req+jwt")
        form = {"client_id": self.party.client_id, "request": request, **self.proof()}
        return self.house.door().post(PAR, form), verifier

    def back(self, pushed):
        """Go the way of the browser, and return the response that leads back."""
        assert pushed.status_code == 201, pushed.text
        nothing = dict.fromkeys(FIELDS)
        uri = pushed.json["request_uri"]
        return self.house.browser().authorize(self.party, **{**nothing, "request_uri": uri})

    def token(self, *, auth=None, headers=None, **form):
        proof = self.prover.proof(path=TOKEN) if headers is None else headers
        return self.house.door().post(TOKEN, {**form, **(auth or self.proof())}, proof)

    def redeem(self, code, verifier, **changes):
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        return self.token(**form, redirect_uri=self.party.redirect_uri, **changes)

    def refresh(self, token, **changes):
        return self.token(grant_type="refresh_token", refresh_token=token, **changes)

    def userinfo(self, token):
        headers = self.prover.at("/o/userinfo/", token)
        return self.house.door().open("/o/userinfo/", headers=headers)


def register(house, *, redirect_uri="https://client.example/cb", **fields):
    """Register a client that authenticates by a key."""
    key = jws.TokenKey("ES256", kid=secrets.token_hex(4))
    given = {
        "client_id": "",
        "client_type": "confidential",
        "grant_types": ("authorization_code", "refresh_token", "client_credentials"),
        "redirect_uris": (redirect_uri,),
        "token_endpoint_auth_method": "private_key_jwt",
        **fields,
        "metadata": {"jwks": key.jwks, **fields.get("metadata", {})},
    }
    application, _ = house.provider.clients.create(Application(**given), make_secret=False)
    return SecureClient(house, Party(application.client_id, None, redirect_uri), key)


def refused(answer):
    """Return the error of a back-channel endpoint."""
    return error_of(answer, 401 if answer.json.get("error") == "invalid_client" else 400)
