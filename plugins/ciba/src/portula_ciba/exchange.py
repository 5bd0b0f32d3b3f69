"""A request for a person, and a page on which that person decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from portula.plugin import Artifact, AuthorizationExchange, PageExchange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portula import Provider
    from portula.plugin import Application
    from portula_ciba.hooks import BackchannelRequested

NO_REQUEST = Artifact(digest="", kind="", payload={}, issued_at=0)


@dataclass(kw_only=True, eq=False)
class CibaExchange(AuthorizationExchange):
    """A request of a client for a person who is elsewhere (CIBA Core §7.1)."""

    own: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Parameters of this endpoint alone: hints and the like. No plugin that judges authorization requests sees them."""
    seconds: int = 0
    """For which it waits."""
    requested: BackchannelRequested | None = None
    """What is told of it, once it is kept."""

    @property
    def party(self) -> Application:
        """The client, which is known in every step of this room."""
        return cast("Application", self.client)

    @property
    def host(self) -> Provider:
        """The provider, as pages and hooks know it."""
        return cast("Provider", self.provider)


@dataclass(kw_only=True, eq=False)
class CibaPageExchange(PageExchange):
    """A person decides about a request."""

    pending: Artifact = NO_REQUEST
    """The record of the request."""
