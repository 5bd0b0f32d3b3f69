"""OAuth 2.1 (draft-ietf-oauth-v2-1), with RFC 9700."""

from __future__ import annotations

from typing import Any

from portula.plugin import Floor, Profile
from portula_profiles.clients import oauth21_client

DAY = 24 * 3600
REFRESH_SECONDS = 30 * DAY
POST = "client_secret_post"


def _takes_secrets_in_the_body(methods: Any) -> bool:
    """Say whether the body may carry a secret wherever the header may."""
    return (
        methods is None or POST in methods or not any(name.startswith("client_secret_") for name in methods)
    )


OAUTH21 = Profile(
    name="oauth2.1",
    floors=(
        Floor.exactly("PKCE_REQUIRED", True),
        Floor.exactly("CODE_CHALLENGE_METHODS", ("S256",)),
        Floor.exactly("TOKEN_REQUEST_REDIRECT_URI_REQUIRED", False),
        Floor.exactly("IMPLICIT_GRANT_ENABLED", False),
        Floor.exactly("PASSWORD_GRANT_ENABLED", False),
        Floor(
            setting="OIDC_RESPONSE_TYPES_SUPPORTED",
            allows=lambda found: found is not None and not any("token" in name.split() for name in found),
            allowed="a list, none of it with an access token",
            default=("code",),
        ),
        Floor(
            setting="REFRESH_TOKEN_EXPIRE_SECONDS",
            allows=lambda found: found is not None and not callable(found),
            allowed="a number of seconds, or a timedelta",
            default=REFRESH_SECONDS,
        ),
        Floor(
            setting="OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED",
            allows=_takes_secrets_in_the_body,
            allowed=f"{POST} among them, where clients have secrets",
            default=None,
        ),
    ),
    client=oauth21_client,
)
