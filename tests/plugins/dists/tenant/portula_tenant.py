"""Says in token responses, ID tokens and introspection which tenant a client belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portula import hookimpl

if TYPE_CHECKING:
    from portula.plugin import IntrospectionResponse, TokenResponse
    from portula_oidc import IDTokenClaims


@hookimpl
def portula_token_response(answer: TokenResponse) -> Mapping[str, Any]:
    return {"tenant": "north", "access_token": "mine"}


@hookimpl
def portula_introspection_response(answer: IntrospectionResponse) -> Mapping[str, Any]:
    return {"tenant": "north", "active": False, "client_id": "mine"}


@hookimpl
def portula_id_token_claims(token: IDTokenClaims) -> Mapping[str, Any]:
    return {"tenant": "north", "sub": "somebody else", "aud": "everybody"}
