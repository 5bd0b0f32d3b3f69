"""Judges a proof, in order: is it signed by its own key, of this request, of now, and new (RFC 9449 §4.3)."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from portula import Plugin
from portula.errors import UntrustedToken
from portula.plugin import (
    Application,
    Artifact,
    jwk_thumbprint,
    origin_of,
    public_jwk,
    unkeyed_digest,
    use_once,
)
from portula_dpop.errors import InvalidProof, UseNonce
from portula_dpop.nonces import Nonces
from portula_dpop.settings import DpopSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portula import Provider
    from portula.plugin import Exchange, Message

HEADER = "dpop"
TYPE = "dpop+jwt"
KIND = "dpop-proof"
MAX_JTI_LENGTH = 512
PURGED_EACH = 100
"""Proofs after which a process deletes what is over, twice as many: each request has one, and they soon end."""

_NO_CLIENT = "dpop"
"""client_id of the client that stands for the key in the header of a proof."""


class Proofs:
    """Judges the proofs of requests. Safe to share between threads."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider, whose clock, keys and storage are asked for later."""
        self._provider = provider
        self._settings = provider.settings(DpopSettings)
        self._numbers = count(1)
        self._of_server, self._of_resource = Nonces(provider, "server"), Nonces(provider, "resource")

    def thumbprint(
        self,
        message: Message,
        headers: dict[str, str],
        token: str | None = None,
        client: Application | None = None,
    ) -> str:
        """Return the thumbprint of the key that a request proves.

        Args:
            message: the request.
            headers: go with the answer; a nonce is put there, which no cache may keep (§8.2).
            token: the access token that comes with it, at a resource.
            client: whose request it is, where that is known.

        Raises:
            InvalidProof: it proves none; its status is 401 at a resource, else 400.
        """
        nonces = self._of_server if token is None else self._of_resource
        self._give_nonce(headers, nonces)
        try:
            jkt, claims = self._verify(message.headers.get(HEADER, ""), client)
            self._check_request(claims, message, token)
            settings = self._provider.settings(DpopSettings, client)
            self._check_time(claims, nonces, settings)
            self._use_once(jkt, claims.get("jti"), settings)
        except InvalidProof as error:
            error.status_code = 400 if token is None else 401
            raise
        return jkt

    def of_exchange(self, exchange: Exchange, client: Application | None) -> str:
        """Return the thumbprint of the key that a request to an endpoint proves; its proof is judged once.

        Raises:
            InvalidProof: it proves none.
        """
        known: str | None = exchange.memo.get((KIND,))
        if known is None:
            known = self.thumbprint(exchange.message, exchange.headers, client=client)
            exchange.memo[KIND,] = known
        return known

    def nonce(self, exchange: Exchange) -> None:
        """Give a nonce with a challenge of another proof, where proofs of keys need one too."""
        self._give_nonce(exchange.headers, self._of_server)

    def _give_nonce(self, headers: dict[str, str], nonces: Nonces) -> None:
        if self._settings.DPOP_NONCE_REQUIRED:
            headers |= {"DPoP-Nonce": nonces.current, "Cache-Control": "no-store"}

    def _verify(self, proof: str, client: Application | None) -> tuple[str, Mapping[str, Any]]:
        """Return the thumbprint of the key and the claims. Two headers come as one with a comma, which is no token."""
        if not proof:
            raise InvalidProof(description="The header DPoP is missing.")
        jose = self._provider.hooks.ask(Plugin.portula_jose)
        algorithms = self._provider.settings(DpopSettings, client).DPOP_SIGNING_ALGS
        try:
            key = public_jwk(jose.read(proof).header.get("jwk"))
            if key is None:
                raise InvalidProof(description="The proof has no public key.")
            signer = Application(client_id=_NO_CLIENT, metadata={"jwks": {"keys": [key]}})
            claims = jose.verify_of_client(proof, signer, algorithms=algorithms, typ=(TYPE,)).claims
        except UntrustedToken as error:
            raise InvalidProof(description=f"The proof {error}.") from None
        return jwk_thumbprint(key), claims

    def _check_request(self, claims: Mapping[str, Any], message: Message, token: str | None) -> None:
        """Compare method, URL and token with those of the request (§4.3, 8, 9 and 12)."""
        if claims.get("htm") != message.method:
            raise InvalidProof(description="The proof is of another method (htm).")
        if not self._is_of(claims.get("htu"), message):
            raise InvalidProof(description="The proof is of another URL (htu).")
        if token is not None and claims.get("ath") != unkeyed_digest(token):
            raise InvalidProof(description="The proof is of another access token (ath).")

    def _is_of(self, uri: object, message: Message) -> bool:
        """Compare URLs without query and fragment, as RFC 3986 §6.2.2 and §6.2.3 have it."""
        provider = self._provider
        bases = (provider.root_of(provider.issuer_of(message)), *self._settings.DPOP_BASE_URLS)
        place = _place(uri)
        return place is not None and place in [
            _place(f"{base}{message.path}", decoded=True) for base in bases
        ]

    def _check_time(self, claims: Mapping[str, Any], nonces: Nonces, settings: DpopSettings) -> None:
        """Let it be of now: by its nonce where this server gives those, else by `iat` (§4.3, 10 and 11)."""
        issued_at, now = claims.get("iat"), self._provider.now()
        if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
            raise InvalidProof(description="The proof has no time (iat).")
        if settings.DPOP_NONCE_REQUIRED:
            if not nonces.accepts(claims.get("nonce")):
                raise UseNonce(description="The proof needs the nonce of this answer.")
            return
        oldest, newest = (
            now - settings.DPOP_PROOF_LIFETIME_SECONDS,
            now + settings.DPOP_CLOCK_SKEW_SECONDS,
        )
        if not oldest <= issued_at <= newest:
            raise InvalidProof(description="The proof is too old, or of the future (iat).")

    def _use_once(self, key: str, jti: object, settings: DpopSettings) -> None:
        """Remember the jti for as long as the proof could count (§11.1), in all processes together.

        Last of all, so that nobody can use one up without the key; and it is used up even if the request then fails.
        """
        if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI_LENGTH:
            raise InvalidProof(description="The proof has no name (jti), or a very long one.")
        provider, now = self._provider, self._provider.now()
        if next(self._numbers) % PURGED_EACH == 0:
            provider.storage.purge(Artifact, now=now, limit=2 * PURGED_EACH)
        if not use_once(provider, KIND, f"{key}\0{jti}", until=now + _window(settings) + 1):
            raise InvalidProof(description="The proof was used before (jti).")


def _window(settings: DpopSettings) -> int:
    """Return the seconds for which a proof that counts now may count at most."""
    if settings.DPOP_NONCE_REQUIRED:
        return 2 * settings.DPOP_NONCE_LIFETIME_SECONDS
    return settings.DPOP_PROOF_LIFETIME_SECONDS + settings.DPOP_CLOCK_SKEW_SECONDS


def _place(uri: object, *, decoded: bool = False) -> tuple[str, str] | None:
    """Return origin and decoded path of a URL; None for what is no http or https URL."""
    origin = origin_of(uri) if isinstance(uri, str) else None
    if origin is None or not isinstance(uri, str):
        return None
    path = (
        uri.partition("://")[2].partition("/")[2]
        if decoded
        else unquote(urlsplit(uri).path).removeprefix("/")
    )
    return origin, path
