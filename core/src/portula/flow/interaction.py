"""The demands of an authorization request on the person at the browser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from portula.model.consent import ConsentItem
from portula.model.people import AuthenticatedUser

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.messages import OAuthRequest


@dataclass(frozen=True, slots=True)
class Demands:
    """What has to happen, or must not, before a request may be answered. Those of several rooms are joined."""

    login: bool = False
    """The person has to sign in, although somebody is signed in."""
    consent: bool = False
    """The person has to be asked, whatever is remembered and however much the client is trusted."""
    silent: bool = False
    """No page may be shown: what would need one is an error."""
    permissions: frozenset[str] = frozenset()
    """Scopes whose permission is asked for too, though no token will have them: single claims that they stand for."""
    items: tuple[ConsentItem, ...] = ()
    """What else the person is asked about."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """Further parameters for the URL of the login page, e.g. `login_hint`."""

    def __or__(self, other: Demands) -> Demands:
        """Join two: whatever one of them demands is demanded."""
        return Demands(
            login=self.login or other.login,
            consent=self.consent or other.consent,
            silent=self.silent or other.silent,
            permissions=self.permissions | other.permissions,
            items=(*self.items, *other.items),
            hints={**other.hints, **self.hints},
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Interaction:
    """An authorization request that is valid, and the person at the browser."""

    provider: AuthorizationServer
    request: OAuthRequest
    user: AuthenticatedUser | None
    """Who is signed in."""
    fresh: bool
    """Whether they signed in for this very request."""
