"""Client metadata about keys and algorithms: `jwks`, `jwks_uri`, id_token_signed_response_alg (RFC 7591 §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import Plugin, hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import ClientMember, origin_of
from portula_jose.algorithms import SYMMETRIC, digest_size
from portula_jose.client_keys import MAX_KEYS, ClientKey, UnusableKey, is_foreign
from portula_jose.jose import own
from portula_jose.secrets import secret_keys
from portula_jose.sources import PRIVATE_MEMBERS

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, AuthorizationServer, ClientRegistration


_SELECTING = ("kid", "kty", "crv", "use", "alg")
"""What tells the keys of a set apart when one is chosen (FAPI 2.0 Security Profile §5.4.3)."""


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the members about keys."""
    return [ClientMember("jwks", dict[str, Any]), ClientMember("jwks_uri", str)] if own(provider) else []


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse algorithms that cannot sign, and keys that are not public.

    Raises:
        InvalidClientMetadata: so it is.
    """
    if own(registration.provider):
        _check_algorithm(registration.provider, registration.application)
        _check_keys(registration.application)


def _check_algorithm(provider: AuthorizationServer, application: Application) -> None:
    """Refuse an algorithm that nothing here can sign with for this client (attack S46)."""
    algorithm, jose = application.algorithm, provider.hooks.ask(Plugin.portula_jose)
    if algorithm in SYMMETRIC and algorithm in jose.algorithms_for_clients():
        if application.client_type != "confidential":
            raise InvalidClientMetadata(f"algorithm {algorithm}: a public client has no secret to sign with")
        if not secret_keys(provider.hooks.ask(Plugin.portula_secret_hasher), application, algorithm):
            raise InvalidClientMetadata(
                f"algorithm {algorithm}: the client's secret has to be kept encrypted (--no-hash-client-secret, in "
                f"Python hash_secret=False) and to have at least {digest_size(algorithm)} bytes: "
                "a hashed secret cannot sign"
            )
    elif algorithm and algorithm not in jose.signing_algorithms():
        known = ", ".join(jose.signing_algorithms()) or "none"
        raise InvalidClientMetadata(f"algorithm {algorithm!r}: this provider signs with {known}")


def _check_keys(application: Application) -> None:
    """Refuse keys that are not public, and a place of keys that is not https."""
    jwks, uri = application.metadata.get("jwks"), application.metadata.get("jwks_uri")
    if jwks is not None and uri is not None:
        raise InvalidClientMetadata("jwks and jwks_uri exclude each other (RFC 7591 §2)")
    if uri is not None:
        _check_uri(uri)
    if jwks is not None:
        _check_set(jwks)


def _check_uri(uri: object) -> None:
    if not isinstance(uri, str) or "#" in uri or not (origin_of(uri) or "").startswith("https:"):
        raise InvalidClientMetadata("jwks_uri: an https URL without user and fragment is needed")


def _check_set(jwks: object) -> None:
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS:
        raise InvalidClientMetadata(f"jwks: an object with 1 to {MAX_KEYS} `keys` is needed (RFC 7517 §5)")
    named = [members for members in keys if isinstance(members, dict) and members.get("kid") is not None]
    if len({tuple(str(members.get(name)) for name in _SELECTING) for members in named}) != len(named):
        raise InvalidClientMetadata("jwks: two keys have one kid, and nothing tells them apart")
    if all(isinstance(members, dict) and is_foreign(members) for members in keys):
        raise InvalidClientMetadata("jwks: no key is of a type and on a curve that are known here")
    for number, members in enumerate(keys):
        if isinstance(members, dict) and (_encrypts(members) or is_foreign(members)):
            continue  # for another room, or for another server; nothing here verifies with it
        try:
            ClientKey.of(members)
        except UnusableKey as error:
            raise InvalidClientMetadata(f"jwks: key {number} {error}") from error


def _encrypts(members: dict[str, Any]) -> bool:
    return members.get("use") == "enc" and PRIVATE_MEMBERS.isdisjoint(members)
