"""Encrypted tokens (RFC 7516): the part of the slot `jose` beside signing."""

from __future__ import annotations

from collections.abc import Sequence

from portula.model.errors import JoseError, UntrustedToken
from portula.model.records import Application


class EncryptsTokens:
    """Encrypts for clients, and decrypts what they encrypted. An answer that overrides nothing here does neither."""

    def encryption_algorithms(self) -> Sequence[str]:
        """Return the key management algorithms of `encrypt` (RFC 7518 §4.1)."""
        return ()

    def decryption_algorithms(self) -> Sequence[str]:
        """Return those of `decrypt`, as they are now; no key is made for the answer."""
        return ()

    def content_encryptions(self) -> Sequence[str]:
        """Return what content is encrypted with (RFC 7518 §5.1), the values of `enc`."""
        return ()

    def check_encryption(
        self, client: Application, *, algorithm: str, enc: str, to_client: bool = True
    ) -> None:
        """Require what it takes to encrypt for a client; keys at a `jwks_uri` are not asked for.

        Args:
            client: who is to decrypt.
            algorithm: one of `encryption_algorithms`.
            enc: one of `content_encryptions`.
            to_client: False where the client is to encrypt and this provider to decrypt.

        Raises:
            JoseError: the client has no key or no secret for it, or an algorithm is not known here.
        """
        raise JoseError("nothing here encrypts")

    def encrypt(
        self, payload: str, client: Application, *, algorithm: str, enc: str, cty: str = "JWT"
    ) -> str:
        """Return something encrypted for a client, in compact form (RFC 7516 §7.1).

        The key is one of its `jwks` or `jwks_uri`, or follows from its secret, which has to be kept encrypted (OpenID
        Connect Core §10.2).

        Args:
            payload: a signed token, or with another `cty` what that says.
            client: who is to decrypt it.
            algorithm: one of `encryption_algorithms`.
            enc: one of `content_encryptions`.
            cty: of the header; "" for none.

        Raises:
            JoseError: see `check_encryption`.
            KeysUnavailable: its keys are elsewhere, and cannot be had now.
        """
        raise JoseError("nothing here encrypts")

    def decrypt(self, token: str, client: Application | None = None) -> str:
        """Return what is in a token that is encrypted for this provider; nothing of that is believed yet.

        Args:
            token: in compact form.
            client: who encrypted it, whose secret counts too; without it only keys of this provider do.

        Raises:
            UntrustedToken: it cannot be decrypted, for one message whatever the reason.
        """
        raise UntrustedToken("is encrypted, and nothing here decrypts")


def is_encrypted(token: str) -> bool:
    """Say whether a token in compact form is an encrypted one (RFC 7516 §9)."""
    return token.count(".") == 4
