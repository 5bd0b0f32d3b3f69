"""Server metadata of client attestations (draft §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_attestation.endpoint import PATH, is_offered
from portula_attestation.settings import METHOD, AttestationSettings, methods_in_use

if TYPE_CHECKING:
    from portula import Provider

POP_METHODS = "client_attestation_pop_methods_supported"


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the members; none where no client authenticates so."""
    methods, settings = methods_in_use(provider), provider.settings(AttestationSettings)
    if not methods:
        return {}
    return {
        "client_attestation_signing_alg_values_supported": settings.ATTESTATION_SIGNING_ALGS,
        "client_attestation_pop_signing_alg_values_supported": settings.ATTESTATION_POP_SIGNING_ALGS,
        POP_METHODS: [*map(_pop_method, methods), "none"],
        **({"challenge_endpoint": PATH} if is_offered(provider) else {}),
    }


def _pop_method(method: str) -> str:
    """Return the name of a proof of possession (draft §7.6); `none` besides says that nobody else needs one."""
    name = method.removeprefix(METHOD).removeprefix("_")
    return f"{name}_combined" if name else "attestation_pop_jwt"
