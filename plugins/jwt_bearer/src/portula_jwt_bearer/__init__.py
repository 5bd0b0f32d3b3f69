"""Access tokens for assertions of issuers that are trusted, such as the token of a workload or a CI job.

Sources: RFC 7521 §4.1, RFC 7523 §2.1 and §3.
It never takes an assertion twice, one that is for others as well, or one without an asymmetric signature; it gives no
refresh token, and none in the name of an administrator unless a setting says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_jwt_bearer.grant import portula_grant_types, portula_metadata
from portula_jwt_bearer.hooks import JwtBearerHooks
from portula_jwt_bearer.settings import JwtBearerSettings
from portula_jwt_bearer.trial import portula_grant_trials

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import HookDeclarations

__all__ = ["portula_grant_trials", "portula_grant_types", "portula_metadata"]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """Return the slot of the subject resolver, and the hook of types of assertions."""
    return [JwtBearerHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[JwtBearerSettings]]:
    """Return the settings of this room."""
    return [JwtBearerSettings]
