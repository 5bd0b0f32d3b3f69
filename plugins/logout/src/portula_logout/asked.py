"""What an app asks for when it sends a person here to sign out (OpenID Connect RP-Initiated Logout §2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from portula import Plugin
from portula.errors import InvalidRequestError, UntrustedToken
from portula.plugin import Application, uri_scheme
from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Authenticated, Pairs, Token

ID_TOKEN_TYPES = ("JWT", "")
"""What the `typ` of an ID token may be: no other kind of token of ours passes for one (attack S44)."""


@dataclass(frozen=True, slots=True)
class Hint:
    """Whom an ID token of ours is about."""

    subject: str
    """As its client knows the person."""
    sid: str | None


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A request that was judged: all that is in here may be acted upon."""

    pairs: Pairs
    """As the app sent it."""
    client: Application | None = None
    hint: Hint | None = None
    redirect_uri: str | None = None
    """Registered by the client."""
    state: str | None = None

    @property
    def location(self) -> str | None:
        """Where to go afterwards: the address with `state` and nothing else added (§3)."""
        if self.redirect_uri is None or self.state is None:
            return self.redirect_uri
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode({'state': self.state})}"

    def proves(self, provider: Provider, person: Authenticated) -> bool:
        """Say whether the hint is about the person and the session that are here; else they must be asked (§2)."""
        if self.hint is None:
            return False
        known = provider.validator.subject_for(person.subject, self.client)
        return self.hint.subject == known and self.hint.sid in (None, person.sid)


def judge(provider: Provider, pairs: Pairs) -> LogoutRequest:
    """Return what a request asks for.

    Raises:
        InvalidRequestError: for a page; nothing may be sent to the address that it names (attack S63).
    """
    asked = dict(pairs)
    client_id, token = asked.get("client_id"), asked.get("id_token_hint")
    hint: Hint | None = None
    client: Application | None = None
    if token:
        hint, client = _hint(provider, token, client_id)
    elif client_id:
        client = _client(provider, client_id)
    redirect_uri = asked.get("post_logout_redirect_uri")
    if not redirect_uri:
        return LogoutRequest(pairs, client, hint)
    _check_redirect_uri(provider, client, redirect_uri)
    return LogoutRequest(pairs, client, hint, redirect_uri, asked.get("state"))


def _hint(provider: Provider, token: str, client_id: str | None) -> tuple[Hint, Application]:
    """Verify an ID token, whose client has to be the one that is named, if one is."""
    jose = provider.hooks.ask(Plugin.portula_jose)
    try:
        audience = _audience(jose.read(token).claims, client_id)
        client = _client(provider, audience)
        verified = jose.verify_own(token, typ=ID_TOKEN_TYPES, client=client)
    except UntrustedToken as untrusted:
        raise _refused("The id_token_hint is not an ID token of this server.") from untrusted
    _check_claims(provider, verified)
    sid = verified.claims.get("sid")
    return Hint(verified.claims["sub"], sid if isinstance(sid, str) else None), client


def _audience(claims: Mapping[str, Any], client_id: str | None) -> str:
    """Return the client of an ID token (OpenID Connect Core §2, aud and azp)."""
    aud = claims.get("aud")
    audiences = [aud] if isinstance(aud, str) else aud if isinstance(aud, list) else []
    party = claims.get("azp") or (audiences[0] if len(audiences) == 1 else client_id)
    if party not in audiences or not isinstance(party, str):
        raise _refused("The id_token_hint does not say which app it is for.")
    if client_id and client_id != party:
        raise _refused("The id_token_hint is for another app than client_id names.")
    return party


def _check_claims(provider: Provider, token: Token) -> None:
    """Check what a signature does not say: that it is an ID token, of this issuer, and of now if that is asked for."""
    claims, now = token.claims, provider.now()
    times = [claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)]
    plain = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in times)
    if not plain or not isinstance(claims.get("sub"), str) or claims.get("iss") != provider.current_issuer():
        raise _refused("The id_token_hint is not an ID token of this server.")
    spared = provider.settings(LogoutSettings).OIDC_RP_INITIATED_LOGOUT_ACCEPT_EXPIRED_TOKENS
    if not spared and not claims.get("nbf", 0) <= now < claims["exp"]:
        raise _refused("The id_token_hint has expired.")


def _client(provider: Provider, client_id: str) -> Application:
    client = provider.clients.find(client_id) if client_id.isprintable() else None
    if client is None or client.disabled:
        raise _refused("There is no such app.")
    return client


def _check_redirect_uri(provider: Provider, client: Application | None, uri: str) -> None:
    """Let nobody be sent to where no client has registered, exactly (§3, attacks S13 and S63)."""
    if client is None:
        raise _refused("The request names an address to go to, but not the app it belongs to.")
    if not client.post_logout_redirect_uri_allowed(uri):
        raise _refused("The app has not registered the address that it wants to go to.")
    strict = provider.settings(LogoutSettings).OIDC_RP_INITIATED_LOGOUT_STRICT_REDIRECT_URIS
    if strict and uri_scheme(uri) == "http" and client.client_type != "confidential":
        raise _refused("The app may only name an https address to go to.")


def _refused(description: str) -> InvalidRequestError:
    return InvalidRequestError(description=description)
