"""Scopes from configuration: SCOPES, DEFAULT_SCOPES, READ_SCOPE, WRITE_SCOPE.

Source: RFC 6749 §3.3, and django-oauth-toolkit's SettingsScopes.
It never changes what it was configured with, and hands out no list that a caller could change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_scopes_settings.backend import SettingsScopes
from portula_scopes_settings.settings import ScopesSettings

if TYPE_CHECKING:
    from portula import Provider

__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[ScopesSettings]]:
    """SCOPES and its companions."""
    return [ScopesSettings]


@hookimpl
def portula_scopes_backend(provider: Provider) -> SettingsScopes:
    """Scopes from SCOPES."""
    return SettingsScopes(provider.settings(ScopesSettings))
