"""The value that `portula_validate_client_registration` is called with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portula.model.records import Application

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientRegistration:
    """A client that is about to be saved, new or changed."""

    provider: AuthorizationServer
    application: Application
    """The client as it would be saved."""
