"""portula: an OAuth 2.x authorization server for Flask in which every behaviour is a plugin.

The public names. `Provider` is the Flask extension; `Plugin` is the base of plugins, and `hookimpl` marks the functions
of those that are modules; `OAuth2Validator` is the base of validator classes. Each is imported at first use: pytest
loads the plugin in `portula_testing` with every project of an environment, and must not pay for Flask where nobody asks
for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portula.flow.validator import OAuth2Validator
    from portula.host.markers import hookimpl
    from portula.model.errors import ConfigError, PortulaError
    from portula.plugin import Plugin
    from portula.web.flask_apps import current_provider
    from portula.web.provider import Provider

__all__ = [
    "ConfigError",
    "OAuth2Validator",
    "Plugin",
    "PortulaError",
    "Provider",
    "current_provider",
    "hookimpl",
]
__version__ = "0.1.0"

if not TYPE_CHECKING:
    _HOMES = {
        "ConfigError": "portula.model.errors",
        "OAuth2Validator": "portula.flow.validator",
        "Plugin": "portula.plugin",
        "PortulaError": "portula.model.errors",
        "Provider": "portula.web.provider",
        "current_provider": "portula.web.flask_apps",
        "hookimpl": "portula.host.markers",
    }

    def __getattr__(name: str) -> object:
        """Import a public name at first use (PEP 562)."""
        if name not in _HOMES:
            raise AttributeError(f"module 'portula' has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value
