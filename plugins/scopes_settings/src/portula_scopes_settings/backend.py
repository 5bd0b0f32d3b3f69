"""The scopes backend that reads settings."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from portula.plugin import ScopesBackend
from portula_scopes_settings.settings import ALL, ScopesSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portula.plugin import Application


class SettingsScopes(ScopesBackend):
    """Scopes as configured; the same for every client."""

    def __init__(self, settings: ScopesSettings) -> None:
        """Compute the answers once."""
        self._all: Mapping[str, str] = MappingProxyType(dict(settings.SCOPES))
        self._names = tuple(self._all)
        self._defaults = self._names if ALL in settings.DEFAULT_SCOPES else settings.DEFAULT_SCOPES

    def get_all_scopes(self) -> Mapping[str, str]:
        """Return SCOPES."""
        return self._all

    def get_available_scopes(
        self,
        application: Application | None = None,
        request: object | None = None,
    ) -> tuple[str, ...]:
        """Return every scope."""
        return self._names

    def get_default_scopes(
        self,
        application: Application | None = None,
        request: object | None = None,
    ) -> tuple[str, ...]:
        """Return DEFAULT_SCOPES, `__all__` spelled out."""
        return self._defaults
