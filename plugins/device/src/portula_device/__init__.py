"""Tokens for devices without a browser: they show a code, and their person types it on a page and decides.

Sources: RFC 8628, and RFC 10027 for what stands against people who are talked into allowing somebody else's device.
It never lets a person allow a device without a page that says what asks, from where and since when; never lets another
person than the one who typed a code decide about it; and never keeps a code in a form that could be presented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import HookDeclarations
from portula_device.checks import portula_checks
from portula_device.endpoint import PATH, portula_endpoints
from portula_device.grant import portula_grant_types
from portula_device.hooks import DeviceAssessment, DeviceHooks, UserCodeGenerator
from portula_device.page import portula_blueprints
from portula_device.risk import portula_assess_device, portula_interaction_demands
from portula_device.settings import DeviceSettings
from portula_device.trial import portula_grant_trials
from portula_device.user_codes import generate

if TYPE_CHECKING:
    from portula import Provider

__all__ = [
    "DeviceAssessment",
    "portula_assess_device",
    "portula_blueprints",
    "portula_checks",
    "portula_endpoints",
    "portula_grant_trials",
    "portula_grant_types",
    "portula_interaction_demands",
]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """The slot for codes that people type, and the question about the risk of a device."""
    return [DeviceHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[DeviceSettings]]:
    """Return the settings of this room."""
    return [DeviceSettings]


@hookimpl
def portula_device_user_code_generator(provider: Provider) -> UserCodeGenerator:
    """Return the function that makes codes of 8 letters (RFC 8628 §6.1)."""
    return generate


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, str]:
    """Return where devices ask (RFC 8628 §4)."""
    return {"device_authorization_endpoint": PATH}
