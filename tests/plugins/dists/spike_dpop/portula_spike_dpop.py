"""Access tokens bound to a key that the client proves in each request (RFC 9449)."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.errors import DuplicateRecord, InvalidTokenError, OAuth2Error, UntrustedToken
from portula.plugin import Application, Artifact, Step, TokenPresentation, plan_to_add

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Exchange, Message, PresentedToken

KIND = "dpop_proof"
ALGORITHMS = ("ES256", "RS256")
MEMBERS = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
SECONDS = 60


class InvalidProof(OAuth2Error):
    error = "invalid_dpop_proof"


def digest(text: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def thumbprint(provider: Provider, message: Message, token: str | None = None) -> str:
    """Return the thumbprint of the key that a request proves (RFC 9449 §4.3, RFC 7638).

    Raises:
        InvalidProof: it proves none.
    """
    jose, proof, now = (
        provider.hooks.ask(Plugin.portula_jose),
        message.headers.get("dpop", ""),
        provider.now(),
    )
    try:
        jwk = jose.read(proof).header["jwk"]
        key = {name: str(jwk[name]) for name in MEMBERS[jwk["kty"]]}
        print_ = digest(json.dumps(key, separators=(",", ":")))
        signer = Application(client_id=f"dpop:{print_}", metadata={"jwks": {"keys": [key]}})
        claims = jose.verify_of_client(proof, signer, algorithms=ALGORITHMS, typ=["dpop+jwt"]).claims
        uri, issued_at = str(claims["htu"]).partition("?")[0].partition("#")[0], int(claims["iat"])
        jti = str(claims["jti"])
    except (UntrustedToken, KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidProof(description="The proof cannot be read.") from error
    asked = f"{provider.root_of(provider.issuer_of(message))}{message.path}"
    if "d" in jwk or (claims.get("htm"), uri) != (message.method, asked) or abs(now - issued_at) > SECONDS:
        raise InvalidProof(description="The proof is of another request.")
    if token is not None and claims.get("ath") != digest(token):
        raise InvalidProof(description="The proof is of another token.")
    used = Artifact(
        digest=provider.keys.digest(KIND, f"{print_}\0{jti}"),
        kind=KIND,
        payload={},
        issued_at=now,
        expires_at=issued_at + 2 * SECONDS,
    )
    try:
        provider.storage.apply(plan_to_add(used))
    except DuplicateRecord:
        raise InvalidProof(description="The proof was used before.") from None
    return print_


@hookimpl
def portula_steps(provider: Provider) -> Sequence[Step]:
    def dpop(exchange: Exchange) -> None:
        """Bind the access token to the key that the request proves (RFC 9449 §5)."""
        if exchange.issue is not None and "dpop" in exchange.message.headers:
            proven = {"jkt": thumbprint(provider, exchange.message)}
            exchange.issue.confirmation = {**exchange.issue.confirmation, **proven}

    reads = frozenset({"issue"})
    return [Step(endpoint="token", name="dpop", run=dpop, before="bind", reads=reads, guards=True)]


@hookimpl
def portula_token_presentations(provider: Provider) -> Sequence[TokenPresentation]:
    def prove(presented: PresentedToken, bound: object) -> None:
        try:
            proven = thumbprint(provider, presented.message, presented.value)
        except InvalidProof as error:
            raise InvalidProof(description=error.description, status_code=401) from error
        if proven != bound:
            raise InvalidTokenError

    challenge = {"algs": " ".join(ALGORITHMS)}
    return [TokenPresentation(scheme="DPoP", confirmation="jkt", prove=prove, challenge=challenge)]
