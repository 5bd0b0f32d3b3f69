"""Provider: the Flask extension. All state of one authorization server lives in one of these."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from flask import Blueprint, Flask, request, url_for
from pydantic import ValidationError

from portula.flow.authorization_server import AuthorizationServer
from portula.flow.client_cache import ClientCache
from portula.flow.clients import Clients
from portula.flow.engine import build_engine, make_backend
from portula.flow.hooks import FlowHooks
from portula.flow.people import People
from portula.flow.refusals import tell_refusal
from portula.flow.reloading import reloading
from portula.flow.strangers import StrangersQuota
from portula.host.commands import commands_as_typed
from portula.host.core_settings import EARLY, CoreSettings
from portula.host.declarations import HostHooks
from portula.host.hooks import Hooks
from portula.host.lock import LockFile
from portula.host.logs import configure_logging
from portula.host.models import ModelSettings, check_realms, with_models
from portula.host.modes import DEFERRED, ONLY, UNLOCKED
from portula.host.plugins import SET_ASIDE, Plugins, name_of, slot_plugin
from portula.host.settings import Settings
from portula.host.stores import build_storage, check_stores, tell_unknown_stores
from portula.model.errors import ConfigError, Together, UnknownPlugin
from portula.model.keys import Keys, secret_keys
from portula.model.records import CORE_RECORDS, RecordType
from portula.model.requests import begin_request
from portula.model.sources import PluginSource, Tier
from portula.model.storage import Storage, Store
from portula.web.background_threads import work_in_background
from portula.web.endpoints import join_steps, with_handler
from portula.web.flask_apps import UnboundProvider, redirect_no_paths, under_command
from portula.web.health import health_endpoints
from portula.web.hooks import CORE_HOOKS, WebHooks
from portula.web.http import MachineEndpoints, message_from
from portula.web.issuer import HomeRedirect, Issuer
from portula.web.metadata import MetadataPublisher, depends_on_data, fold, metadata_endpoints, without_data
from portula.web.pages import Pages, verbatim
from portula.web.requests import client_address, request_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from portula.flow.backend import Backend
    from portula.flow.deliveries import DeliveryWorker
    from portula.model.http import Message

log = logging.getLogger("portula")

_CORE = PluginSource("core", Tier.DEFAULT, "portula-core", "")


class Provider(AuthorizationServer):
    """An authorization server in a Flask app.

    Args:
        app: the Flask app; without one, `init_app` mounts such a provider in as many apps as are made, and in a
            request it stands for the provider of the current app.
        plugins: objects or modules with hook implementations; they outrank everything installed.
        discover: whether installed plugins (entry points of the group `portula`) take part.
        settings: in place of `app.config["OAUTH2_PROVIDER"]`, for a second provider in one app.
        name: unique in the app; part of view names and of cookies.
        stand_alone: whether the app is nothing but this provider, as under `portula serve`; some defaults differ then.
        demo: whether it is there to be tried out, as under `portula serve --demo`.
    """

    def __new__(cls, app: Flask | None = None, **given: Any) -> Self:
        """Return the provider of the app, or what stands for those of apps to come."""
        return (
            super().__new__(cls) if app is not None else cast("Self", UnboundProvider(partial(cls, **given)))
        )

    def __init__(
        self,
        app: Flask | None = None,
        *,
        plugins: Sequence[object] = (),
        discover: bool = True,
        settings: Mapping[str, Any] | None = None,
        name: str = "portula",
        stand_alone: bool = False,
        demo: bool = False,
    ) -> None:
        """Start in the app, or raise ConfigError with every finding."""
        self.app = cast("Flask", app)
        self.name, self.demo, self.stand_alone = name, demo, stand_alone
        self._given_plugins, self._discover = tuple(plugins), discover
        self._given_settings = settings
        self.plugins = Plugins(CORE_HOOKS, self)
        self.delivery_worker: DeliveryWorker | None = None
        self._settings = Settings()
        if self.name in self.app.extensions.get("portula", {}):
            raise ConfigError(f"the app has a provider named {self.name!r}; give this one another name")
        with self.app.app_context(), commands_as_typed(stand_alone=stand_alone):  # stores may need the app
            self._start()

    def init_app(self, app: Flask) -> None:
        """Mount a provider like this one in an app, if it was made without one: `Provider().init_app(app)`.

        Raises:
            ConfigError: it has an app, or the app's configuration is wrong.
        """
        raise ConfigError(
            "this Provider was made with an app; make it without one, Provider(), and call init_app for each app"
        )

    def _start(self) -> None:
        self._gather()
        self._configure()
        self._open_storage()
        build_engine(self, self._choice)
        self._mount()
        self.hooks.settle()
        if not DEFERRED.get():
            try:
                self.check_storage()
            except ConfigError as error:
                if not under_command():
                    raise
                log.warning("%s", error)  # the command may be the one that mends it

    # --- The six steps ---

    def _gather(self) -> None:
        """Find the plugins, in tiers, and refuse those that break a rule."""
        given = (
            self._given_settings
            if self._given_settings is not None
            else self.app.config.get("OAUTH2_PROVIDER", {})
        )
        if not isinstance(given, Mapping):
            raise ConfigError(f"OAUTH2_PROVIDER: a mapping is needed, not {type(given).__name__}")
        outside = {"USE_TZ": self.app.config["USE_TZ"]} if "USE_TZ" in self.app.config else {}
        self._configuration: Mapping[str, Any] = {**outside, **given}
        try:
            early = CoreSettings.model_validate({name: given[name] for name in EARLY if name in given})
            only = ONLY.get()
        except ValidationError:  # the same findings come again, with all others, in _configure
            early, only = CoreSettings(), ()  # until then nothing runs that a lock file might refuse
        lock, self._early = None, Together()
        with self._early.part():
            if early.PLUGINS_LOCK and not UNLOCKED.get():
                lock = LockFile.read(Path(early.PLUGINS_LOCK), early.PLUGINS_TRUSTED)
        self.plugins.locked_out = bool(self._early.errors)
        try:
            if self._discover:
                self.plugins.discover(early.PLUGINS_BLOCKED, early.PLUGINS_OPTIONAL, only=only, lock=lock)
        except UnknownPlugin as error:  # ours are there; a plugin that breaks or is refused is told at once
            self._early.errors.append(error)
        if early.PLUGINS_DIR and not self._early.errors:
            self.plugins.register_directory(Path(early.PLUGINS_DIR), lock=lock)
        for plugin in self._given_plugins:
            source = PluginSource(name_of(plugin, self.plugins.sources), Tier.DEPLOYMENT)
            self.plugins.register(plugin, source)
        self.plugins.declare_hooks(lock)
        self._choice = {
            slot: name for slot, name in early.PLUGINS_CHOICE.items() if not self._set_aside(name)
        }
        self.hooks = Hooks(self.plugins, self, self._choice)

    def _configure(self) -> None:
        """Validate all settings together; those that answer a slot become plugins of the strongest tier."""
        keys, problem = secret_keys(self._configuration.get("SECRET_KEYS"), self.app.config)
        declared = [
            (source, model)
            for source, models in self.hooks.contributions(HostHooks.portula_settings)
            for model in models
        ]
        whole = not self._early.errors  # else some plugins are not there, so who has a name is not known
        with self._early.part():
            self._settings.load(
                [(_CORE, CoreSettings), (_CORE, ModelSettings), *declared],
                self._configuration,
                [problem] if problem else [],
                strangers=ONLY.get() is not None or not whole,
                stand_alone=self.stand_alone,
                outside=self.app.config if self._given_settings is None else {},
                profiles=self.hooks.collect(HostHooks.portula_profiles),
            )
        with self._early.part():
            if whole:
                tell_unknown_stores(self.hooks, self._configuration, self._early.errors)
                self.hooks.check_choice()
        self._early.check()
        for setting, mark, answer in self._settings.slot_answers():
            self.plugins.register(slot_plugin(mark, answer), PluginSource(f"setting:{setting}", Tier.SETTING))
        self.plugins.check_pending()
        self.hooks = Hooks(self.plugins, self, self._choice)
        if self.core_settings.LOG_FORMAT and not self.stand_alone:
            configure_logging(self.core_settings)
        self.mount = self.core_settings.MOUNT_PATH
        self._issuer = Issuer(self.core_settings.OIDC_ISS_ENDPOINT, self.app, self.mount)
        self.issuer = self._issuer.fixed
        self.realm = self.core_settings.REALM
        place = self.issuer or self.mount or self.name
        self.keys = Keys(keys, f"{place}\0{self.realm}" if self.realm else place)

    def _open_storage(self) -> None:
        """Make the stores for the record types of core and of every room."""
        self._clock = self.hooks.ruling(HostHooks.portula_clock).answer or time.time
        self.pages = Pages(self)
        self.clients = Clients(self)
        self.strangers = StrangersQuota(self)
        self.due_revocations: set[str] = set()
        contributed = self.hooks.collect(HostHooks.portula_records)
        self.records: tuple[RecordType, ...] = with_models(self.hooks, (*CORE_RECORDS, *contributed))
        check_realms(self.records, self._realm_of)
        self.stores: dict[str, Store] = {}
        stores = self.hooks.collect(HostHooks.portula_stores)
        factories = {name: self._remembering(name, make) for name, make in stores.items()}
        # Who answers no protocol, such as a resource server alone, needs no storage.
        choice, remedy = self.core_settings.STORAGE, self.hooks.remedy(HostHooks.portula_stores)
        self.storage = Storage({})
        if factories or choice or self.hooks.ruling(FlowHooks.portula_backend_class).winner:
            self.storage = build_storage(choice, factories, self.records, remedy, self._realm_of)
        self.client_cache, self.people = ClientCache(self), People(self)

    def _realm_of(self, record: RecordType) -> str:
        """Return the realm whose records of a type are the provider's."""
        shared = self.core_settings.CLIENTS_SHARED
        return self.realm if record.name != "application" or shared is None else shared

    def _remembering(self, name: str, make: Any) -> Any:
        def remember(records: Sequence[RecordType]) -> Store:
            self.stores[name] = make(records)
            return self.stores[name]

        return remember

    @cached_property
    def backend(self) -> Backend:
        """What answers the protocol; made at start by the room that mounts it."""
        make = partial(make_backend, self)
        made = make()
        return reloading(make) if self.core_settings.ALWAYS_RELOAD_OAUTHLIB_CORE else made

    def _mount(self) -> None:
        """Put endpoints and pages into the Flask app."""
        others = frozenset(self.app.view_functions)
        found, mounts = self.hooks.all_entries(WebHooks.portula_endpoints, WebHooks.portula_blueprints)
        self.pages.find_templates(mounts)
        self.step_lists = join_steps(self, [*found, *mounts])
        endpoints = [with_handler(self, endpoint) for _, endpoint in found]
        self.metadata_contributions = self.hooks.contributions(WebHooks.portula_metadata)
        self.metadata_document = fold(without_data(self.metadata_contributions))
        if self.metadata_document or depends_on_data(self.metadata_contributions):
            endpoints += metadata_endpoints(self)
        endpoints += health_endpoints(self)
        self.machine_endpoints = MachineEndpoints(
            self.app, endpoints, self.mount, self.core_settings, partial(tell_refusal, self)
        )
        for other in self.app.extensions.get("portula", {}).values():
            if not self.machine_endpoints.paths.keys().isdisjoint(other.machine_endpoints.paths):
                raise ConfigError(f"MOUNT_PATH: {self.mount!r} is taken by the provider {other.name!r}")
        self.machine_endpoints.mount(self.name)
        self.app.register_blueprint(
            Blueprint(
                "pages",
                __name__,
                template_folder="templates",
                static_folder="static",
                static_url_path="/static",
            ),
            name=self.name,
            url_prefix=self.mount or None,
        )
        home = HomeRedirect(self.issuer and self.root_of(self.issuer), self.name, self.pages)
        for _, mount in mounts:
            mount.blueprint.before_request(home)
            mount.blueprint.after_request(verbatim)
            self.pages.handle_errors(mount.blueprint)
            prefix = "".join((self.mount if mount.at == "mount" else "", mount.blueprint.url_prefix or ""))
            self.app.register_blueprint(
                mount.blueprint, name=f"{self.name}_{mount.blueprint.name}", url_prefix=prefix or None
            )
        self._views = [view for name, view in self.app.view_functions.items() if name not in others]
        self._exempt_from_csrf_protect()
        redirect_no_paths(self.app, others)
        self.app.before_request(self._exempt_from_csrf_protect)
        work_in_background(self)
        self.app.before_request(self._begin_request)
        self.app.teardown_request(lambda _: begin_request(None))
        self.app.extensions.setdefault("portula", {})[self.name] = self

    def check_storage(self) -> None:
        """Let every store say whether it is ready; ConfigError when not."""
        with commands_as_typed(stand_alone=self.stand_alone):
            check_stores(self.stores.values())

    # --- What rooms ask for ---

    def datetime_of(self, seconds: int | None) -> datetime | None:
        """Return a stored time (Unix seconds) as plugins and templates see it: in UTC, aware when USE_TZ is on."""
        if seconds is None:
            return None
        time = datetime.fromtimestamp(seconds, UTC)
        return time if self.core_settings.USE_TZ else time.replace(tzinfo=None)

    @property
    def secure_cookies(self) -> bool:
        """Whether people come by https: by the issuer, or by the request when no issuer is fixed."""
        return self.issuer.startswith("https:") if self.issuer else request.is_secure

    @cached_property
    def metadata_publisher(self) -> MetadataPublisher:
        """What makes the server metadata, and answers requests for it."""
        return MetadataPublisher(self)

    def url_for(self, view: str, **values: Any) -> str:
        """Return the path of a page, e.g. `url_for("accounts.login")`."""
        return url_for(f"{self.name}_{view}", **values)

    def current_message(self) -> Message:
        """Return the current Flask request as a message, without its body; it may be for any path of the app.

        Raises:
            InvalidRequestError: what stands in the place of a client certificate is none.
        """
        return message_from(request.environ, request.path, b"", self.core_settings)

    def client_address(self) -> str:
        """Return the address of the person's browser in the current Flask request."""
        return client_address(request.environ, self.core_settings.TRUSTED_PROXIES)

    def issuer_of(self, message: Message) -> str:
        """Return the issuer for a message: the fixed one, or one made of a host that is trusted.

        Raises:
            InvalidRequestError: there is neither; endpoints and pages answer 400 with what is to be configured.
        """
        return self._issuer.of(message)

    def current_issuer(self) -> str:
        """Return the issuer for the current Flask request; see `issuer_of`."""
        return self._issuer.current()

    @property
    def root_path(self) -> str:
        """The path before MOUNT_PATH of the fixed issuer, such as /sub of https://id.example/sub/o; else empty."""
        return self._issuer.prefix

    def root_of(self, issuer: str) -> str:
        """Return the URL of the app for an issuer: scheme, host and the path before MOUNT_PATH."""
        return self._issuer.root_of(issuer)

    def wsgi(self, app: WSGIApplication | None = None) -> WSGIApplication:
        """Return a WSGI application that answers machine endpoints ahead of Flask.

        It warns when the app has before_request functions of its own, which that path does not run.
        """
        bypassed = [
            function.__qualname__
            for function in self.app.before_request_funcs.get(None, [])
            if getattr(function, "__func__", None) not in _HARMLESS
        ]
        if bypassed:
            self.app.logger.warning(
                "provider.wsgi answers %d paths without these before_request functions: %s",
                len(self.machine_endpoints.paths),
                ", ".join(bypassed),
            )
        return self.machine_endpoints.wsgi(app or self.app.wsgi_app)

    # --- Inside ---

    def _set_aside(self, plugin: str) -> bool:
        return any(
            source.name == plugin and note == SET_ASIDE for source, note in self.plugins.absent.items()
        )

    def _begin_request(self) -> None:
        """Know the request by an identifier from here on."""
        begin_request(request_of(request.environ, self.core_settings))

    def _exempt_from_csrf_protect(self) -> None:
        """Keep Flask-WTF's CSRFProtect off our views, once: machines have no token, our forms have their own.

        Exactly the views that it registered are exempt; the app may name its own as it likes.
        """
        protect = self.app.extensions.get("csrf")
        if protect is not None and not self.__dict__.get("_csrf_exempted"):
            for view in self._views:
                protect.exempt(view)
            self._csrf_exempted = True


_HARMLESS = (Provider._exempt_from_csrf_protect, Provider._begin_request)  # noqa: SLF001 - of this module
"""Functions that run before a request, and need not run ahead of Flask."""
