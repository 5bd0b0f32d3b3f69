"""portula: an OAuth 2.x authorization server for Flask in which every behaviour is a plugin.

The public names. `Provider` is the Flask extension; `hookimpl` marks the functions of a plugin; `OAuth2Validator` is
the base of validator classes.
"""

from portula.engine.validator import OAuth2Validator
from portula.errors import ConfigError, PortulaError
from portula.markers import hookimpl, hookspec
from portula.provider import Provider, current_provider

__all__ = [
    "ConfigError",
    "OAuth2Validator",
    "PortulaError",
    "Provider",
    "current_provider",
    "hookimpl",
    "hookspec",
]
