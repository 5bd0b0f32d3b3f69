"""RSA keys in PEM (RFC 7468), as the configuration holds them: parsed once, when the settings are read."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwcrypto.jwk import JWK

from portula_jose.algorithms import MIN_RSA_BITS


class RsaPem(str):
    """A PEM text with the key that is in it: parsing costs 76 ms, so it is done once."""

    __slots__ = ("key",)

    key: JWK

    @classmethod
    def private(cls, text: str) -> RsaPem:
        """Return a private key.

        Raises:
            ValueError: it is none, or too weak; the message holds nothing of the text.
        """
        data = lines_of(text)
        try:
            loaded = load_pem_private_key(data, None)
        except TypeError as error:
            raise ValueError("this PEM is encrypted; give it decrypted, e.g. by `openssl rsa`") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError(
                "this is no private key in PEM; it begins with -----BEGIN PRIVATE KEY----- or "
                "-----BEGIN RSA PRIVATE KEY-----"
            ) from error
        return cls._of(text, loaded)

    @classmethod
    def any(cls, text: str) -> RsaPem:
        """Return a private or public key.

        Raises:
            ValueError: it is neither, or too weak.
        """
        if not text.strip():
            raise ValueError("this is empty; leave it out of the list")
        if "PUBLIC KEY-----" not in text:
            return cls.private(text)
        try:
            loaded = load_pem_public_key(lines_of(text))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("this is no public key in PEM") from error
        return cls._of(text, loaded)

    @classmethod
    def _of(cls, text: str, loaded: object) -> RsaPem:
        if not isinstance(loaded, RSAPrivateKey | RSAPublicKey):
            raise ValueError("this is no RSA key")  # noqa: TRY004 - pydantic reports ValueErrors
        if loaded.key_size < MIN_RSA_BITS:
            raise ValueError(f"an RSA key has at least {MIN_RSA_BITS} bits (RFC 7518 §3.3); make a new one")
        pem = cls(text)
        pem.key = JWK.from_pyca(loaded)
        pem.key.unsafe_skip_rsa_key_validation = True  # OpenSSL has just validated it
        pem.key.get_op_key("sign" if pem.key.has_private else "verify")  # which builds it, once
        return pem


def lines_of(text: str) -> bytes:
    """Return the PEM with the line ends that an environment variable could not hold."""
    return text.replace("\\n", "\n").strip().encode()


def key_of(pem: str) -> JWK:
    """Return the key in a setting that was read as one."""
    if not isinstance(pem, RsaPem):
        raise TypeError("the setting was not read by its model")
    return pem.key
