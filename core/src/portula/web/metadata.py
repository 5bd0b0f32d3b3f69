"""Folds the rooms' metadata contributions into the server metadata document (RFC 8414)."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from portula.flow.endpoints import Endpoint
from portula.model.errors import BrokenPlugin, DuplicateContribution, PortulaError
from portula.model.http import Answer, Message
from portula.model.keys import unkeyed_digest
from portula.model.sources import PluginSource
from portula.model.strict_json import json_problem

if TYPE_CHECKING:
    from portula.web.provider import Provider

log = logging.getLogger("portula")

METADATA_MAX_AGE_SECONDS = 300
"""How long a client or a proxy may keep the document."""
METADATA_DATA_SECONDS = 30
"""How long the members that depend on data are kept before they are asked for again."""

Contributions = Sequence[tuple[PluginSource, Mapping[str, Any]]]
"""Members of the document with who contributes them; a callable takes nothing and returns the value."""


def without_data(contributions: Contributions) -> Contributions:
    """Return the contributions without the members that depend on data: those whose value is a callable."""
    return [
        (source, {name: value for name, value in members.items() if not callable(value)})
        for source, members in contributions
    ]


def depends_on_data(contributions: Contributions) -> bool:
    """Say whether a contribution has a member whose value is a callable."""
    return any(callable(value) for _, members in contributions for value in members.values())


def with_data(contributions: Contributions) -> Contributions:
    """Return the contributions with the callables called.

    Raises:
        BrokenPlugin: one fails.
    """
    return [
        (source, {name: _value(source, name, value) for name, value in members.items()})
        for source, members in contributions
    ]


def _value(source: PluginSource, name: str, value: Any) -> Any:
    if not callable(value):
        return value
    try:
        return value()
    except Exception as error:
        raise BrokenPlugin(
            f"{source}: portula_metadata: {name} fails: {type(error).__name__}: {error}"
        ) from error


def fold(contributions: Contributions) -> dict[str, Any]:
    """Join contributions: lists are united and sorted, empty members left out.

    What is said of the authentication at an endpoint is left out too when nobody contributes that endpoint.

    Raises:
        DuplicateContribution: two rooms give different single values for one member.
        BrokenPlugin: a member has a value that JSON has not, or a list of anything but text.
    """
    document: dict[str, Any] = {}
    owners: dict[str, PluginSource] = {}
    for source, members in contributions:
        for name, value in members.items():
            several = isinstance(value, (list, tuple, set, frozenset))
            if several and not all(isinstance(one, str) for one in value):
                raise BrokenPlugin(f"{source}: portula_metadata: {name} is a list of more than text")
            problem = None if several else json_problem({name: value})
            if problem:
                raise BrokenPlugin(f"{source}: portula_metadata: {problem}")
            if several and isinstance(document.get(name, []), list):
                document[name] = sorted({*document.get(name, ()), *value})
            elif name in document and document[name] != value:
                raise DuplicateContribution(
                    f"metadata {name!r}: {owners[name]} and {source} disagree; block one"
                )
            else:
                document[name] = value
            owners[name] = source
    return {
        name: value
        for name, value in document.items()
        if value not in (None, [], "") and _endpoint_of(name) in document
    }


def _endpoint_of(name: str) -> str:
    """Return the endpoint whose authentication a member speaks of, or the member's own name."""
    endpoint, marked, _ = name.partition("_endpoint_auth_")
    return f"{endpoint}_endpoint" if marked else name


_ADDRESSES = ("jwks_uri", "check_session_iframe")
"""Members that are addresses of ours although their names do not end in `_endpoint`."""


def absolute(document: Mapping[str, Any], issuer: str, base: str) -> dict[str, Any]:
    """Put the base URL in front of addresses given as paths below the mount (`token/`)."""
    return {
        "issuer": issuer,
        **{
            name: f"{base}/{value}" if _is_address(name) and ":" not in str(value) else value
            for name, value in document.items()
        },
    }


def _is_address(name: str) -> bool:
    return name.endswith("_endpoint") or name in _ADDRESSES


class MetadataPublisher:
    """Answers requests for the server metadata; the document is kept as it is written for the issuer asked for last.

    What depends on data, such as the scopes of a table, is asked for again from time to time. While that fails, the
    document stays as it was, and before it first succeeds such members are left out.
    """

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider
        self._document: dict[str, Any] = {}
        self._resolve_at = -math.inf
        self._made: dict[str, tuple[bytes, str]] = {}

    def answer(self, message: Message) -> Answer:
        """Return the document, cacheable (RFC 8414 §3.2, OpenID Connect Discovery §4.2)."""
        provider = self._provider
        issuer = provider.issuer_of(message)
        self._resolve()
        made = self._made  # another thread that resolves begins a new one
        found = made.get(issuer)
        if found is None:
            base = f"{provider.root_of(issuer)}{provider.mount}"
            body = json.dumps(absolute(self._document, issuer, base), separators=(",", ":")).encode()
            made.clear()
            found = made[issuer] = (body, f'"{unkeyed_digest(body.decode())}"')
        body, tag = found
        headers = {"Cache-Control": f"public, max-age={METADATA_MAX_AGE_SECONDS}", "ETag": tag}
        if message.headers.get("if-none-match") == tag:
            return Answer(304, headers)
        return Answer(200, {"Content-Type": "application/json", **headers}, body)

    def document(self) -> Mapping[str, Any]:
        """Return the members that do not depend on the issuer; addresses are paths below the mount."""
        self._resolve()
        return self._document

    def _resolve(self) -> None:
        """Make the document, and again once what it depends on may have changed."""
        now, provider = self._provider.now(), self._provider
        if now < self._resolve_at:
            return
        depends = depends_on_data(provider.metadata_contributions)
        self._resolve_at = now + METADATA_DATA_SECONDS if depends else math.inf
        try:
            document = fold(with_data(provider.metadata_contributions))
        except PortulaError as error:
            log.warning("the server metadata lacks what it depends on, or stays as it was: %s", error)
            document = self._document or provider.metadata_document
        if document != self._document:
            self._document = document
            self._made = {}


def metadata_endpoints(provider: Provider, known: str = "oauth-authorization-server") -> list[Endpoint]:
    """Return the endpoints that publish the document under a well-known name (RFC 8615).

    They stand below the mount, below the issuer, and at RFC 8414's place below the host's root (§3).
    """
    issuer_path = urlsplit(provider.issuer).path.rstrip("/") if provider.issuer else provider.mount
    places = (
        f"{provider.mount}/.well-known/{known}",
        f"/.well-known/{known}{issuer_path}",
        f"{issuer_path}/.well-known/{known}",
    )
    name = known.replace("-", "_")
    return [
        Endpoint(
            f"{name}_{number}",
            path,
            ("GET",),
            provider.metadata_publisher.answer,
            cors="open",
            in_memory=True,
        )
        for number, path in enumerate(dict.fromkeys(places))
    ]
