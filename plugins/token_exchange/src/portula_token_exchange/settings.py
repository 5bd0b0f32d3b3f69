"""Settings of token exchange."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from portula.plugin import AnswersSlot
from portula_token_exchange.hooks import ACCESS_TOKEN, TokenExchangePolicy

ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"
"""Token types (RFC 8693 §3); `jwt` is an access token or an ID token in the form of a JWT."""

TokenType = Literal[
    "urn:ietf:params:oauth:token-type:access_token",
    "urn:ietf:params:oauth:token-type:id_token",
    "urn:ietf:params:oauth:token-type:jwt",
]


def _policy(value: Any) -> object:
    policy = value() if isinstance(value, type) else value
    if not isinstance(policy, TokenExchangePolicy):
        raise TypeError("a subclass of TokenExchangePolicy, or an object of one, is needed")
    return policy


class TokenExchangeSettings(BaseModel):
    """Which tokens may be exchanged, for what, and by whom."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    TOKEN_EXCHANGE_POLICY: Annotated[Any, AnswersSlot("token_exchange_policy", _policy)] = None
    """Import string, class or object: the `TokenExchangePolicy` that says who may exchange what. None: nobody may, and
    the grant type is not offered."""

    TOKEN_EXCHANGE_SUBJECT_TOKEN_TYPES: tuple[TokenType, ...] = Field(
        default=(ACCESS_TOKEN, ID_TOKEN, JWT), min_length=1
    )
    """Types of tokens that are taken as subject and as actor (RFC 8693 §3), all issued here. Where ID tokens are
    taken, each is given a `jti` that says under which authorization it was issued."""

    TOKEN_EXCHANGE_REQUESTED_TOKEN_TYPES: tuple[str, ...] = Field(default=(ACCESS_TOKEN,), min_length=1)
    """Types of tokens that may be asked for (`requested_token_type`): access tokens, and what plugins bring besides."""

    TOKEN_EXCHANGE_MAX_ACT_DEPTH: int = Field(default=5, ge=1, le=20)
    """How many actors `act` may name, one inside the other (RFC 8693 §4.1)."""
