"""From client metadata to a client: what is asked for, the defaults, and what of it is granted.

RFC 7591 §2 and OpenID Connect Registration §2 give the defaults. What a client may not have of scopes and grant types
is left out, and the answer says what was registered (RFC 7591 §3.2.1). Privileged fields are out of reach (attack S55).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from portula.flow.grant_hooks import GrantHooks
from portula.flow.messages import grant_types_needed, sorted_response_type
from portula.model.client_metadata import (
    CHANGED_ITSELF_AT,
    ClientMember,
    read_client_metadata,
    write_client_metadata,
)
from portula.model.errors import InvalidClientMetadata
from portula.model.records import SELF_REGISTERED, Application

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer

_NAMES = frozenset({"client_id", "client_secret", SELF_REGISTERED, CHANGED_ITSELF_AT})
"""Never client metadata, whatever a plugin contributes."""

PRIVILEGED = frozenset(
    {
        "client_id",
        "client_type",
        "created_at",
        "disabled",
        "require_pkce",
        "secret_hashes",
        "skip_authorization",
        "updated_at",
        "user",
        "version",
    }
)
"""Fields of Application that no client sets, whatever a plugin contributes (attack S55)."""

PROFILE = "profile"
"""What a client is held to; no client gets out of it by itself."""

_OF_SECRETS = re.compile(r"HS\d+|dir|A\d+KW")
"""Algorithms whose key is the client's secret, or follows from it (RFC 7518 §3.1, §4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataLimits:
    """What clients that nobody here looked at may have."""

    grant_types: tuple[str, ...]
    """As far as installed plugins know them; of others that a client asks for, none is granted."""
    scopes: tuple[str, ...] | None = None
    """None: those of the scopes backend, and `usual_scopes`."""
    usual_scopes: tuple[str, ...] = ()
    """Scopes that plugins contribute for everybody."""
    default_scopes: tuple[str, ...] | None = None
    """For a client that asks for none, or for none that it may have; None: all of `scopes`."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Values of members that are left out, as far as the provider knows them."""
    ignored: tuple[str, ...] = ()
    """Members that are no client metadata here."""


class RequestedMetadata:
    """Reads documents of client metadata for one provider."""

    def __init__(self, provider: AuthorizationServer, limits: MetadataLimits) -> None:
        """Take the provider, of which what rooms contribute is not complete yet, and what clients may have."""
        self._provider = provider
        self._limits = limits

    @property
    def members(self) -> dict[str, ClientMember]:
        """The members that are heard."""
        return {
            name: member
            for name, member in self._provider.client_members.items()
            if name not in (*_NAMES, *self._limits.ignored) and member.field not in PRIVILEGED
        }

    def client(
        self, document: Mapping[str, Any], known: Application, more_scopes: Collection[str] = ()
    ) -> Application:
        """Return what a known client, or an empty one, is to be: members that are not sent fall back to their default.

        What it has already it may ask for again, although it was an operator who gave it. `more_scopes` are those that
        its initial access token allows beside the ones for everybody.

        Raises:
            InvalidClientMetadata: a value is of the wrong type, or nothing is left that it could do.
        """
        members = self.members
        read_client_metadata(members, document)  # from here on every value is of its type
        held = {name: value for name, value in known.metadata.items() if name == PROFILE}
        requested = {name: value for name, value in {**document, **held}.items() if value is not None}
        self._default_to(requested, known)
        requested["scope"] = self._scope(requested.get("scope", ""), known, more_scopes)
        values = read_client_metadata(members, requested)
        base = _without(known, members)
        client = replace(
            base,
            **{**values, "metadata": {**base.metadata, **values["metadata"]}},
            client_type="public" if requested["token_endpoint_auth_method"] == "none" else "confidential",
        )
        narrows, changed = self._only_narrows(client, known), {CHANGED_ITSELF_AT: self._provider.now()}
        return replace(
            client,
            skip_authorization=known.skip_authorization and narrows,
            metadata={**client.metadata, **(changed if known.created_at and not narrows else {})},
        )

    def _only_narrows(self, client: Application, known: Application) -> bool:
        """Say whether nothing but parts of lists and scopes differs from what an operator trusted (RFC 7592 §5)."""
        before, after = self.write(known), self.write(client)
        if known.scope is None:
            before["scope"] = after.get("scope")
        for name in {*before, *after}:
            old, new = (_parts(name, document.get(name)) for document in (before, after))
            if not (set(new) <= set(old) if isinstance(old, list) and isinstance(new, list) else old == new):
                return False
        return client.client_type == known.client_type

    def write(self, application: Application) -> dict[str, Any]:
        """Return the client metadata of a client."""
        return write_client_metadata(self.members, application)

    def secret_is_key(self, application: Application) -> bool:
        """Say whether its secret is a key, and so has to be kept readable (OpenID Connect Core §10.1, §10.2)."""
        document = self.write(application)
        return document.get("token_endpoint_auth_method") == "client_secret_jwt" or any(
            name.endswith("_alg") and _OF_SECRETS.fullmatch(str(value)) for name, value in document.items()
        )

    def has_secret(self, application: Application) -> bool:
        """Say whether a client needs a secret: one that proves itself by keys needs none."""
        by_secret = (application.token_endpoint_auth_method or "").startswith("client_secret_")
        confidential = application.client_type == "confidential"
        return confidential and (by_secret or self.secret_is_key(application))

    def _default_to(self, requested: dict[str, Any], known: Application) -> None:
        """Fill in what was not sent (RFC 7591 §2, OpenID Connect Registration §2)."""
        methods = self._provider.client_auth_methods
        usual = "client_secret_basic"
        requested.setdefault("token_endpoint_auth_method", usual if usual in methods else next(iter(methods)))
        for name, value in self._limits.defaults.items():
            if PROFILE in requested and name.endswith("_alg"):
                continue  # the profile says what signs for this client
            with suppress(InvalidClientMetadata):  # a provider that cannot sign so knows it as no value
                read_client_metadata(self.members, {name: value})
                requested.setdefault(name, value)
        requested["grant_types"] = self._grant_types(requested, known)
        if "response_types" not in requested:
            requested["response_types"] = self._response_types(set(requested["grant_types"]))

    def _grant_types(self, requested: Mapping[str, Any], known: Application) -> list[str]:
        """Return those that the client may have, of the ones it asks for or its response types need."""
        response_types = [sorted_response_type(name) for name in requested.get("response_types", ["code"])]
        needed = sorted(set().union(*map(grant_types_needed, response_types)))
        advertised = self._provider.metadata_document.get("grant_types_supported", ())
        allowed = {
            *known.grant_types,
            *(name for name in self._limits.grant_types if name in advertised),
        }
        grant_types = dict.fromkeys(requested.get("grant_types", needed))
        granted = [name for name in grant_types if name in allowed]
        if not granted:
            raise InvalidClientMetadata(f"of grant types there are: {', '.join(sorted(allowed))}")
        return granted

    def _response_types(self, grant_types: set[str]) -> list[str]:
        if "authorization_code" in grant_types:
            return ["code"]
        return [name for name in self._provider.response_types if grant_types_needed(name) <= grant_types]

    def _scope(self, scope: str, known: Application, more: Collection[str]) -> str:
        """Drop what the client may not have: software asks for scopes that only a resource knows."""
        limits, hooks = self._limits, self._provider.hooks
        own, texts = hooks.ask(GrantHooks.portula_scopes_backend).get_all_scopes(), self._provider.scope_texts
        privileged = hooks.collect(GrantHooks.portula_privileged_scopes)
        known_scopes = [*own, *(name for name in texts if name not in own)]
        everything = [name for name in known_scopes if name not in privileged]
        usual = [name for name in everything if name in own or name in limits.usual_scopes]
        named = limits.scopes
        allowed = usual if named is None else [name for name in everything if name in named]
        had = known_scopes if known.scope is None else known.scope.split()
        given = [name for name in more if name in known_scopes]
        names = [name for name in dict.fromkeys(scope.split()) if name in (*allowed, *had, *given)]
        if not names:
            default = limits.default_scopes
            names = [name for name in allowed if default is None or name in default]
        return " ".join(names)


def _parts(name: str, value: Any) -> Any:
    """Return what a value of client metadata consists of: the words of a scope, the texts of a list."""
    if name == "scope":
        return (value or "").split()
    if isinstance(value, list):
        return [json.dumps(part, sort_keys=True) for part in value]
    return value


def _without(known: Application, members: Mapping[str, ClientMember]) -> Application:
    """Return a client with every member back at its default (RFC 7592 §2.2: an update replaces)."""
    managed = {member.field for member in members.values()}
    defaults = {
        item.name: item.default
        for item in fields(Application)
        if item.name in managed and item.default is not MISSING
    }
    others = {name: value for name, value in known.metadata.items() if name.partition("#")[0] not in members}
    return replace(known, **defaults, metadata=others)
