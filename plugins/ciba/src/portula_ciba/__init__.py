"""Tokens for a client whose person is elsewhere: the person is told, and decides on a page of the provider.

Sources: OpenID Connect Client-Initiated Backchannel Authentication Core 1.0 (CIBA), poll and ping; FAPI-CIBA ID1.
It never lets another person decide than the one whom the client named; never sends tokens to anybody; never keeps an
`auth_req_id` in a form that could be presented; and never lets a client tell by many guesses who has an account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import AccountLink, HookDeclarations
from portula_ciba.assessment import portula_assess_ciba, portula_interaction_demands
from portula_ciba.decisions import decide, waiting_requests
from portula_ciba.endpoint import portula_endpoints
from portula_ciba.errors import ExpiredLoginHintToken
from portula_ciba.grant import portula_grant_types
from portula_ciba.hints import portula_ciba_user_resolver
from portula_ciba.hooks import BackchannelAssessment, BackchannelRequested, CibaHooks, LoginHint
from portula_ciba.known_as import portula_record_authorization
from portula_ciba.metadata import portula_metadata
from portula_ciba.page import portula_blueprints
from portula_ciba.ping import portula_deliveries
from portula_ciba.registration import portula_client_metadata, portula_validate_client_registration
from portula_ciba.settings import CibaSettings, is_on
from portula_ciba.trial import portula_grant_trials

if TYPE_CHECKING:
    from portula import Provider

__all__ = [
    "BackchannelAssessment",
    "BackchannelRequested",
    "ExpiredLoginHintToken",
    "LoginHint",
    "decide",
    "portula_assess_ciba",
    "portula_blueprints",
    "portula_ciba_user_resolver",
    "portula_client_metadata",
    "portula_deliveries",
    "portula_endpoints",
    "portula_grant_trials",
    "portula_grant_types",
    "portula_interaction_demands",
    "portula_metadata",
    "portula_record_authorization",
    "portula_validate_client_registration",
    "waiting_requests",
]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """Return the slots for people and their codes, and the hooks around a request."""
    return [CibaHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[CibaSettings]]:
    """Return the settings of this room."""
    return [CibaSettings]


@hookimpl
def portula_account_links(provider: Provider) -> list[AccountLink]:
    """Return the link to what waits for a person."""
    return [AccountLink("Requests waiting for you", "ciba.requests")] if is_on(provider) else []
