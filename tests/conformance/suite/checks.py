"""What the suite checks of answers wherever it sees them; its warnings are errors here."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import httpx

SKEW_SECONDS = 10
"""How far the two clocks may be apart: they are one, read at two moments."""

UI_ERRORS = {"login_required", "interaction_required", "consent_required", "account_selection_required"}
"""Core §3.1.2.6: errors for a request that would have needed a page."""

_ERROR_MEMBERS = {"error", "error_description", "error_uri", "state", "session_state", "iss"}
_DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*")
"""RFC 6749 §4.1.2.1: no quotation mark, no backslash, nothing outside of ASCII."""
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""RFC 6750 §2.1."""

SCOPE_CLAIMS = {
    "profile": (
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
}
"""Core §5.4."""
STRINGS = {*SCOPE_CLAIMS["profile"], "email", "phone_number"} - {"updated_at"}
ADDRESS_MEMBERS = {"formatted", "street_address", "locality", "region", "postal_code", "country"}
PROTOCOL_CLAIMS = {
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash"),
    *("s_hash", "sid", "jti"),
}


def entropy_of(value: str) -> float:
    """Return the bits of entropy measured in a value: Shannon's, by the frequency of its characters."""
    counts = Counter(value)
    per_character = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return per_character * len(value)


def unguessable(value: str) -> None:
    """Demand 128 bits by length and 96 by measure (RFC 6749 §10.10)."""
    assert len(value) * 6 >= 128
    assert entropy_of(value) >= 96


def bearer_token(value: str) -> None:
    """Demand the characters that a bearer token may have, and that it cannot be guessed."""
    assert _TOKEN.fullmatch(value)
    unguessable(value)


def expires_in(value: object) -> None:
    """Demand a lifetime in seconds, as a number."""
    assert type(value) is int
    assert value > 0


def json_answer(response: httpx.Response, status: int) -> dict[str, Any]:
    """Demand a JSON object with a status, and return it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"].partition(";")[0] == "application/json"
    document = response.json()
    assert isinstance(document, dict)
    return document


def token_error(response: httpx.Response, *errors: str, status: int = 400) -> None:
    """Demand an error of the token endpoint (RFC 6749 §5.2)."""
    document = json_answer(response, status)
    assert document["error"] in errors
    assert _DESCRIPTION.fullmatch(document.get("error_description", ""))
    assert set(document) <= {"error", "error_description", "error_uri"}


def refused_client(response: httpx.Response, *errors: str) -> None:
    """Demand an error of an endpoint where clients authenticate, with the status 400 or 401."""
    assert response.status_code in (400, 401), response.text
    token_error(response, *errors, status=response.status_code)


def redirected_error(response: Mapping[str, str], issuer: str, state: str | None) -> str:
    """Demand an error of the authorization endpoint in a redirect, and return its code (Core §3.1.2.6)."""
    assert response.get("state") == state
    assert response.get("iss", issuer) == issuer
    assert response.get("error")
    assert not {"code", "access_token", "id_token"} & set(response)
    assert set(response) <= _ERROR_MEMBERS
    assert _DESCRIPTION.fullmatch(response.get("error_description", ""))
    assert re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]*", response.get("error_uri", ""))
    return response["error"]


def id_token(claims: Mapping[str, Any], *, issuer: str, client_id: str, now: float) -> None:
    """Demand what is true of every ID token (Core §2, §3.1.3.7); its signature is checked before."""
    assert claims["iss"] == issuer
    audience = claims["aud"]
    assert audience in (client_id, [client_id])
    assert claims.get("azp", client_id) == client_id
    assert type(claims["exp"]) is int
    assert type(claims["iat"]) is int
    assert claims["exp"] > now - SKEW_SECONDS
    assert abs(claims["iat"] - now) <= SKEW_SECONDS
    assert claims.get("nbf", 0) <= now + SKEW_SECONDS
    assert isinstance(claims["sub"], str)
    assert 0 < len(claims["sub"]) <= 255
    assert claims["sub"].isascii()
    if "auth_time" in claims:
        assert type(claims["auth_time"]) is int
        assert claims["auth_time"] <= now + SKEW_SECONDS
    for name, kinds in (("updated_at", int), ("acr", str), ("amr", list), ("sid", str)):
        if name in claims:
            assert isinstance(claims[name], kinds), name


def standard_claims(claims: Mapping[str, Any]) -> None:
    """Demand the types of the claims about people (Core §5.1)."""
    for name in STRINGS:
        if name in claims:
            assert isinstance(claims[name], str), name
            assert claims[name], name
    for name in ("email_verified", "phone_number_verified"):
        assert type(claims.get(name, True)) is bool, name
    if "updated_at" in claims:
        assert type(claims["updated_at"]) is int
        assert claims["updated_at"] < 10_000_000_000, "milliseconds, it seems"
    if "birthdate" in claims:
        assert re.fullmatch(r"\d{4}(-\d{2}-\d{2})?", claims["birthdate"])
    if "address" in claims:
        assert isinstance(claims["address"], dict)
        assert claims["address"]
        assert set(claims["address"]) <= ADDRESS_MEMBERS
        assert all(isinstance(value, str) for value in claims["address"].values())
    for name in ("_claim_names", "_claim_sources"):
        assert name not in claims


def public_keys(document: Mapping[str, Any]) -> None:
    """Demand a set of public signing keys, each with a name of its own (RFC 7517, Core §10.1)."""
    keys = document["keys"]
    assert keys
    kids = [key["kid"] for key in keys]
    assert len(set(kids)) == len(kids)
    for key in keys:
        assert key["kty"] in ("RSA", "EC", "OKP")
        assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & set(key)
        for name in ("n", "e", "x", "y"):
            assert re.fullmatch(r"[A-Za-z0-9_-]+", key.get(name, "A")), f"{name} is no base64url"
