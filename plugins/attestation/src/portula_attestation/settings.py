"""Settings of client attestations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, field_validator

from portula import Plugin
from portula.plugin import AsymmetricAlgorithm, PublicKeys

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer

METHOD = "attest_jwt_client_auth"
"""The method of client authentication whose proof is a JWT of its own (draft §5.1, §8)."""


class TrustedAttester(PublicKeys):
    """Somebody who attests instances of clients: where its keys are, and whose instances it may attest."""

    clients: tuple[str, ...] | None = None
    """What `sub` may be, exactly, or beginning with what stands before a `*` at the end; None for any client that is
    registered for the method."""


class AttestationSettings(BaseModel):
    """Whose attestations count, and what a proof may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ATTESTATION_TRUSTED_ATTESTERS: dict[str, TrustedAttester] = Field(default={})
    """Whose attestations are taken, by name, which is also the `iss` of those that have one: for each `jwks` or
    `jwks_uri`, and `clients` to limit whose instances it may attest. Empty: no client authenticates so."""

    ATTESTATION_SIGNING_ALGS: tuple[AsymmetricAlgorithm, ...] = Field(
        default=("ES256", "ES384", "EdDSA", "PS256", "RS256"), min_length=1
    )
    """Algorithms that an attestation may be signed by (client_attestation_signing_alg_values_supported)."""

    ATTESTATION_POP_SIGNING_ALGS: tuple[AsymmetricAlgorithm, ...] = Field(
        default=("ES256", "ES384", "EdDSA", "PS256", "RS256"), min_length=1
    )
    """Algorithms that a proof of possession may be signed by (client_attestation_pop_signing_alg_values_supported)."""

    ATTESTATION_MAX_AGE_SECONDS: int | None = Field(default=None, ge=60)
    """How old an attestation may be by its `iat`, which it needs then; None: it counts until it expires."""

    ATTESTATION_POP_LIFETIME_SECONDS: int = Field(default=60, ge=1, le=600)
    """How old a proof of possession may be by its `iat`."""

    ATTESTATION_CLOCK_SKEW_SECONDS: int = Field(default=30, ge=10, le=60)
    """How far the clock of an attester or an instance may be from ours."""

    ATTESTATION_CHALLENGE_REQUIRED: bool = False
    """Whether a proof of possession needs a challenge of this server (draft §6), which is used once; clients get one at
    the challenge endpoint, and with each answer. The age of a proof is then that of its challenge, not of its `iat`."""

    ATTESTATION_CHALLENGE_LIFETIME_SECONDS: int = Field(default=300, ge=10, le=3600)
    """How long a challenge counts."""

    @field_validator("ATTESTATION_TRUSTED_ATTESTERS")
    @classmethod
    def _have_names(cls, attesters: dict[str, TrustedAttester]) -> dict[str, TrustedAttester]:
        if "" in attesters:
            raise ValueError("an attester has a name")
        return attesters


def is_on(provider: AuthorizationServer) -> bool:
    """Say whether clients may authenticate so: somebody is trusted, and JWTs are verified here."""
    verified = provider.hooks.ruling(Plugin.portula_jose).answer is not None
    return verified and bool(provider.settings(AttestationSettings).ATTESTATION_TRUSTED_ATTESTERS)


def methods_in_use(provider: AuthorizationServer) -> list[str]:
    """Return the methods of this room by which clients may authenticate here."""
    return [name for name in provider.client_auth_methods if is_method(name)]


def is_method(name: str | None) -> bool:
    """Say whether a method of client authentication is one of this room."""
    return name is not None and (name == METHOD or name.startswith(f"{METHOD}_"))
