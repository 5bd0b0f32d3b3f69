"""The names of a client in its certificate (RFC 8705 §2.1.2): each is read once, and compared as what it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

_ATTRIBUTES = {
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "SN": NameOID.SURNAME,
    "GN": NameOID.GIVEN_NAME,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
    "businessCategory": NameOID.BUSINESS_CATEGORY,
}
"""Names of attributes that many write, besides those of RFC 4514 §3."""

_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


def _dn(text: str) -> object:
    """Read a distinguished name (RFC 4514); how it is escaped, and the order within one part, have no meaning."""
    name = x509.Name.from_rfc4514_string(text, _ATTRIBUTES)
    if not name.rdns:
        raise ValueError("it is empty")
    return name


def _dns(text: str) -> object:
    """Read the name of a host, without wildcards: a certificate for many names is not this client's."""
    name = text.lower()
    if not name or not _HOST.issuperset(name):
        raise ValueError("it is no host name")
    return name


def _text(text: str) -> object:
    if not text.isascii() or not text.isprintable() or not text:
        raise ValueError("it is no printable ASCII")
    return text


_Read = Callable[[str], object]

_NAMES: Mapping[str, tuple[_Read, Any]] = {
    "tls_client_auth_subject_dn": (_dn, None),
    "tls_client_auth_san_dns": (_dns, x509.DNSName),
    "tls_client_auth_san_uri": (_text, x509.UniformResourceIdentifier),
    "tls_client_auth_san_ip": (ip_address, x509.IPAddress),
    "tls_client_auth_san_email": (_text, x509.RFC822Name),
}
"""How a value is read, and of which kind of alternative name it is; None for the subject."""

MEMBERS = tuple(_NAMES)
"""Client metadata, of which a client of the method `tls_client_auth` has one."""


def problem_of(metadata: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the names in client metadata; None where there is exactly one, and it can be compared."""
    present = [member for member in MEMBERS if metadata.get(member)]
    if len(present) != 1:
        return f"exactly one of {', '.join(MEMBERS)} is needed (RFC 8705 §2.1.2)"
    (member,) = present
    try:
        _NAMES[member][0](metadata[member])
    except ValueError as error:
        return f"{member}: {str(error) or 'it cannot be read'}"
    return None


def is_subject(metadata: Mapping[str, Any], certificate: x509.Certificate) -> bool:
    """Say whether a certificate has the name that a client is registered with."""
    if problem_of(metadata) is not None:
        return False
    member = next(member for member in MEMBERS if metadata.get(member))
    read, kind = _NAMES[member]
    expected = read(metadata[member])
    try:
        if kind is None:
            return certificate.subject == expected
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return any(_same(read, expected, value) for value in names.get_values_for_type(kind))
    except Exception:  # noqa: BLE001 - there is no such extension, or it cannot be read
        return False


def _same(read: _Read, expected: object, value: Any) -> bool:
    try:
        return read(str(value)) == expected
    except ValueError:
        return False
