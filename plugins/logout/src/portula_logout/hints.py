"""Hints of a logout request: the client, and by an ID token the person (OpenID Connect RP-Initiated Logout §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import InvalidRequestError, UntrustedToken
from portula.plugin import Application, is_encrypted
from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Jwt

ID_TOKEN_TYPES = ("JWT", "")
"""What the `typ` of an ID token may be: no other kind of token of ours passes for one (attack S44)."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Whom an ID token of ours is about."""

    subject: str
    """As its client knows the person."""
    sid: str | None


def refusal(description: str) -> InvalidRequestError:
    """Return the error for a page; nothing may be sent to the address that the request names (attack S63)."""
    return InvalidRequestError(description=description)


def hint_of(provider: Provider, token: str, client_id: str | None) -> tuple[Hint, Application]:
    """Return whom an ID token is about, and its client, which has to be the one that is named, if one is.

    Raises:
        InvalidRequestError: it is not an ID token of ours, or of another client.
    """
    jose = provider.hooks.ask(Plugin.portula_jose)
    try:
        if is_encrypted(token):  # for this server; with a secret, it takes client_id to know whose (§2)
            token = jose.decrypt(token, client_of(provider, client_id) if client_id else None)
        audience = _audience(jose.read(token).claims, client_id)
        client = client_of(provider, audience)
        verified = jose.verify_own(token, typ=ID_TOKEN_TYPES, client=client)
    except UntrustedToken as untrusted:
        raise refusal("The id_token_hint is not an ID token of this server.") from untrusted
    _check_claims(provider, verified)
    sid = verified.claims.get("sid")
    return Hint(verified.claims["sub"], sid if isinstance(sid, str) else None), client


def _audience(claims: Mapping[str, Any], client_id: str | None) -> str:
    """Return the client of an ID token (OpenID Connect Core §2, aud and azp)."""
    aud = claims.get("aud")
    audiences = [aud] if isinstance(aud, str) else aud if isinstance(aud, list) else []
    party = claims.get("azp") or (audiences[0] if len(audiences) == 1 else client_id)
    if party not in audiences or not isinstance(party, str):
        raise refusal("The id_token_hint does not say which app it is for.")
    if client_id and client_id != party:
        raise refusal("The id_token_hint is for another app than client_id names.")
    return party


def _check_claims(provider: Provider, token: Jwt) -> None:
    """Check what a signature does not say: that it is an ID token, of this issuer, and of now if that is asked for."""
    claims, now = token.claims, provider.now()
    times = [claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)]
    plain = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in times)
    if not plain or not isinstance(claims.get("sub"), str) or claims.get("iss") != provider.current_issuer():
        raise refusal("The id_token_hint is not an ID token of this server.")
    spared = provider.settings(LogoutSettings).OIDC_RP_INITIATED_LOGOUT_ACCEPT_EXPIRED_TOKENS
    if not spared and not claims.get("nbf", 0) <= now < claims["exp"]:
        raise refusal("The id_token_hint has expired.")


def client_of(provider: Provider, client_id: str) -> Application:
    """Return a client.

    Raises:
        InvalidRequestError: there is none of this name that may be used.
    """
    client = provider.clients.find(client_id) if client_id.isprintable() else None
    if client is None or client.disabled:
        raise refusal("There is no such app.")
    return client
