"""Proof Key for Code Exchange (RFC 7636)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.grant_types.authorization_code import (
    code_challenge_method_plain,
    code_challenge_method_s256,
)

if TYPE_CHECKING:
    from portula.flow.exchange import Exchange

UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""Characters of a code_challenge and a code_verifier (RFC 7636 §4.1)."""


def well_formed(value: str) -> bool:
    """Say whether a challenge or verifier has the form of RFC 7636 §4.1: 43 to 128 unreserved characters."""
    return 43 <= len(value) <= 128 and UNRESERVED.issuperset(value)


def judge_code_challenge(exchange: Exchange) -> None:
    """Judge the challenge of a request that may have one (RFC 7636 §4.3).

    Raises:
        InvalidRequestError: it is malformed, or there is a method without it.
        UnsupportedCodeChallengeMethodError: its method is not allowed.
    """
    request = exchange.request
    challenge, method = request.code_challenge, request.code_challenge_method
    if challenge is None:
        if method is not None:
            raise errors.InvalidRequestError(
                description="code_challenge_method without code_challenge.", request=request
            )
        return
    if (method or "plain") not in exchange.provider.validator.code_challenge_methods:
        raise errors.UnsupportedCodeChallengeMethodError(request=request)
    if not well_formed(challenge):
        raise errors.InvalidRequestError(
            description="code_challenge must have 43 to 128 unreserved characters.", request=request
        )


def verifies_challenge(verifier: str | None, challenge: str | None, method: str | None) -> bool:
    """Say whether a verifier fits a challenge (RFC 7636 §4.6); without a challenge none may come (RFC 9700 §4.8.2)."""
    if challenge is None or verifier is None:
        return challenge is verifier
    compare = code_challenge_method_s256 if method == "S256" else code_challenge_method_plain
    return well_formed(verifier) and bool(compare(verifier, challenge))
