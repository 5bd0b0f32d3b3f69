"""Hints: exactly one names the person whom a client asks for (CIBA Core §7.1, §7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.errors import InvalidRequestError, UntrustedToken
from portula.plugin import NamesPeople, is_encrypted, is_of_removed_client, is_time
from portula_ciba.hooks import CibaHooks, LoginHint, UserResolver
from portula_ciba.known_as import subject_known_as
from portula_ciba.settings import CibaSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import User
    from portula_ciba.exchange import CibaExchange

HINTS = ("login_hint", "login_hint_token", "id_token_hint")
ID_TOKEN_TYPES = ("", "JWT")
"""What the `typ` of an ID token may be: no other kind of token of ours passes for one (attack S44)."""
MAX_CHARACTERS = 4096


def user_of(exchange: CibaExchange) -> User | None:
    """Return the person whom the hint names; None for nobody, and for somebody who is not active.

    Raises:
        InvalidRequestError: there is no hint, or more than one; or the ID token is none of ours.
        OAuth2Error: the resolver refuses the hint.
    """
    given = [name for name in HINTS if name in exchange.own]
    if len(given) != 1:
        raise InvalidRequestError(description=f"Send one of {', '.join(HINTS)}.")
    (name,) = given
    value, provider, client = exchange.own[name], exchange.provider, exchange.party
    if name == "id_token_hint":
        user = _of_id_token(exchange, value)
    elif len(value) > MAX_CHARACTERS:
        return None
    else:
        resolve = provider.hooks.ask(CibaHooks.portula_ciba_user_resolver)
        user = resolve(LoginHint(provider=exchange.host, client=client, name=name, value=value))
    return None if user is None else provider.validator.active_person(user.subject)


def _of_id_token(exchange: CibaExchange, token: str) -> User | None:
    """Return the person of an ID token of ours that this client got; it may have expired.

    One that is signed with the client's secret does not count: the client could have made it.
    """
    provider, client, now = exchange.provider, exchange.party, exchange.provider.now()
    jose = provider.hooks.ask(Plugin.portula_jose)
    try:
        signed = jose.decrypt(token, client) if is_encrypted(token) else token
        claims = jose.verify_own(signed, typ=ID_TOKEN_TYPES).claims
    except UntrustedToken:
        raise InvalidRequestError(description="id_token_hint is no ID token of this server.") from None
    aud, issued_at, sub = claims.get("aud"), claims.get("iat"), claims.get("sub")
    audiences = aud if isinstance(aud, list) else [aud]
    oldest = now - provider.settings(CibaSettings).CIBA_ID_TOKEN_HINT_MAX_AGE_SECONDS
    of_client = client.client_id in audiences and claims.get("azp") in (None, client.client_id)
    if not of_client or claims.get("iss") != exchange.issuer or not isinstance(sub, str):
        raise InvalidRequestError(description="id_token_hint is no ID token of this client.")
    if not is_time(issued_at) or issued_at < oldest or is_of_removed_client(client, int(issued_at)):
        raise InvalidRequestError(description="id_token_hint is too old.")
    login = provider.hooks.ask(Plugin.portula_login)
    return login.find(subject_known_as(provider, client, sub))


@hookimpl
def portula_ciba_user_resolver(provider: Provider) -> UserResolver:
    """Return the function that takes a `login_hint` for a user name, or else for a subject."""
    return _by_name


def _by_name(hint: LoginHint) -> User | None:
    """Return whom a name or subject names.

    Raises:
        InvalidRequestError: the hint is a token, which nobody here understands.
    """
    if hint.name != "login_hint":
        raise InvalidRequestError(description=f"{hint.name} is not understood here.")
    login = hint.provider.hooks.ask(Plugin.portula_login)
    named = login.find_by_name(hint.value) if isinstance(login, NamesPeople) else None
    return named or login.find(hint.value)
