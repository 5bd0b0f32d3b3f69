"""Settings of certificates that clients show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from pydantic import BaseModel, ConfigDict, FilePath, field_validator

from portula import Plugin
from portula.plugin import Server, origin_of

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer


class MtlsSettings(BaseModel):
    """Whether certificates count, and whose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    MTLS_ENABLED: bool = False
    """Whether the certificates that clients show in TLS count. They come from the server itself (`portula serve
    --tls-client-ca`), or from a proxy by the header that CLIENT_CERTIFICATE_HEADER names."""

    MTLS_TRUSTED_CAS: FilePath | None = None
    """File with the certificates (PEM) of the authorities that clients' names are believed of, read at start. None: no
    client authenticates by `tls_client_auth` (RFC 8705 §2.1)."""

    MTLS_ENDPOINT_BASE_URL: str | None = None
    """URL, without a slash at the end, at which clients reach this app to show a certificate, where that is not the
    issuer's: `mtls_endpoint_aliases` of the server metadata names its endpoints (§5)."""

    @field_validator("MTLS_TRUSTED_CAS")
    @classmethod
    def _has_certificates(cls, path: FilePath | None) -> FilePath | None:
        if path is not None:
            try:
                x509.load_pem_x509_certificates(path.read_bytes())
            except (OSError, ValueError) as error:
                raise ValueError(f"{path}: no certificates in PEM can be read there") from error
        return path

    @field_validator("MTLS_ENDPOINT_BASE_URL")
    @classmethod
    def _is_url(cls, url: str | None) -> str | None:
        if url is not None and (
            not url.startswith(origin_of(url) or "no origin") or url.endswith("/") or "?" in url or "#" in url
        ):
            raise ValueError(f"{url!r}: an https URL without query, fragment and slash at the end is needed")
        return url


def is_on(provider: AuthorizationServer) -> bool:
    """Say whether certificates count."""
    return provider.settings(MtlsSettings).MTLS_ENABLED


def binds(provider: AuthorizationServer) -> bool:
    """Say whether tokens are bound here: certificates count, and the server class runs steps."""
    server = provider.hooks.ruling(Plugin.portula_server_class).answer
    return is_on(provider) and isinstance(server, type) and issubclass(server, Server)
