"""A client that proves its key (RFC 9449)."""

import base64
import hashlib
import json
import secrets

from portula_testing import jws

ROOT = "https://id.example"


def digest(text):
    """Return the SHA-256 of a text as base64url without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


class Prover:
    """A key, and the proofs that are made with it at the time of a clock."""

    def __init__(self, now, algorithm="ES256"):
        self.now = now
        self.key = jws.TokenKey(algorithm)
        members = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n"), "OKP": ("crv", "kty", "x")}
        self.public = {name: self.key.jwk[name] for name in members[self.key.jwk["kty"]]}

    def by(self, algorithm):
        """Return somebody with the same key who signs with another algorithm."""
        other = Prover(self.now, algorithm)
        other.key, other.public = jws.TokenKey(algorithm, private=self.key.private), self.public
        return other

    @property
    def thumbprint(self):
        """The name of the key (RFC 7638)."""
        return digest(json.dumps(self.public, separators=(",", ":"), sort_keys=True))

    def proof(self, method="POST", path="/o/token/", token=None, header=None, **changes):
        """Return a header with a proof; arguments change its claims and its header, None takes one out."""
        claims = {"htm": method, "htu": f"{ROOT}{path}", "iat": self.now(), "jti": secrets.token_hex(8)}
        claims |= {"ath": digest(token)} if token else {}
        claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        named = {"typ": "dpop+jwt", "jwk": self.public, "kid": None, **(header or {})}
        return {"DPoP": self.key.sign(claims, **named)}

    def at(self, path, token, method="GET", **changes):
        """Return the headers of a request to a resource: the token, and the proof for it."""
        proof = self.proof(method, path, **{"token": token, **changes})
        return {"Authorization": f"DPoP {token}", **proof}
