"""The parameters that OpenID Connect adds to an authorization request (Core §3.1.2.1, §5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from portula.errors import InvalidRequestError
from portula.plugin import in_front_channel, read_object

if TYPE_CHECKING:
    from portula.plugin import OAuthRequest

OPENID = "openid"
PROMPTS = ("none", "login", "consent", "select_account")
PLACES = ("id_token", "userinfo")
"""Where the `claims` parameter may ask for claims."""

MAX_CLAIMS_CHARACTERS = 8192
MAX_AGE_DIGITS = 10


@dataclass(frozen=True, slots=True)
class RequestedClaims:
    """What an authentication request asks for."""

    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    """Seconds since the person signed in, at the most; None for any number."""
    nonce: str | None = None
    id_token_hint: str | None = field(default=None, repr=False)
    acr_values: tuple[str, ...] = ()
    claims: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Claims asked for, by place and name; what is asked of each, or None."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """What the login page may like to know."""

    def claim(self, place: str, name: str) -> Mapping[str, Any]:
        """Return what is asked of one claim: `essential`, `value`, `values`."""
        return self.claims.get(place, {}).get(name) or {}


def asked_of(request: OAuthRequest) -> RequestedClaims | None:
    """Return what a request asks for, None when it is none of OpenID Connect and names no sign-in (RFC 9470 §4).

    Raises:
        InvalidRequestError: a parameter is malformed, or one is missing.
    """
    front = (
        in_front_channel(request.response_type or "") and "id_token" in (request.response_type or "").split()
    )
    if OPENID not in (request.scopes or ()):
        if front:
            raise InvalidRequestError(description="An ID token needs the scope openid.", request=request)
        signed_in = RequestedClaims(
            max_age=_max_age(request, None), acr_values=tuple((request.acr_values or "").split())
        )
        return None if signed_in == RequestedClaims() else signed_in
    if front and request.nonce is None:
        # Core §3.2.2.1, §3.3.2.11
        raise InvalidRequestError(description="nonce is missing.", request=request)
    metadata = request.client.metadata if request.client else {}
    acr_values = (request.acr_values or "").split() or metadata.get("default_acr_values", ())
    return RequestedClaims(
        prompt=_prompt(request),
        max_age=_max_age(request, metadata.get("default_max_age")),
        nonce=request.nonce,
        id_token_hint=request.id_token_hint,
        acr_values=tuple(acr_values),
        claims=_claims(request),
        hints={
            name: value
            for name in ("login_hint", "ui_locales", "display")
            if (value := getattr(request, name)) is not None
        },
    )


def _prompt(request: OAuthRequest) -> frozenset[str]:
    words = frozenset((request.prompt or "").split())
    if not words.issubset(PROMPTS):
        raise InvalidRequestError(description=f"prompt is made of {', '.join(PROMPTS)}.", request=request)
    if "none" in words and len(words) > 1:
        raise InvalidRequestError(description="prompt none stands alone.", request=request)
    return words


def _max_age(request: OAuthRequest, default: int | None) -> int | None:
    text: str | None = request.max_age
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_AGE_DIGITS):
        raise InvalidRequestError(description="max_age is a number of seconds.", request=request)
    return int(text)


def _claims(request: OAuthRequest) -> dict[str, dict[str, Any]]:
    """Read the `claims` parameter (Core §5.5); members that nobody knows are passed over.

    It is kept with codes and tokens, so it holds nothing that cannot be.
    """
    text: str | None = request.claims
    if text is None:
        return {}
    try:
        document = read_object(text.encode()) if len(text) <= MAX_CLAIMS_CHARACTERS else None
    except ValueError as error:
        raise InvalidRequestError(description=f"claims: {error}.", request=request) from None
    if document is None:
        raise InvalidRequestError(description="claims is a JSON object of moderate size.", request=request)
    found = {place: document[place] for place in PLACES if document.get(place) is not None}
    if not all(_is_request_for_claims(members) for members in found.values()):
        raise InvalidRequestError(
            description="claims names each claim with null or an object.", request=request
        )
    return found


def _is_request_for_claims(members: object) -> bool:
    return isinstance(members, dict) and all(
        wanted is None or (isinstance(wanted, dict) and isinstance(wanted.get("values", []), list))
        for wanted in members.values()
    )
