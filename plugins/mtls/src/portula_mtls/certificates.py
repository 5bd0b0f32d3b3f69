"""Reads client certificates, and verifies their chains (RFC 5280, RFC 8705 §2, §3.1, §7.4)."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


class BadCertificate(ValueError):
    """A certificate does not count; the message says why, for the log."""


def thumbprint(der: bytes) -> str:
    """Return the SHA-256 of a certificate as base64url without padding (RFC 8705 §3.1, `x5t#S256`)."""
    return urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")


def read(der: bytes) -> x509.Certificate:
    """Return a certificate whose subject and dates can be read.

    Raises:
        BadCertificate: they cannot.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.subject, certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except Exception as error:  # the library raises more than it says; none of it makes a certificate good
        raise BadCertificate("it cannot be read") from error
    return certificate


def of_now(der: bytes, now: int) -> x509.Certificate:
    """Return a certificate that is valid at this time, whoever issued it.

    Raises:
        BadCertificate: it cannot be read, or is of another time.
    """
    certificate = read(der)
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins.timestamp() <= now <= ends.timestamp():
        raise BadCertificate("it has expired, or is not valid yet")
    return certificate


class Authorities:
    """The authorities that clients' names are believed of."""

    def __init__(self, pem: bytes) -> None:
        """Take their certificates; each is trusted by itself, one between root and client too."""
        self._store = Store(x509.load_pem_x509_certificates(pem))

    def verify(self, certificate: x509.Certificate, now: int) -> None:
        """Require that one of them issued a certificate, for a client, and that it is valid at this time (§2.1).

        Raises:
            BadCertificate: so it is not.
        """
        policy = (
            PolicyBuilder()
            .store(self._store)
            .time(datetime.fromtimestamp(now, UTC))
            .extension_policies(ca_policy=_OF_AUTHORITY, ee_policy=_OF_CLIENT)
        )
        try:
            policy.build_client_verifier().verify(certificate, [])
        except Exception as error:  # as above
            raise BadCertificate(f"no trusted authority stands behind it: {error}") from error


def _for_clients(_policy: Policy, _certificate: x509.Certificate, uses: x509.ExtendedKeyUsage | None) -> None:
    """Refuse a certificate that is for something else alone, such as servers (RFC 5280 §4.2.1.12)."""
    fitting = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if uses is not None and fitting.isdisjoint(uses):
        raise ValueError("it is not for clients")


def _for_signatures(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    """Refuse a key that may not sign, since TLS has it sign (RFC 5280 §4.2.1.3)."""
    if usage is not None and not usage.digital_signature:
        raise ValueError("its key is not for signatures")


def _of_no_authority(
    _policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints | None
) -> None:
    """Refuse the certificate of an authority in a client's place."""
    if constraints is not None and constraints.ca:
        raise ValueError("it is an authority's own")


_OF_CLIENT = (
    ExtensionPolicy.permit_all()
    .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _of_no_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _for_signatures)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _for_clients)
)
"""Not the rules of the Web, where a certificate names a host: a client may be known by its subject alone (§2.1.2)."""


def _may_issue(_policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("its issuer is no authority")


_OF_AUTHORITY = ExtensionPolicy.permit_all().require_present(
    x509.BasicConstraints, Criticality.AGNOSTIC, _may_issue
)


def first_of_chains(jwks: object) -> Sequence[str]:
    """Return the certificates of the keys in a JWK Set, each the first of its chain, as they stand there (`x5c`)."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    chains = [key.get("x5c") for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
    return [chain[0] for chain in chains if isinstance(chain, list) and chain and isinstance(chain[0], str)]
