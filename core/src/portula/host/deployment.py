"""`Deployment`: the server as plugins see it on the floor of the host."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel

from portula.host.core_settings import CoreSettings
from portula.host.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

    from portula.host.hooks import Hooks
    from portula.host.plugins import Plugins
    from portula.model.keys import Keys
    from portula.model.records import Application, RecordType
    from portula.model.slots import Clock
    from portula.model.storage import Storage, Store

M = TypeVar("M", bound=BaseModel)


class Deployment:
    """A server with its plugins, settings, keys and storage."""

    app: Flask
    """The Flask app that the server is part of."""
    name: str
    """Unique in the app; part of view names and of cookies."""
    mount: str
    """Path below which the endpoints are mounted (MOUNT_PATH)."""
    issuer: str
    """The issuer; empty where it is made of the host of each request."""
    demo: bool
    """Whether it is a demo, whose people and clients are made up: rooms may then show what they hide elsewhere."""
    stand_alone: bool
    """Whether the app is nothing but this server, as under `portula serve`."""
    realm: str
    """The realm whose records it stores and finds (REALM)."""
    plugins: Plugins
    hooks: Hooks
    keys: Keys
    storage: Storage
    stores: dict[str, Store]
    """The storages by name."""
    records: tuple[RecordType, ...]
    """Every record type, core's and those of rooms."""
    _settings: Settings
    _clock: Clock

    def settings(self, model: type[M], client: Application | None = None) -> M:
        """Return the settings of a room; those for a client are what its `profile` allows."""
        own = None if client is None else self._settings.profiles.own(client)
        return self._settings.get(model, own)

    @property
    def all_settings(self) -> Settings:
        """Every setting with owner and origin, for reports."""
        return self._settings

    @cached_property
    def core_settings(self) -> CoreSettings:
        """Return the settings of the host."""
        return self._settings.get(CoreSettings)

    def now(self) -> int:
        """Return the time by the clock slot, in whole Unix seconds."""
        return int(self._clock())
