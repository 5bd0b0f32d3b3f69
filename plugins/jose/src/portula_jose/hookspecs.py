"""The hook of this room, and what its answer can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from portula import hookspec
from portula.plugin import HookClass, Kind, describes

if TYPE_CHECKING:
    from portula import Provider


class Signer(Protocol):
    """Signs in a key management service or a hardware module, so that no private key is in this process."""

    def keys(self) -> Sequence[Mapping[str, Any]]:
        """Return the public keys to publish, as JWKs with `kid` and `alg` (RFC 7517 §4).

        Of several with one `alg` the first signs; the others are published before they sign or after. Asked for about
        once a minute.
        """
        ...

    def sign(self, kid: str, algorithm: str, data: bytes) -> bytes:
        """Return the signature over `data` by a key, in the form of RFC 7518 §3: r and s side by side for ECDSA."""
        ...


@hookspec
@describes(Kind.SLOT, HookClass.SEES_SECRETS)
def portula_signer(provider: Provider) -> Signer | None:
    """Answer the slot of the signer: a service or a device that signs in place of keys in this process.

    Example:
        class Device:
            def keys(self):
                return [{"kty": "OKP", "crv": "Ed25519", "x": "...", "kid": "1", "alg": "EdDSA"}]

            def sign(self, kid, algorithm, data):
                return pkcs11_session.sign(kid, data)

        class Room:
            @hookimpl
            def portula_signer(self, provider):
                return Device()
    """
