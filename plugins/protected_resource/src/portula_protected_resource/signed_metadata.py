"""The document about a resource as a JWT that the issuer signs (RFC 9728 §2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from portula import Plugin

if TYPE_CHECKING:
    from portula import Provider

TYPE = "protected-resource-metadata+jwt"
"""Nothing else that is signed with the same keys has this `typ`, and nothing takes this one (RFC 8725 §3.11)."""
RENEWED_SECONDS = 300
EXPIRE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class _SignedMetadata:
    members: Mapping[str, Any]
    issuer: str
    token: str
    renewed_at: int


_kept: WeakKeyDictionary[Provider, dict[str, _SignedMetadata]] = WeakKeyDictionary()


def signed_metadata(provider: Provider, issuer: str, members: Mapping[str, Any]) -> str:
    """Return the members of a document as a JWT of the issuer, made anew when they change, and every five minutes.

    One of each resource is kept: whoever asks a hundred times does not let keys sign a hundred times.

    Raises:
        JoseError: it cannot be signed.
    """
    known, now = _kept.setdefault(provider, {}), provider.now()
    found = known.get(members["resource"])
    if found is None or found.renewed_at <= now or (found.issuer, found.members) != (issuer, members):
        claims = {**members, "iss": issuer, "iat": now, "exp": now + EXPIRE_SECONDS}
        jose = provider.hooks.ask(Plugin.portula_jose)
        token = jose.sign(claims, typ=TYPE, algorithm=jose.signing_algorithms()[0])
        found = known[members["resource"]] = _SignedMetadata(members, issuer, token, now + RENEWED_SECONDS)
    return found.token
