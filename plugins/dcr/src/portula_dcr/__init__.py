"""Dynamic client registration: clients register themselves, and look after their registration.

Sources: RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration 1.0.
It never opens unless a setting says so, never keeps a token it issued, and never lets a client set what only operators
may: no member counts that no room contributed, and none of these reaches a privileged field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula.plugin import HookDeclarations
from portula_dcr.administering import InitialAccessTokenRecords
from portula_dcr.checks import portula_checks
from portula_dcr.commands import make_commands
from portula_dcr.endpoint import PATH, make
from portula_dcr.hooks import Registration, RegistrationHooks
from portula_dcr.settings import DcrSettings

if TYPE_CHECKING:
    import click

    from portula import Provider
    from portula.plugin import Endpoint

__all__ = ["Registration", "portula_checks"]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """The rule on who may register what."""
    return [RegistrationHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[DcrSettings]]:
    """DCR_ENABLED and its companions."""
    return [DcrSettings]


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """register/, unless it is off."""
    return [make(provider)] if provider.settings(DcrSettings).DCR_ENABLED else []


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Where the endpoint is (RFC 8414 §2)."""
    return {"registration_endpoint": PATH} if provider.settings(DcrSettings).DCR_ENABLED else {}


@hookimpl
def portula_commands(provider: Provider) -> list[click.Command]:
    """The group `registration`."""
    return make_commands(provider)


@hookimpl
def portula_admin_records(provider: Provider) -> list[InitialAccessTokenRecords]:
    """Initial access tokens, in the pages of administrators."""
    return [InitialAccessTokenRecords(provider)]
