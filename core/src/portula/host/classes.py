"""What each hook can do to a deployment: its kind, its class, and the setting it answers.

The class says how much trust an implementation needs. Core's hooks are listed here; a room says it of its own hooks
with `describes`. One of which nothing is said counts as deciding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Kind(StrEnum):
    """How a hook is called; see `portula.host.policies`."""

    SLOT = "slot"
    CONTRIBUTION = "contribution"
    SHAPE = "shape"
    VETO = "veto"
    DEMAND = "demand"
    ENRICHMENT = "enrichment"
    OUTBOX = "outbox"
    EVENT = "event"


class HookClass(StrEnum):
    """What an implementation could do if it were hostile, worst first."""

    DECIDES = "decides"
    """It answers whether something is allowed, or replaces what does."""
    SEES_SECRETS = "sees secrets"
    """It is handed passwords, client secrets, codes or tokens in clear, or makes them."""
    SHAPES_TOKENS = "shapes tokens"
    """It adds to what tokens and answers say."""
    OBSERVES = "observes"
    """It hears of things, without secrets, and changes nothing."""


NEEDS_TRUST = (HookClass.DECIDES, HookClass.SEES_SECRETS)
"""Classes whose third-party implementations must be named in PLUGINS_TRUSTED under a lock file."""


@dataclass(frozen=True, slots=True)
class HookFacts:
    """Kind, class and setting of a hook."""

    kind: Kind
    hook_class: HookClass
    setting: str | None = None
    """The setting whose value answers the same question, strongest of all."""


_SLOT, _ADD, _EVENT = Kind.SLOT, Kind.CONTRIBUTION, Kind.EVENT
_DECIDES, _SECRETS, _SHAPES, _OBSERVES = HookClass

FACTS: dict[str, HookFacts] = {
    "portula_addhooks": HookFacts(_ADD, _DECIDES),
    "portula_settings": HookFacts(_ADD, _OBSERVES),
    "portula_clock": HookFacts(_SLOT, _DECIDES),
    "portula_records": HookFacts(_ADD, _OBSERVES),
    "portula_application_model": HookFacts(_SLOT, _DECIDES, "APPLICATION_MODEL"),
    "portula_grant_model": HookFacts(_SLOT, _DECIDES, "GRANT_MODEL"),
    "portula_access_token_model": HookFacts(_SLOT, _DECIDES, "ACCESS_TOKEN_MODEL"),
    "portula_refresh_token_model": HookFacts(_SLOT, _DECIDES, "REFRESH_TOKEN_MODEL"),
    "portula_id_token_model": HookFacts(_SLOT, _DECIDES, "ID_TOKEN_MODEL"),
    "portula_stores": HookFacts(_ADD, _DECIDES, "STORAGE"),
    "portula_scopes": HookFacts(_ADD, _DECIDES),
    "portula_scopes_backend": HookFacts(_SLOT, _DECIDES, "SCOPES_BACKEND_CLASS"),
    "portula_client_id_generator": HookFacts(_SLOT, _OBSERVES, "CLIENT_ID_GENERATOR_CLASS"),
    "portula_client_secret_generator": HookFacts(_SLOT, _SECRETS, "CLIENT_SECRET_GENERATOR_CLASS"),
    "portula_access_token_generator": HookFacts(_SLOT, _SECRETS, "ACCESS_TOKEN_GENERATOR"),
    "portula_refresh_token_generator": HookFacts(_SLOT, _SECRETS, "REFRESH_TOKEN_GENERATOR"),
    "portula_secret_hasher": HookFacts(_SLOT, _SECRETS),
    "portula_validator_class": HookFacts(_SLOT, _DECIDES, "OAUTH2_VALIDATOR_CLASS"),
    "portula_validator_mixins": HookFacts(_ADD, _DECIDES),
    "portula_client_auth_methods": HookFacts(_ADD, _DECIDES),
    "portula_client_metadata": HookFacts(_ADD, _OBSERVES),
    "portula_request_resolvers": HookFacts(_ADD, _DECIDES),
    "portula_grant_types": HookFacts(_ADD, _DECIDES),
    "portula_response_types": HookFacts(_ADD, _DECIDES),
    "portula_server_class": HookFacts(_SLOT, _DECIDES, "OAUTH2_SERVER_CLASS"),
    "portula_backend_class": HookFacts(_SLOT, _DECIDES, "OAUTH2_BACKEND_CLASS"),
    "portula_login": HookFacts(_SLOT, _DECIDES),
    "portula_sessions": HookFacts(_SLOT, _DECIDES),
    "portula_consent": HookFacts(_SLOT, _DECIDES),
    "portula_fetcher": HookFacts(_SLOT, _SECRETS),
    "portula_jose": HookFacts(_SLOT, _SECRETS),
    "portula_endpoints": HookFacts(_ADD, _SECRETS),
    "portula_blueprints": HookFacts(_ADD, _SECRETS),
    "portula_account_links": HookFacts(_ADD, _OBSERVES),
    "portula_metadata": HookFacts(_ADD, _SHAPES),
    "portula_commands": HookFacts(_ADD, _OBSERVES),
    "portula_checks": HookFacts(_ADD, _OBSERVES),
    "portula_demo": HookFacts(_ADD, _OBSERVES),
    "portula_validate_authorization_request": HookFacts(Kind.VETO, _SECRETS),
    "portula_validate_token_request": HookFacts(Kind.VETO, _SECRETS),
    "portula_validate_client_registration": HookFacts(Kind.VETO, _DECIDES),
    "portula_interaction_demands": HookFacts(Kind.DEMAND, _SECRETS),
    "portula_authorization_response": HookFacts(Kind.ENRICHMENT, _SECRETS),
    "portula_id_token_claims": HookFacts(Kind.ENRICHMENT, _SECRETS),
    "portula_userinfo_claims": HookFacts(Kind.ENRICHMENT, _SHAPES),
    "portula_token_response": HookFacts(Kind.ENRICHMENT, _SECRETS),
    "portula_introspection_response": HookFacts(Kind.ENRICHMENT, _SHAPES),
    "portula_record_authorization": HookFacts(Kind.OUTBOX, _DECIDES),
    "portula_record_token": HookFacts(Kind.OUTBOX, _DECIDES),
    "portula_record_session_end": HookFacts(Kind.OUTBOX, _DECIDES),
    "portula_token_issued": HookFacts(_EVENT, _OBSERVES),
    "portula_token_refused": HookFacts(_EVENT, _OBSERVES),
    "portula_token_revoked": HookFacts(_EVENT, _OBSERVES),
    "portula_code_replayed": HookFacts(_EVENT, _OBSERVES),
    "portula_refresh_replayed": HookFacts(_EVENT, _OBSERVES),
    "portula_consent_given": HookFacts(_EVENT, _OBSERVES),
    "portula_client_saved": HookFacts(_EVENT, _OBSERVES),
    "portula_client_authenticated": HookFacts(_EVENT, _OBSERVES),
    "portula_login_succeeded": HookFacts(_EVENT, _OBSERVES),
    "portula_login_failed": HookFacts(_EVENT, _OBSERVES),
    "portula_session_ended": HookFacts(_EVENT, _OBSERVES),
    "portula_logout_succeeded": HookFacts(_EVENT, _OBSERVES),
    "portula_steps": HookFacts(_ADD, _DECIDES),
    "portula_shape_token": HookFacts(Kind.SHAPE, _DECIDES),
}

_UNKNOWN = HookFacts(Kind.CONTRIBUTION, HookClass.DECIDES)


_MARK = "portula_facts"


def describes(kind: Kind, hook_class: HookClass, setting: str | None = None) -> Callable[[F], F]:
    """Say on a room's own hook specification what core says of its hooks here.

    Args:
        kind: how the room calls it.
        hook_class: what an implementation could do if it were hostile.
        setting: the setting whose value answers the same question.
    """

    def mark(specification: F) -> F:
        setattr(specification, _MARK, HookFacts(kind, hook_class, setting))
        return specification

    return mark


def facts_of(hook: str, specification: Callable[..., Any] | None = None) -> HookFacts:
    """Return what is said of a hook, here or by `describes` on its specification; without a word it decides."""
    said: HookFacts = getattr(specification, _MARK, _UNKNOWN)
    return FACTS.get(hook, said)
