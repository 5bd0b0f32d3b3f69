"""Providers for tests: in memory, with a clock that stands until it is moved, and whatever rooms a test names.

Nothing here is safe to serve people with: the secret key is public and passwords are hashed cheaply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from flask import Flask

from portula import Plugin, Provider
from portula.errors import UnknownPlugin
from portula.host.discovery import entry_points
from portula.plugin import (
    Application,
    Clock,
    Issue,
    OAuthRequest,
    PluginSource,
    Server,
    Tier,
    TokenExchange,
    nearest,
    plan_to_add,
)
from portula_testing.plugins import GivenClock, Memory, MovableClock, Recorder, TestLogin

__all__ = [
    "CALLBACK",
    "SECRET_KEY",
    "Memory",
    "MovableClock",
    "Recorder",
    "TestLogin",
    "client_for",
    "expired_token_for",
    "installed_rooms",
    "make_provider",
    "token_for",
]

SECRET_KEY = "portula_testing, known to everybody"
CALLBACK = "https://client.example/cb"
"""Redirect URI of the clients that `client_for` makes."""

_CLIENT_ID = "portula_testing"


def installed_rooms() -> tuple[str, ...]:
    """Return the names of those of our rooms that are installed, for `make_provider`."""
    return tuple(name for name, (_, source) in entry_points().items() if source.tier is Tier.DEFAULT)


def make_provider(
    *rooms: object,
    settings: Mapping[str, Any] | None = None,
    app: Flask | None = None,
    discover: bool = False,
    name: str = "portula",
    clock: Clock | None = None,
) -> Provider:
    """Return a provider that is ready for requests.

    What a provider needs and no room brings is added: a store in memory (`Memory`, always, unless STORAGE is set), a
    clock that stands at the present second (`MovableClock`), a login under which everybody exists and nobody is
    signed in (`TestLogin`), and the cheapest hash profiles. To hold one of these in hand, make it and give it.

    Args:
        rooms: entry-point names of installed plugins, which come in the tier they have when they are discovered; and
            modules or objects with hook implementations, in the stronger tier of the deployment.
        settings: as in OAUTH2_PROVIDER; None for what the app's configuration says.
        app: the Flask app to mount it in; None for a new one.
        discover: whether every installed plugin takes part, as in a deployment.
        name: of the provider, unique in its app.
        clock: a callable that returns Unix seconds, e.g. a `MovableClock` that the test keeps.

    Raises:
        UnknownPlugin: no installed plugin has a name that was given.
        ConfigError: the provider cannot start; see `portula.Provider`.
    """
    if app is None:
        app = Flask("portula_testing", static_folder=None)
        app.config["TESTING"] = True
    if not app.config.get("SECRET_KEY"):
        app.config["SECRET_KEY"] = SECRET_KEY
    given = dict(app.config.get("OAUTH2_PROVIDER", {}) if settings is None else settings)
    names = [room for room in rooms if isinstance(room, str)]
    plugins = [room for room in rooms if not isinstance(room, str)]
    if clock is not None:
        plugins.append(GivenClock(clock))
    if "STORAGE" not in given:
        given["STORAGE"] = Memory.name
        if not any(isinstance(plugin, Memory) for plugin in plugins):
            plugins.append(Memory())
    if names and not discover:
        given["PLUGINS_BLOCKED"] = [*given.get("PLUGINS_BLOCKED", ()), *_all_but(names)]
    return _TestProvider(app, plugins=plugins, discover=discover or bool(names), settings=given, name=name)


def _all_but(names: list[str]) -> list[str]:
    """Return the names of the installed plugins that were not asked for."""
    installed = entry_points()
    findings = [
        f"make_provider: no plugin named {name!r} is installed{nearest(name, installed)}"
        for name in names
        if name not in installed
    ]
    if findings:
        raise UnknownPlugin(*findings)
    return sorted(installed.keys() - set(names))


class _TestProvider(Provider):
    """A provider with a clock and a login where no plugin answers, and hash profiles that cost nothing."""

    def _gather(self) -> None:
        super()._gather()
        for hook, plugin in (("portula_clock", MovableClock), ("portula_login", TestLogin)):
            if not self.plugins.implementations(hook):
                self.plugins.register(plugin(), PluginSource(plugin.__name__, Tier.DEPLOYMENT))

    def _configure(self) -> None:
        cheap = {
            name: "testing"
            for _, models in self.hooks.contributions(Plugin.portula_settings)
            for model in models
            for name, field in model.model_fields.items()
            if name.endswith("_HASH_PROFILE") and "testing" in get_args(field.annotation)
        }
        self._configuration = {**cheap, **self._configuration}
        super()._configure()


def client_for(
    provider: Provider, *grant_types: str, public: bool = False, **fields: Any
) -> tuple[Application, str | None]:
    """Register a client; return it and its secret, None for a public one.

    Args:
        provider: where it is registered.
        grant_types: as on the wire, e.g. `authorization_code`.
        public: whether it has no secret (RFC 6749 §2.1).
        fields: further fields of `portula.plugin.Application`; its redirect URI is CALLBACK unless they say otherwise.

    Raises:
        InvalidClientMetadata: a room does not allow such a client.
    """
    given = {
        "client_id": "",
        "name": "An app",
        "client_type": "public" if public else "confidential",
        "grant_types": grant_types,
        "redirect_uris": (CALLBACK,),
        **fields,
    }
    return provider.clients.create(Application(**given))


def token_for(
    provider: Provider,
    user: str | None,
    scopes: str | Iterable[str],
    *,
    expires_in: int = 3600,
    client: Application | None = None,
) -> str:
    """Issue an access token without HTTP, through the provider's generator, rules, validator and storage.

    Args:
        provider: who issues it.
        user: subject of the person, who must exist under the provider's login for it to count; None for a token of
            the client itself.
        scopes: what it allows; a name or names apart by spaces, or several. They are not asked of the scopes backend.
        expires_in: seconds it lives.
        client: whom it is issued to; None for a public client of the kit's own.

    Raises:
        OAuth2Error: a plugin does not allow it.
    """
    grant_type = "client_credentials" if user is None else "authorization_code"
    request = OAuthRequest("", "POST", [("grant_type", grant_type)])
    request.client = client or _own_client(provider)
    request.client_id = request.client.client_id
    request.user = user
    request.scopes = scopes.split() if isinstance(scopes, str) else list(scopes)
    exchange = TokenExchange(provider=provider, request=request)
    exchange.issue = Issue(scope=exchange.scope, lifetime=expires_in)
    request.exchange = exchange
    with provider.app.app_context():
        Server(provider.validator).issue(exchange)
    return str(exchange.response["access_token"])


def expired_token_for(
    provider: Provider, user: str | None, scopes: str | Iterable[str], *, client: Application | None = None
) -> str:
    """Issue an access token whose time is over; all else as in `token_for`."""
    return token_for(provider, user, scopes, expires_in=-1, client=client)


def _own_client(provider: Provider) -> Application:
    known = provider.storage.find(Application, client_id=_CLIENT_ID)
    if known is None:
        known = Application(client_id=_CLIENT_ID, name="A test", client_type="public")
        provider.storage.apply(plan_to_add(known))
    return known
