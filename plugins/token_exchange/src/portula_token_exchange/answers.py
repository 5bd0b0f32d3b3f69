"""Members of exchanged tokens in introspection responses and ID tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_token_exchange.policies import policy_of
from portula_token_exchange.tokens import identifier

if TYPE_CHECKING:
    from portula.plugin import IntrospectionResponse


@hookimpl
def portula_introspection_response(answer: IntrospectionResponse) -> dict[str, Any]:
    """Say who acts, and who may (RFC 8693 §4.1, §4.4, §7)."""
    return {name: answer.token.payload[name] for name in ("act", "may_act") if name in answer.token.payload}


@hookimpl(optionalhook=True)
def portula_id_token_claims(token: Any) -> dict[str, str]:
    """Let an ID token say under which authorization it was issued, where it may be exchanged."""
    return identifier(token.request) if policy_of(token.provider) is not None else {}
