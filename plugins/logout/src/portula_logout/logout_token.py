"""The token that tells an app's server that somebody signed out (OpenID Connect Back-Channel Logout §2.4)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from portula import Plugin

if TYPE_CHECKING:
    from portula.plugin import Application, AuthorizationServer

TYPE = "logout+jwt"
"""Explicit, so that it passes for no other kind of token (§2.4, attack S44)."""

EVENT = "http://schemas.openid.net/event/backchannel-logout"

LIFETIME_SECONDS = 120
"""§4: two minutes at the most keep a token that leaks from being of use."""

JTI_BYTES = 16


def make_logout_token(
    provider: AuthorizationServer, client: Application, issuer: str, sub: str, sid: str
) -> str:
    """Return a token, signed as the client's ID tokens are (§2.6); it has no nonce, so that it is no ID token.

    Person and session are named as the client knows them.

    Raises:
        JoseError: it cannot be signed like that.
    """
    now = provider.now()
    claims = {
        "iss": issuer,
        "aud": client.client_id,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "jti": secrets.token_urlsafe(JTI_BYTES),
        "events": {EVENT: {}},
        "sub": sub,
        "sid": sid,
    }
    jose = provider.hooks.ask(Plugin.portula_jose)
    algorithm = client.algorithm or jose.default_algorithm(client)
    return jose.sign(claims, typ=TYPE, algorithm=algorithm, client=client)
