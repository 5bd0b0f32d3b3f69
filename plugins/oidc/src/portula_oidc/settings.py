"""Settings of OpenID Connect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from oauthlib.oauth2.rfc6749.endpoints import TokenEndpoint
from pydantic import BaseModel, ConfigDict, Field, field_validator

from portula import Plugin
from portula.plugin import AnswersSlot, Server, StandAlone, subclass_of

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer


def is_on(provider: AuthorizationServer) -> bool:
    """Say whether this provider speaks OpenID Connect; see OIDC_ENABLED.

    Raises:
        EmptySlot: it should, and nobody signs.
    """
    enabled = provider.settings(OIDCSettings).OIDC_ENABLED
    if enabled is None:
        jose = provider.hooks.ruling(Plugin.portula_jose).answer
        return jose is not None and jose.has_configured_keys
    return enabled and provider.hooks.ask(Plugin.portula_jose) is not None


WITH_SCOPE_CLAIMS = "id_token_with_scope_claims"
"""Member of client metadata that overrides ID_TOKEN_WITH_SCOPE_CLAIMS."""


class OIDCSettings(BaseModel):
    """Whether OpenID Connect is on, and what ID tokens and userinfo say."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    OIDC_ENABLED: Annotated[bool | None, StandAlone(True)] = None
    """Whether OpenID Connect is on. None: when OIDC_RSA_PRIVATE_KEY is set. True, the default under `portula serve`:
    always, with keys that are made and kept in the storage when none is set. False: never, and nothing of it is in the
    metadata."""

    OIDC_USERINFO_ENDPOINT: str = ""
    """URL of userinfo in the metadata, for one that is served elsewhere; the endpoint here does not move. Empty:
    `userinfo/` below the mount point."""

    OIDC_SUBJECT_TYPES_SUPPORTED: tuple[Literal["public", "pairwise"], ...] = Field(
        default=("public", "pairwise"), min_length=1
    )
    """Kinds of subject identifiers that clients may be registered with (OpenID Connect Core §8). A list, which
    django-oauth-toolkit only advertises, excludes the other."""

    OIDC_SERVER_CLASS: Annotated[
        Any,
        AnswersSlot(
            "server_class",
            subclass_of(Server, TokenEndpoint),
            ("oauthlib.openid.Server",),
            applies=is_on,
        ),
    ] = "oauthlib.openid.Server"
    """Import string or class of the server when OpenID Connect is on: another name of OAUTH2_SERVER_CLASS, of which at
    most one may be set."""

    ID_TOKEN_EXPIRE_SECONDS: int = Field(default=36000, ge=1)
    """Seconds an ID token may be relied upon (`exp`)."""

    ID_TOKEN_WITH_SCOPE_CLAIMS: bool = False
    """Whether the claims of scopes such as `email` are in ID tokens too, where django-oauth-toolkit always has them.
    Without it they are at userinfo, and in the ID token only of the response type `id_token` (OpenID Connect Core
    §5.4). A client's own `id_token_with_scope_claims` (client metadata) overrides it."""

    ACR_VALUES: Mapping[str, tuple[str, ...]] = Field(default={"1": ()}, min_length=1)
    """Authentication context classes (`acr`) that sign-ins here reach, weakest first, each with the methods (`amr`, RFC
    8176) that it takes. Every sign-in reaches one without methods."""

    ACR_VALUES_ESSENTIAL: bool = False
    """Whether the parameter `acr_values` is a demand (RFC 9470 §5): who has not signed in by one of these classes signs
    in anew, and where that reaches none the client hears `unmet_authentication_requirements`. Else it is a wish (OpenID
    Connect Core §3.1.2.1), and the token says what was reached."""

    @field_validator("OIDC_USERINFO_ENDPOINT")
    @classmethod
    def _an_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("https", "http") or not parts.netloc or parts.fragment):
            raise ValueError("an absolute http or https URL without a fragment is needed")
        return url
