"""The demo client of `portula serve --demo`, and a request to try it with."""

from __future__ import annotations

import base64
import hashlib
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from portula import hookimpl
from portula.errors import UnknownClient
from portula.plugin import Application, unknown_scopes

if TYPE_CHECKING:
    from portula import Provider

DEMO_CLIENT_ID = "demo"
_SCOPES = ("openid", "profile")
"""Asked for where they are known, so that userinfo answers (OpenID Connect Core §5.3.1)."""


@hookimpl
def portula_demo(provider: Provider) -> dict[str, str]:
    """Make the demo client anew, with a secret that is seen once; the start page receives its codes."""
    root = provider.root_of(provider.issuer)
    checked = provider.clients.prepare(
        Application(
            client_id=DEMO_CLIENT_ID,
            name="Demo app",
            grant_types=("authorization_code", "client_credentials"),
            redirect_uris=(f"{root}/",),
        )
    )
    with suppress(UnknownClient):
        provider.clients.remove(DEMO_CLIENT_ID)  # the one of the last start, with what was issued to it
    client, secret = provider.clients.save(checked), checked.secret
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    known = [name for name in _SCOPES if not unknown_scopes(provider, name)]
    request = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uris[0],
        **({"scope": " ".join(known)} if known else {}),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    endpoint = f"{root}{provider.mount}"
    redeem = (
        f"-d grant_type=authorization_code -d redirect_uri={root}/ -d code_verifier={verifier} -d code=CODE"
    )
    return {
        "Demo client_id": client.client_id,
        "Demo client_secret": str(secret),
        "Demo redirect URI": client.redirect_uris[0],
        "Open in a browser": f"{endpoint}/authorize/?{urlencode(request)}",
        "Then redeem CODE": f"curl -u {client.client_id}:{secret} {endpoint}/token/ {redeem}",
    }
