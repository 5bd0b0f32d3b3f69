"""The base class of events."""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Hashable
from dataclasses import dataclass, field, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, cast

import click

from portula.model.requests import current_request

if TYPE_CHECKING:
    from portula.host.deployment import Deployment

_CAPITAL = re.compile(r"(?<!^)(?<![A-Z])(?=[A-Z])")


def _new_id() -> str:
    return secrets.token_hex(16)


@cache
def _type_of(name: str) -> str:
    return _CAPITAL.sub("_", name).lower()


@cache
def _members_of(event: Hashable) -> tuple[str, ...]:
    return tuple(member.name for member in fields(cast("Any", event)) if member.repr)


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened, or is about to. Whoever makes one gives the provider and the fields of its class."""

    provider: Deployment = field(repr=False, compare=False)
    id: str = field(default_factory=_new_id, compare=False)
    """Unique: 32 hexadecimal digits."""
    at: int = -1
    """When it happened, Unix seconds by the clock slot."""
    realm: str = ""
    """The provider's realm (REALM)."""
    issuer: str = ""
    """Whose it is; empty where the issuer is made of the host of each request and none is at hand."""
    actor: str | None = None
    """Subject of the person, or words of the command (`portula clients set`), that did it in place of the one it is
    about."""
    client_id: str | None = None
    subject: str | None = None
    """The person it is about."""
    address: str | None = None
    """Where the request came from."""
    request_id: str | None = field(default=None, compare=False)
    """Identifier of the request, the same for all its events."""
    reason: str | None = None
    """Why it was refused or done, for operators; nothing of it is told to clients."""

    log_level: ClassVar[int] = logging.INFO
    """The level of its line in the log."""

    def __post_init__(self) -> None:
        """Fill in time, realm and issuer from the provider, and the rest from the request, where they are not given."""
        request = current_request()
        if request is not None:
            object.__setattr__(self, "request_id", self.request_id or request.id)
            object.__setattr__(self, "address", self.address or request.address or None)
            object.__setattr__(self, "actor", self.actor or request.actor)
        elif (command := click.get_current_context(silent=True)) is not None:
            object.__setattr__(self, "actor", self.actor or command.command_path)
        if self.at < 0:
            object.__setattr__(self, "at", self.provider.now())
        if not self.realm:
            object.__setattr__(self, "realm", self.provider.realm)
        if not self.issuer:
            object.__setattr__(self, "issuer", self.provider.issuer)

    @property
    def type(self) -> str:
        """The name of the event, e.g. `token_issued`: that of its class."""
        return _type_of(type(self).__name__)

    def as_json(self) -> dict[str, Any]:
        """Return the event as what JSON can hold: its type and its fields, without those that `repr` leaves out."""
        found: dict[str, Any] = {"type": self.type}
        for name in _members_of(cast("Hashable", type(self))):
            value = getattr(self, name)
            found[name] = list(value) if isinstance(value, tuple) else value
        return found

    def log_facts(self) -> dict[str, Any]:
        """Return what its line in the log says: those of `as_json` that say something, without the time it has."""
        facts = self.as_json()
        return {name: value for name, value in facts.items() if name != "at" and value not in (None, "", [])}
