"""The certificate that a client showed in TLS: on the server's own connection, or as a proxy passes it on."""

from __future__ import annotations

import binascii
import logging
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import unquote

from oauthlib.oauth2.rfc6749.errors import InvalidRequestError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger("portula")

CERTIFICATE_CHARACTERS_MOST = 16 * 1024
"""Characters that a certificate may have as it comes; more is refused."""

NEVER_READ = ("client-cert", "client-cert-chain")
"""Headers of RFC 9440, which no handler is given: unless a setting says so, any client may have sent them."""

TLS_VARIABLE = "SSL_CLIENT_CERT"
"""Variable of the WSGI environment in which a server that ends TLS passes the certificate on, as mod_ssl does."""

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


class MalformedCertificate(InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """What stands in the place of a client certificate is none; the request is refused."""


def client_certificate(environ: WSGIEnvironment, header: str | None) -> bytes | None:
    """Return the certificate of the client as DER, None where it showed none.

    Args:
        environ: of the request.
        header: name of the header in which a trusted proxy passes it on; None where TLS ends at the server.

    Raises:
        MalformedCertificate: what is there is no certificate.
    """
    variable = TLS_VARIABLE if header is None else f"HTTP_{header.upper().replace('-', '_')}"
    text = environ.get(variable, "")
    if not text:
        return None
    try:
        return _der(text)
    except ValueError as error:
        log.warning("a client certificate in %s cannot be read: %s", header or TLS_VARIABLE, error)
        raise MalformedCertificate(description="The client certificate cannot be read.") from None


def _der(text: str) -> bytes:
    """Read one certificate: a byte sequence as RFC 9440 has it, or PEM, which may be percent-encoded.

    Raises:
        ValueError: it is something else, or more than one.
    """
    if len(text) > CERTIFICATE_CHARACTERS_MOST:
        raise ValueError(f"it has more than {CERTIFICATE_CHARACTERS_MOST} characters")
    pem = unquote(text).strip()
    if text.startswith(":") and text.endswith(":"):
        encoded = text[1:-1]
    elif pem.startswith(_BEGIN) and pem.endswith(_END):
        encoded = "".join(pem[len(_BEGIN) : -len(_END)].split())
    else:
        raise ValueError("it is neither PEM nor a byte sequence")
    try:
        der = b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("it is not one certificate in base64") from None
    if not _is_sequence(der):
        raise ValueError("it is not DER")
    return der


def _is_sequence(der: bytes) -> bool:
    """Say whether bytes are one SEQUENCE in DER, of the length that it names (X.690 §8.1.3, §10.1)."""
    if len(der) < 4 or der[0] != 0x30:
        return False
    count = der[1] & 0x7F if der[1] & 0x80 else 0
    length = int.from_bytes(der[2 : 2 + count]) if count else der[1]
    return count <= 2 and len(der) == 2 + count + length
