"""What others learn of exchanged tokens, and which clients may be registered for the exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula.errors import InvalidClientMetadata
from portula_token_exchange.grant import GRANT_TYPE, policy_of
from portula_token_exchange.tokens import identifier

if TYPE_CHECKING:
    from portula.plugin import ClientRegistration, IntrospectionResponse


@hookimpl
def portula_introspection_response(answer: IntrospectionResponse) -> dict[str, Any]:
    """Say who acts, and who may (RFC 8693 §4.1, §4.4, §7)."""
    return {name: answer.token.payload[name] for name in ("act", "may_act") if name in answer.token.payload}


@hookimpl(optionalhook=True)
def portula_id_token_claims(token: Any) -> dict[str, str]:
    """Let an ID token say under which authorization it was issued, where it may be exchanged."""
    return identifier(token.request) if policy_of(token.provider) is not None else {}


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse public clients that want to exchange tokens: anybody could do it in their name (attack S53).

    Raises:
        InvalidClientMetadata: the client is one.
    """
    client = registration.application
    if client.client_type == "public" and client.allows_grant_type(GRANT_TYPE):
        raise InvalidClientMetadata("a public client cannot exchange tokens (RFC 8693 §2.1)")
