"""Subject identifiers that differ from one sector of clients to the next (OpenID Connect Core §8)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from portula import OAuth2Validator
from portula.errors import DuplicateRecord
from portula.plugin import Artifact, plan_to_add, unkeyed_digest
from portula_oidc.claims import ROOM, SCOPE_OF
from portula_oidc.requested_claims import OPENID

if TYPE_CHECKING:
    from collections.abc import Collection

    from portula.plugin import Application, Authorization, Exchange

_KIND = "pairwise-salt"
PAIRWISE = "pairwise"
SECTOR_IDENTIFIER_URI = "sector_identifier_uri"
REDIRECTED = frozenset({"authorization_code", "implicit", "refresh_token", "client_credentials"})
"""Grant types about no person, or whose answer begins its way at a redirect URI."""


class PairwiseQuestions(OAuth2Validator):
    """By which identifier a client knows a person."""

    def subject_for(
        self, subject: str, client: Application | None, authorization: Authorization | None = None
    ) -> str:
        """Return the subject itself, or for a client of type pairwise one that only its sector knows.

        What an authorization began with stays: type and sector are the client's to change (RFC 7592 §2.2), but who
        refreshes tokens elsewhere learns no other identifier than the one that the person agreed to. Another
        client, whose token is of the same authorization (RFC 8693 §2.2), knows the person by an identifier of its own.
        """
        sub = authorization.facts.get(ROOM, {}).get("sub") if authorization else None
        other = authorization and client and authorization.client_id != client.client_id
        if sub is not None and not other:
            return str(sub)
        if client is None or not _is_pairwise(client):
            return subject
        data = f"{sector_of(client)}\0{subject}".encode()
        digest = hmac.digest(self.pairwise_salt, data, hashlib.sha256)
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    def keep_subject(self, exchange: Exchange) -> None:
        """Keep the identifier with the authorization."""
        facts = {"sub": self.subject_for(exchange.subject or "", exchange.client)}
        exchange.facts[ROOM] = {**exchange.facts.get(ROOM, {}), **facts}

    def tells_username(self, scope: Collection[str], client: Application | None) -> bool:
        """Ask the scope that stands for preferred_username, where people are known by OpenID Connect at all."""
        needed = SCOPE_OF["preferred_username"]
        return needed in scope or not (OPENID in scope or _is_pairwise(client))

    @cached_property
    def pairwise_salt(self) -> bytes:
        """The salt of this provider: made once and kept in the storage, so that it outlives SECRET_KEYS."""
        provider = self.provider
        # Not keyed: it is found again under whatever SECRET_KEYS.
        digest = unkeyed_digest(f"{_KIND} {provider.keys.namespace}")
        made = Artifact(
            digest=digest, kind=_KIND, payload={"salt": secrets.token_hex(32)}, issued_at=provider.now()
        )
        try:
            provider.storage.apply(plan_to_add(made))
        except DuplicateRecord:
            found = provider.storage.find(Artifact, digest=digest)
            made = found or made
        return bytes.fromhex(made.payload["salt"])


def _is_pairwise(client: Application | None) -> bool:
    return client is not None and client.metadata.get("subject_type") == PAIRWISE


def sector_of(client: Application) -> str:
    """Return the sector identifier of a client (§8.1): the host of its sector_identifier_uri or of its first address.

    A client that has neither on a host of its own is a sector by itself.
    """
    uri = client.metadata.get(SECTOR_IDENTIFIER_URI) or next(iter(addresses_of(client)), "")
    parts = urlsplit(uri)
    return parts.hostname if parts.scheme == "https" and parts.hostname else client.client_id


def addresses_of(client: Application) -> tuple[str, ...]:
    """Return the URIs by which a client shows whose it is.

    A client that is only answered at a redirect URI gets nothing unless that URI is its own (§8.1). Anybody registers
    somebody else's and uses a grant type that answers elsewhere, such as that of devices; of such a client, its keys
    count instead (CIBA Core §4): jwks_uri, where it authenticates with them.
    """
    if REDIRECTED.issuperset(client.grant_types):
        return client.redirect_uris
    jwks_uri = client.metadata.get("jwks_uri")
    by_key = client.metadata.get("token_endpoint_auth_method") in (
        "private_key_jwt",
        "self_signed_tls_client_auth",
    )
    return (jwks_uri,) if by_key and jwks_uri else ()
