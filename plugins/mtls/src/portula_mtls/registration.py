"""The client metadata of certificates (RFC 8705 §2.1.2, §2.2.2, §3.4, §5)."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import ClientMember
from portula_mtls.certificates import first_of_chains, read
from portula_mtls.methods import BY_AUTHORITY, SELF_SIGNED
from portula_mtls.settings import is_on
from portula_mtls.subjects import MEMBERS, problem_of

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import ClientRegistration

CONFIRMATION = "x5t#S256"
"""Member of `cnf` that holds the digest of a certificate (§3.1)."""
BOUND = "tls_client_certificate_bound_access_tokens"
"""Of the server metadata that tokens are bound here, of a client's that its are (§3.3, §3.4)."""


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the members that this room understands; none while it is off, as a room that is not installed."""
    if not is_on(provider):
        return []
    return [
        *map(ClientMember, MEMBERS),
        ClientMember("use_mtls_endpoint_aliases", bool),
        ClientMember(
            BOUND,
            bool,
            label="Tokens bound to its certificate",
            hint="It gets no access token unless it shows a certificate in TLS (mTLS, RFC 8705 §3).",
            confirmation=CONFIRMATION,
        ),
    ]


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse a client that could not authenticate, or as more than one.

    Raises:
        InvalidClientMetadata: says what is wrong.
    """
    if not is_on(registration.provider):
        return
    application, problem = registration.application, None
    method = application.token_endpoint_auth_method
    if method == BY_AUTHORITY:
        problem = problem_of(application.metadata)
    elif method == SELF_SIGNED:
        chains = first_of_chains(application.metadata.get("jwks"))
        if not chains or not all(map(_is_certificate, chains)):
            problem = "its certificate is needed in jwks, as x5c of a key (RFC 8705 §2.2)"
    if problem is not None:
        raise InvalidClientMetadata(f"{method}: {problem}")


def _is_certificate(text: str) -> bool:
    try:
        read(b64decode(text, validate=True))
    except ValueError:
        return False
    return True
