"""The description of a client authentication method (RFC 6749 §2.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portula.flow.messages import OAuthRequest
    from portula.model.records import Application


@dataclass(frozen=True, slots=True)
class ClientAuthMethod:
    """A client authentication method by its registered name (RFC 7591 §2)."""

    name: str
    presented: Callable[[OAuthRequest], bool]
    """Says whether the request carries credentials of this kind; two kinds at once are refused."""
    authenticate: Callable[[OAuthRequest], Application | None]
    """Returns the client if the credentials are right."""
