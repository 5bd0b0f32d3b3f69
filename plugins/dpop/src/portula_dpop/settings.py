"""Settings of tokens that are bound to a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from portula import Plugin
from portula.plugin import Application, Server, origin_of

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer

Algorithm = Literal[
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
    "PS256",
    "PS384",
    "PS512",
    "RS256",
    "RS384",
    "RS512",
]
"""Asymmetric ones alone: a proof is signed with a key that is nobody else's (RFC 9449 §4.2)."""


class DpopSettings(BaseModel):
    """Whose tokens are bound, and what a proof may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    DPOP_ENABLED: bool = True
    """Whether proofs are understood. Where they are not, clients that are registered with `dpop_bound_access_tokens`
    get no tokens, and tokens that were bound before are refused."""

    DPOP_REQUIRED: bool | Callable[[Application], bool] = False
    """Whether clients get no token without a proof: True, False, or a callable that is given the client. One that is
    registered with `dpop_bound_access_tokens` needs a proof whatever this says."""

    DPOP_SIGNING_ALGS: tuple[Algorithm, ...] = Field(
        default=("ES256", "EdDSA", "PS256", "RS256"), min_length=1
    )
    """Algorithms a proof may be signed with (dpop_signing_alg_values_supported, RFC 9449 §5.1)."""

    DPOP_PROOF_LIFETIME_SECONDS: int = Field(default=60, ge=1, le=600)
    """How old a proof may be by its `iat` (§11.1)."""

    DPOP_CLOCK_SKEW_SECONDS: int = Field(default=30, ge=0, le=300)
    """How far ahead the `iat` of a proof may be."""

    DPOP_NONCE_REQUIRED: bool = False
    """Whether a proof needs a nonce of this server (§8, §9), so that none can be made ahead (§11.2). The age of a proof
    is then that of its nonce, and a client's clock may be wrong."""

    DPOP_NONCE_LIFETIME_SECONDS: int = Field(default=300, ge=10, le=3600)
    """How long a nonce counts at most; at least half of that."""

    DPOP_BASE_URLS: tuple[str, ...] = ()
    """URLs at which this app is reached besides that of its issuer, without a slash at the end, such as one where
    clients show certificates: the `htu` of a proof may begin with them too."""

    @field_validator("DPOP_BASE_URLS")
    @classmethod
    def _are_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            origin = origin_of(url)
            if origin is None or not url.startswith(origin) or "?" in url or "#" in url or url.endswith("/"):
                raise ValueError(
                    f"{url!r}: an https URL without query, fragment and slash at the end is needed"
                )
        return urls

    @model_validator(mode="after")
    def _can_be_required(self) -> Self:
        if self.DPOP_REQUIRED and not self.DPOP_ENABLED:
            raise ValueError("DPOP_REQUIRED: nobody could prove anything while DPOP_ENABLED is False")
        return self


def is_on(provider: AuthorizationServer) -> bool:
    """Say whether proofs are understood: by the settings, and since somebody verifies JWTs here."""
    verified = provider.hooks.ruling(Plugin.portula_jose).answer is not None
    return verified and provider.settings(DpopSettings).DPOP_ENABLED


def binds(provider: AuthorizationServer) -> bool:
    """Say whether tokens are bound here: where proofs are understood, by a server class that runs steps."""
    server = provider.hooks.ruling(Plugin.portula_server_class).answer
    return is_on(provider) and isinstance(server, type) and issubclass(server, Server)
