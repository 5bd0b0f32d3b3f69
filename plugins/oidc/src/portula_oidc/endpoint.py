"""The machine endpoints: userinfo (OpenID Connect Core §5.3), the JWK Set, and discovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.plugin import Endpoint, metadata_endpoints
from portula_oidc.settings import is_on
from portula_oidc.userinfo import USERINFO_STEPS

if TYPE_CHECKING:
    from portula import Provider

JWKS_PATH = ".well-known/jwks.json"
USERINFO_PATH = "userinfo/"


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """Return the endpoints; any page may read them, since none of them looks at cookies."""
    if not is_on(provider):
        return []
    backend, jose = provider.backend, provider.hooks.ask(Plugin.portula_jose)
    return [
        Endpoint(
            "userinfo",
            USERINFO_PATH,
            ("GET", "POST"),
            backend.create_userinfo_response,
            cors="open",
            steps=USERINFO_STEPS,
        ),
        Endpoint("jwks", JWKS_PATH, ("GET",), jose.publish, cors="open", in_memory=True),
        *metadata_endpoints(provider, "openid-configuration"),
    ]
