"""The two methods of client authentication (RFC 8705 §2)."""

from __future__ import annotations

from base64 import b64decode
from functools import partial
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import ClientAuthMethod, exchange_of
from portula_mtls.certificates import Authorities, BadCertificate, first_of_chains, of_now
from portula_mtls.settings import MtlsSettings, is_on
from portula_mtls.subjects import is_subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography import x509

    from portula import Provider
    from portula.plugin import Application, OAuthRequest

    Check = Callable[[Application, x509.Certificate, bytes], None]

BY_AUTHORITY = "tls_client_auth"
SELF_SIGNED = "self_signed_tls_client_auth"


@hookimpl
def portula_client_auth_methods(provider: Provider) -> list[ClientAuthMethod]:
    """Return the methods that are on."""
    if not is_on(provider):
        return []
    checks: dict[str, Check] = {SELF_SIGNED: _by_registration}
    path = provider.settings(MtlsSettings).MTLS_TRUSTED_CAS
    if path is not None:
        checks[BY_AUTHORITY] = _by_authority(provider, Authorities(path.read_bytes()))
    return [
        ClientAuthMethod(name, partial(_presents, provider, name), partial(_client_of, provider, check))
        for name, check in checks.items()
    ]


def _presents(provider: Provider, name: str, request: OAuthRequest) -> bool:
    """Say whether a request authenticates so: its client_id is that of a client which is registered for the method.

    A client that is registered for another may show a certificate too, to which its tokens are bound (§3).
    """
    if request.client_id is None or exchange_of(request, provider).message.client_certificate is None:
        return False
    client = provider.clients.find(request.client_id)
    return client is not None and client.token_endpoint_auth_method == name


def _client_of(provider: Provider, check: Check, request: OAuthRequest) -> Application | None:
    """Return the client whose certificate a request shows; None where it does not count."""
    exchange = exchange_of(request, provider)
    client, der = provider.clients.find(request.client_id or ""), exchange.message.client_certificate
    if client is None or der is None or client.client_type != "confidential":
        return None
    try:
        check(client, of_now(der, provider.now()), der)
    except BadCertificate as problem:
        exchange.reason = f"the certificate is refused: {problem}"
        return None
    return client


def _by_authority(provider: Provider, authorities: Authorities) -> Check:
    def check(client: Application, certificate: x509.Certificate, _: bytes) -> None:
        """Require the registered name, given by a trusted authority (§2.1)."""
        authorities.verify(certificate, provider.now())
        if not is_subject(client.metadata, certificate):
            raise BadCertificate("it is another's")

    return check


def _by_registration(client: Application, _: x509.Certificate, der: bytes) -> None:
    """Require one of the certificates that the client is registered with, as it is (§2.2)."""
    for text in first_of_chains(client.metadata.get("jwks")):
        try:
            if b64decode(text, validate=True) == der:
                return
        except ValueError:
            continue
    raise BadCertificate("it is not registered")
