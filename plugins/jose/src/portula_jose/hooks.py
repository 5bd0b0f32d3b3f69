"""The hook of this room, and what its answer can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from portula import Provider
from portula.plugin import HookClass, HookDeclarations, slot


class Signer(ABC):
    """Signs in a key management service or a hardware module, so that no private key is in this process."""

    @abstractmethod
    def keys(self) -> Sequence[Mapping[str, Any]]:
        """Return the public keys to publish, as JWKs with `kid` and `alg` (RFC 7517 §4).

        Of several with one `alg` the first signs; the others are published before they sign or after. Asked for about
        once a minute.
        """

    @abstractmethod
    def sign(self, kid: str, algorithm: str, data: bytes) -> bytes:
        """Return the signature over `data` by a key, in the form of RFC 7518 §3: r and s side by side for ECDSA."""


class JoseHooks(HookDeclarations):
    """Hooks of this room."""

    @slot(HookClass.SEES_SECRETS)
    def portula_signer(self, provider: Provider) -> Signer | None:
        """Answer the slot of the signer: a service or a device that signs in place of keys in this process.

        Example:
            class Device(Signer):
                def keys(self):
                    return [{"kty": "OKP", "crv": "Ed25519", "x": "...", "kid": "1", "alg": "EdDSA"}]

                def sign(self, kid, algorithm, data):
                    return pkcs11_session.sign(kid, data)

            class Room(Plugin):
                def portula_signer(self, provider):
                    return Device()
        """
        return None
