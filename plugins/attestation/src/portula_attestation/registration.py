"""Client metadata of client attestations (draft §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from portula import hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import AsymmetricAlgorithm, ClientMember
from portula_attestation.attestations import ALGORITHMS
from portula_attestation.metadata import POP_METHODS
from portula_attestation.settings import AttestationSettings, is_method, methods_in_use

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import ClientRegistration

POP_ALGORITHMS = "client_attestation_pop_signing_alg_values_supported"


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the members; none where no client authenticates so."""
    if not methods_in_use(provider):
        return []
    return [
        ClientMember(
            ALGORITHMS,
            list[str],
            label="Algorithms of its attestations",
            hint="Its attestations are signed by one of these; empty for any that is taken here.",
        ),
        ClientMember(
            POP_ALGORITHMS,
            list[str],
            label="Algorithms of its instances",
            hint="Its instances prove their keys by one of these; empty for any that is taken here.",
        ),
        ClientMember(POP_METHODS, list[str]),
    ]


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse a client whose instances could not authenticate.

    Raises:
        InvalidClientMetadata: says what is wrong.
    """
    provider, application = registration.provider, registration.application
    method = application.token_endpoint_auth_method
    settings = provider.settings(AttestationSettings, application)
    taken = {
        ALGORITHMS: settings.ATTESTATION_SIGNING_ALGS,
        POP_ALGORITHMS: settings.ATTESTATION_POP_SIGNING_ALGS,
    }
    for name, algorithms in taken.items():
        named = application.metadata.get(name, algorithms)
        unknown = [each for each in named if each not in get_args(AsymmetricAlgorithm)]
        if unknown:
            raise InvalidClientMetadata(f"{name}: {unknown[0]!r} is no asymmetric algorithm")
        if is_method(method) and named and not set(named) & set(algorithms):
            raise InvalidClientMetadata(
                f"{name}: none of these is taken here; there are {', '.join(algorithms)}"
            )
    if not is_method(method):
        return
    if method not in methods_in_use(provider):
        raise InvalidClientMetadata(f"{method} is switched off, or no attester is trusted here")
    if application.client_type != "confidential":
        raise InvalidClientMetadata(f"{method} is for confidential clients")
