"""As the resource authorization server: what an assertion of an identity provider has to say (draft §4.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from portula import hookimpl
from portula.errors import InvalidGrantError, InvalidTargetError
from portula_id_jag.settings import TYP

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, Exchange, TokenExchange

ROOM = "id_jag"
PROFILE: Final = "urn:ietf:params:oauth:grant-profile:id-jag"
DETAILS = "authorization_details"
MAX_RESOURCES = 20


class IdJagAssertion:
    """The type of assertions that identity providers make for a client (draft §3, §4.4.1)."""

    profile = PROFILE

    def problem(self, exchange: TokenExchange, claims: Mapping[str, Any]) -> str | None:
        """Return why it does not count; else hold the token to what it names: a key, resources, details.

        Raises:
            InvalidTargetError: the request names another resource than the assertion.
        """
        client = cast("Application", exchange.client)
        if claims.get("aud") not in (exchange.issuer, [exchange.issuer]):
            return "aud is not our issuer alone"
        if claims.get("client_id") != client.client_id:
            return "client_id is another client"
        named = claims.get("resource", [])
        resources = [named] if isinstance(named, str) else named
        malformed = _malformed_claim({**claims, "resource": resources})
        if malformed is not None:
            return f"{malformed} is missing or malformed"
        exchange.memo[(ROOM,)] = claims.get("cnf", {})
        exchange.claims_at_most = {DETAILS: claims.get(DETAILS, [])}
        _hold_to(exchange, resources)
        return None


def _malformed_claim(claims: Mapping[str, Any]) -> str | None:
    """Return a claim that is not what it has to be; None when all are."""
    resources, key = claims["resource"], claims.get("cnf", {"jkt": ""})
    are = {
        "jti": isinstance(claims.get("jti"), str),
        "scope": isinstance(claims.get("scope", ""), str),
        "cnf": isinstance(key, dict) and bool(key),
        DETAILS: isinstance(claims.get(DETAILS, []), list),
        "resource": isinstance(resources, list)
        and len(resources) <= MAX_RESOURCES
        and all(isinstance(uri, str) and uri for uri in resources),
    }
    return next((name for name, is_sound in are.items() if not is_sound), None)


def _hold_to(exchange: TokenExchange, resources: Sequence[str]) -> None:
    """Let the token be for what the assertion names, of that for what the request names (RFC 8707 §2.2)."""
    named = exchange.values("resource")
    if not resources:
        return
    if not set(named) <= set(resources):
        raise InvalidTargetError(description="A resource is not the assertion's.")
    exchange.resources = tuple(dict.fromkeys(named or resources))
    if not named:  # so that whoever knows resources judges these
        exchange.add_values("resource", exchange.resources)


@hookimpl
def portula_validate_token_request(exchange: Exchange) -> None:
    """Require the key that the assertion is bound to (draft §8.6, RFC 7800 §3.1).

    Raises:
        InvalidGrantError: this request does not prove it.
    """
    key: Mapping[str, Any] = exchange.memo.get((ROOM,), {})
    proven = exchange.issue.confirmation if exchange.issue is not None else {}
    if any(proven.get(member) != value for member, value in key.items()):
        raise InvalidGrantError(description="The assertion is bound to a key that is not proven.")


@hookimpl(optionalhook=True)
def portula_assertion_types(provider: Provider) -> dict[str, Any]:
    """Return the type; which issuers sign it, the settings of assertions say."""
    return {TYP: IdJagAssertion()}
