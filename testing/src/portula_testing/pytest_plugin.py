"""The pytest plugin: fixtures for applications that test themselves. Loaded wherever this distribution is installed.

It must cost next to nothing where nobody asks for it: Flask and portula are imported inside the fixtures.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flask import Flask

    from portula import Provider
    from portula.plugin import Application
    from portula_testing.plugins import MovableClock, TestLogin

pytest.register_assert_rewrite(
    "portula_testing.clock_contract",
    "portula_testing.consent_contract",
    "portula_testing.fetcher_contract",
    "portula_testing.generators_contract",
    "portula_testing.hasher_contract",
    "portula_testing.login_contract",
    "portula_testing.plan_races_contract",
    "portula_testing.plans_contract",
    "portula_testing.scopes_contract",
    "portula_testing.sessions_contract",
    "portula_testing.storage_contract",
    "portula_testing.walk_contract",
)

SOMEBODY = "somebody"
"""Subject of the tokens that the fixtures give."""

OTHER_SCOPE = "portula_testing.other"
"""The scope of `wrong_scope_token`: no view asks for it."""


class TokenFor(Protocol):
    """What the fixture `token_for` returns."""

    def __call__(
        self,
        user: str | None,
        scopes: str | Iterable[str],
        *,
        expires_in: int = 3600,
        client: Application | None = None,
    ) -> str:
        """Return a live access token; see `portula_testing.provider.token_for`."""
        ...


@pytest.fixture
def oauth_app() -> Flask | None:
    """Return the Flask app that gets a provider; None for a new one. Override it to test your own.

    An app that makes its Provider itself keeps it: give that the plugins of `portula_testing.provider`.
    """
    return None


@pytest.fixture
def oauth_settings() -> Mapping[str, Any] | None:
    """Return settings for `oauth_server`; None for those in the app's configuration. Override it."""
    return None


@pytest.fixture
def oauth_rooms() -> Sequence[object]:
    """Return the rooms of `oauth_server`, as `make_provider` takes them: ours, as installed. Override it to add."""
    from portula_testing.provider import installed_rooms

    return installed_rooms()


@pytest.fixture
def oauth_clock() -> MovableClock:
    """Return the clock of `oauth_server`; it stands until `oauth_clock.advance(seconds)`."""
    from portula_testing.plugins import MovableClock

    return MovableClock()


@pytest.fixture
def oauth_login() -> TestLogin:
    """Return the login of `oauth_server`; `oauth_login.sign_in_as(user)` says who is signed in."""
    from portula_testing.plugins import TestLogin

    return TestLogin()


@pytest.fixture
def oauth_server(
    oauth_app: Flask | None,
    oauth_settings: Mapping[str, Any] | None,
    oauth_rooms: Sequence[object],
    oauth_clock: MovableClock,
    oauth_login: TestLogin,
) -> Provider:
    """Return a provider in memory, in `oauth_app`; or the one that this app has made itself."""
    from portula_testing.provider import make_provider

    if oauth_app is not None:
        made: dict[str, Provider] = oauth_app.extensions.get("portula", {})
        if made:
            return next(iter(made.values()))
    return make_provider(*oauth_rooms, oauth_login, app=oauth_app, settings=oauth_settings, clock=oauth_clock)


@pytest.fixture
def token_for(oauth_server: Provider) -> TokenFor:
    """Return a function that issues access tokens: `token_for("ann", "read")`."""
    from portula_testing.provider import token_for as issue

    return partial(issue, oauth_server)


@pytest.fixture
def expired_token(oauth_server: Provider) -> str:
    """Return an access token with every scope there is, whose time is over."""
    from portula import Plugin
    from portula_testing.provider import expired_token_for

    scopes = [
        *oauth_server.hooks.ask(Plugin.portula_scopes_backend).get_all_scopes(),
        *oauth_server.scope_texts,
    ]
    return expired_token_for(oauth_server, SOMEBODY, scopes)


@pytest.fixture
def wrong_scope_token(token_for: TokenFor) -> str:
    """Return a live access token that lacks every scope a view could ask for."""
    return token_for(SOMEBODY, OTHER_SCOPE)
