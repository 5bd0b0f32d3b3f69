"""Clients of the FAPI plans: who they are, and what they sign and prove."""

import base64
import hashlib
import json
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from joserfc.jwk import ECKey, RSAKey

from conformance.suite import tokens
from conformance.suite.pages import Browser, Person
from conformance.suite.parties import OP, Suite

ALGORITHM, KEY_JWT = "PS256", "private_key_jwt"
SP, MS, FAPI1, CIBA = "fapi2-security-profile", "fapi2-message-signing", "fapi1-advanced", "fapi-ciba"


@dataclass(frozen=True)
class FapiVariant:
    """Which plan a test is of, and in which of the suite's variants it runs."""

    plan: str
    auth: str = KEY_JWT
    bound: str = "mtls"
    request: str = "pushed"
    jarm: bool = False
    openid: bool = True
    credentials: bool = False
    """Whether tokens are given to clients for themselves (RFC 6749 §4.4), and nobody is asked."""
    rar: bool = False
    """Whether requests name authorization details (RFC 9396): beside scopes, or alone where there is no `openid`."""
    mode: str = "poll"
    """How clients hear that a person has decided who is asked elsewhere (CIBA Core §5)."""

    @property
    def name(self) -> str:
        """Name of its clients."""
        if self.plan == FAPI1:
            return "-".join([self.auth, self.request, "jarm" if self.jarm else "plain_response"])
        return f"{self.auth}-{self.mode if self.plan == CIBA else self.bound}"

    @property
    def pushes(self) -> bool:
        """Whether requests are pushed."""
        return self.request == "pushed"

    @property
    def signs(self) -> bool:
        """Whether requests are signed objects."""
        return self.plan != SP

    @property
    def takes_urls(self) -> bool:
        """Whether assertions may be for an endpoint (CIBA Core §7.1)."""
        return self.plan in (FAPI1, CIBA)

    @property
    def hybrid(self) -> bool:
        """Whether an ID token protects the response (FAPI 1.0 Part 2 §5.2.2)."""
        return self.plan == FAPI1 and not self.jarm

    @property
    def certificate(self) -> bool:
        """Whether clients show certificates."""
        return "mtls" in (self.auth, self.bound)

    def __str__(self) -> str:
        """Say which it is, for the ids of tests."""
        plain = "-client_credentials" if self.credentials else "-plain_oauth"
        return f"{self.name}{'' if self.openid else plain}{'-rar' if self.rar else ''}"


def digest(text: str) -> str:
    """Return the SHA-256 of a text as base64url without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def new_proof_key() -> ECKey:
    """Make a key for proofs of possession (RFC 9449)."""
    return ECKey.generate_key("P-256", private=True)


@dataclass(frozen=True)
class FapiLab:
    """A server that runs for a plan, and who visits it."""

    op: OP
    suite: Suite
    person: Person
    place: Path
    """The folder with the configurations of all variants."""
    browser: Browser


class FapiParty:
    """A client of the suite's configuration: who it is, and what it makes."""

    def __init__(self, lab: FapiLab, variant: FapiVariant, number: int) -> None:
        """Read who it is out of the configuration of its variant."""
        op, suite, place = lab.op, lab.suite, lab.place
        document = json.loads((place / f"suite-{variant.name}.json").read_text())
        at = "" if number == 1 else "2"
        own = document[f"client{at}"]
        self.configuration, self.own = document, own
        self.op, self.suite, self.person, self.browser = op, suite, lab.person, lab.browser
        self.variant, self.number = variant, number
        self.client_id = own["client_id"]
        members = {
            name: value for name, value in own["jwks"]["keys"][0].items() if name not in ("alg", "use")
        }
        self.key = RSAKey.import_key(members)
        self.scope = own["scope"] if variant.openid else own["scope"].replace("openid ", "")
        self.details = document["resource"]["richAuthorizationRequest"] if variant.rar else []
        self.callback = suite.callback + ("?dummy1=lorem&dummy2=ipsum" if number == 2 else "")
        self.resource = document["resource"]["resourceUrl"]
        self.proof_key, self.verifier = new_proof_key(), secrets.token_urlsafe(48)
        self.bare = op.http
        self.certificate = (
            {name: document[f"mtls{at}"][name] for name in ("cert", "key")} if variant.certificate else None
        )
        self.http = self._with_certificate(place, self.certificate) if self.certificate else self.bare

    def _with_certificate(self, place: Path, shown: Mapping[str, str]) -> httpx.Client:
        file = place / f"{self.client_id}.pem"
        file.touch(mode=0o600)
        file.write_text(shown["cert"] + shown["key"])
        trust = ssl.create_default_context(cafile=str(place / "suite.pem"))
        trust.load_cert_chain(file)
        return httpx.Client(verify=trust, follow_redirects=False, timeout=30)

    def close(self) -> None:
        """Close the connections that show its certificate."""
        if self.http is not self.bare:
            self.http.close()

    def request(self, **changes: Any) -> dict[str, Any]:
        """Return the parameters of an authorization request; None leaves one out."""
        variant = self.variant
        parameters = {
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "scope": None if variant.rar and not variant.openid else self.scope,
            "authorization_details": self.written(self.details) if variant.rar else None,
            "state": secrets.token_urlsafe(8 if self.number == 1 else 96),
            "nonce": secrets.token_urlsafe(8) if variant.openid else None,
            "response_type": "code id_token" if variant.hybrid else "code",
            "response_mode": "jwt" if variant.jarm else None,
            "code_challenge": digest(self.verifier) if variant.pushes else None,
            "code_challenge_method": "S256" if variant.pushes else None,
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def written(self, parameter: Any) -> Any:
        """Return a parameter that is JSON as a request has it: as it is in an object, else as text."""
        return parameter if self.variant.signs else json.dumps(parameter)

    def request_object(
        self, asked: Mapping[str, Any], *, key: Any = None, algorithm: str = ALGORITHM, **changes: Any
    ) -> str:
        """Return a request as a signed object (RFC 9101); None leaves a claim out."""
        now = int(self.op.clock.now())
        times = {"iat": now, "nbf": now, "exp": now + 300}
        claims = {"iss": self.client_id, "aud": self.op.issuer, **times, **asked, **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        if algorithm == "none":
            return tokens.unsigned(claims)
        typed = {} if self.number == 1 else {"typ": "oauth-authz-req+jwt"}
        return tokens.sign(claims, key or self.key, algorithm, **typed)

    def assertion(self, *, algorithm: str = ALGORITHM, **changes: Any) -> str:
        """Return a client assertion (RFC 7523); None leaves a claim out."""
        now = int(self.op.clock.now())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.op.metadata["token_endpoint"] if self.variant.takes_urls else self.op.issuer,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 60,
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return tokens.sign(claims, self.key, algorithm)

    def proof(
        self,
        method: str,
        url: str,
        token: str | None = None,
        *,
        key: Any = None,
        header: Mapping[str, Any] | None = None,
        algorithm: str = "ES256",
        **changes: Any,
    ) -> str:
        """Return a proof of possession (RFC 9449 §4.2); None leaves a claim or a member of the header out."""
        key = key or self.proof_key
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url,
            "iat": int(self.op.clock.now()),
        }
        claims |= {"ath": digest(token)} if token else {}
        claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        named = {"typ": "dpop+jwt", "jwk": public(key), **(header or {})}
        return tokens.sign_as(claims, key, {"alg": algorithm, **named})

    @property
    def thumbprint(self) -> str:
        """Name of its key for proofs (RFC 7638)."""
        return self.proof_key.thumbprint()


def public(key: Any) -> dict[str, Any]:
    """Return a public key as a proof shows it."""
    return {
        name: value for name, value in key.as_dict(private=False).items() if name not in ("kid", "use", "alg")
    }
