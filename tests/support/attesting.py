"""An attester, and the instances of a client that it attests (draft-ietf-oauth-attestation-based-client-auth)."""

import itertools

from portula_testing.jws import TokenKey

ATTESTER = "https://attester.example"
ISSUER = "https://id.example/o"
METHOD = "attest_jwt_client_auth"
WITH_DPOP = "attest_jwt_client_auth_dpop"
ATTESTATION, POP = "OAuth-Client-Attestation", "OAuth-Client-Attestation-PoP"
CHALLENGE = "OAuth-Client-Attestation-Challenge"
TYP, POP_TYP = "oauth-client-attestation+jwt", "oauth-client-attestation-pop+jwt"

_numbers = itertools.count()


def _given(claims):
    return {name: value for name, value in claims.items() if value is not None}


class Attester:
    """Attests keys at the time of a clock."""

    def __init__(self, now, name=ATTESTER, algorithm="ES256"):
        self.now, self.name, self.key = now, name, TokenKey(algorithm)

    def trust(self, **changes):
        """Return settings that trust it."""
        trusted = {"jwks": self.key.jwks, **changes}
        return {"ATTESTATION_TRUSTED_ATTESTERS": {self.name: _given(trusted)}}

    def attest(self, client_id, jwk, *, typ=TYP, key=None, header=None, **changes):
        """Return an attestation; None takes a claim out."""
        now = self.now()
        claims = {
            "iss": self.name,
            "sub": client_id,
            "iat": now,
            "exp": now + 3600,
            "cnf": {"jwk": jwk},
            **changes,
        }
        return (key or self.key).sign(_given(claims), typ=typ, **(header or {}))


class Instance:
    """An app on somebody's telephone: a key, and what the attester says of it."""

    def __init__(self, attester, client_id, algorithm="ES256"):
        self.attester, self.client_id, self.key = attester, client_id, TokenKey(algorithm)
        self.jwk = {name: value for name, value in self.key.jwk.items() if name not in ("kid", "alg", "use")}

    def attestation(self, **changes):
        return self.attester.attest(self.client_id, self.jwk, **changes)

    def pop(self, *, typ=POP_TYP, key=None, header=None, **changes):
        """Return a proof of possession; None takes a claim out."""
        claims = {"aud": ISSUER, "jti": f"pop {next(_numbers)}", "iat": self.attester.now(), **changes}
        return (key or self.key).sign(_given(claims), typ=typ, **{"kid": None, **(header or {})})

    def headers(self, attestation=None, pop=None, **changes):
        """Return both headers; `changes` are of the claims of the proof."""
        attestation = self.attestation() if attestation is None else attestation
        return {ATTESTATION: attestation, POP: self.pop(**changes) if pop is None else pop}
