"""Folds the rooms' metadata contributions into the server metadata document (RFC 8414)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from portula.endpoints import Answer, Endpoint, Message
from portula.errors import DuplicateContribution
from portula.keys import unkeyed_digest
from portula.sources import Source

if TYPE_CHECKING:
    from portula.provider import Provider

METADATA_MAX_AGE_SECONDS = 300
"""How long a client or a proxy may keep the document."""


def fold(contributions: Sequence[tuple[Source, Mapping[str, Any]]]) -> dict[str, Any]:
    """Join contributions: lists are united and sorted, empty members left out.

    Raises:
        DuplicateContribution: two rooms give different single values for one member.
    """
    document: dict[str, Any] = {}
    owners: dict[str, Source] = {}
    for source, members in contributions:
        for name, value in members.items():
            if isinstance(value, (list, tuple, set, frozenset)) and isinstance(document.get(name, []), list):
                document[name] = sorted({*document.get(name, ()), *value})
            elif name in document and document[name] != value:
                raise DuplicateContribution(
                    f"metadata {name!r}: {owners[name]} and {source} disagree; block one"
                )
            else:
                document[name] = value
            owners[name] = source
    return {name: value for name, value in document.items() if value not in (None, [], "")}


def absolute(document: Mapping[str, Any], issuer: str, base: str) -> dict[str, Any]:
    """Put the base URL in front of endpoints given as paths below the mount (`token/`)."""
    return {
        "issuer": issuer,
        **{
            name: f"{base}/{value}" if name.endswith("_endpoint") and ":" not in str(value) else value
            for name, value in document.items()
        },
    }


def metadata_endpoints(provider: Provider, document: Mapping[str, Any]) -> list[Endpoint]:
    """Return the endpoints that publish the document: below the mount, and at RFC 8414's place below the root (§3)."""
    made: dict[str, tuple[bytes, str]] = {}

    def publish(message: Message) -> Answer:
        issuer = provider.issuer_of(message)
        if issuer not in made:
            base = f"{provider.origin_of(issuer)}{provider.mount}"
            body = json.dumps(absolute(document, issuer, base), separators=(",", ":")).encode()
            made.clear()
            made[issuer] = (body, f'"{unkeyed_digest(body.decode())}"')
        body, tag = made[issuer]
        headers = {"Cache-Control": f"public, max-age={METADATA_MAX_AGE_SECONDS}", "ETag": tag}
        if message.headers.get("if-none-match") == tag:
            return Answer(304, headers)
        return Answer(200, {"Content-Type": "application/json", **headers}, body)

    known = ".well-known/oauth-authorization-server"
    issuer_path = urlsplit(provider.issuer).path.rstrip("/") if provider.issuer else provider.mount
    paths = dict.fromkeys((f"{provider.mount}/{known}", f"/{known}{issuer_path}"))
    return [
        Endpoint("metadata" if number == 0 else "metadata_root", path, ("GET",), publish, cors="open")
        for number, path in enumerate(paths)
    ]
