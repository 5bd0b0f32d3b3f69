"""The client metadata of OpenID Connect Dynamic Client Registration §2, and what it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from portula import Plugin, hookimpl
from portula.errors import FetchFailed, InvalidClientMetadata
from portula.plugin import (
    Application,
    ClientMember,
    TokenEncryption,
    check_signed_response_alg,
    origin_of,
    read_array,
    uri_host,
)
from portula_oidc.pairwise import PAIRWISE, SECTOR_IDENTIFIER_URI, addresses_of
from portula_oidc.settings import WITH_SCOPE_CLAIMS, OIDCSettings, is_on

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationServer, ClientRegistration

ID_TOKEN, USERINFO = TokenEncryption("id_token"), TokenEncryption("userinfo")
"""How a client has them encrypted (OpenID Connect Core §10.2)."""
SIGNED_USERINFO = "userinfo_signed_response_alg"
MAX_SECTOR_BYTES = 64 * 1024


def id_token_algorithms(provider: AuthorizationServer) -> list[str]:
    """Return the algorithms ID tokens and userinfo can be signed with, for a client that is made for it."""
    return list(provider.hooks.ask(Plugin.portula_jose).algorithms_for_clients())


def subject_types(settings: OIDCSettings) -> list[str]:
    """Return the kinds of subject identifiers that are in use."""
    return list(settings.OIDC_SUBJECT_TYPES_SUPPORTED)


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the members that this room understands."""
    if not is_on(provider):
        return []
    signing, seconds = id_token_algorithms(provider), Annotated[int, Field(ge=0)]
    return [
        ClientMember("subject_type", Literal[tuple(subject_types(provider.settings(OIDCSettings)))]),
        ClientMember(SECTOR_IDENTIFIER_URI, str, fixes_redirect_uris=True),
        ClientMember("id_token_signed_response_alg", Literal[tuple(signing)], field="algorithm"),
        ClientMember(SIGNED_USERINFO, Literal[tuple(signing)]),
        *ID_TOKEN.members(provider),
        *USERINFO.members(provider),
        ClientMember("default_max_age", seconds),
        ClientMember("require_auth_time", bool),
        ClientMember("default_acr_values", list[str]),
        ClientMember("initiate_login_uri", str),
        ClientMember(
            WITH_SCOPE_CLAIMS,
            bool,
            label="Claims of scopes in ID tokens",
            hint="For applications that read the ID token alone and never ask userinfo.",
        ),
    ]


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse what may not be saved, by whatever way it came.

    Raises:
        InvalidClientMetadata: names the member and what is wrong.
    """
    if not is_on(registration.provider):
        return
    metadata = registration.application.metadata
    kinds = subject_types(registration.provider.settings(OIDCSettings))
    if metadata.get("subject_type", kinds[0]) not in kinds:
        raise InvalidClientMetadata(f"subject_type is one of {', '.join(kinds)}")
    for encryption in (ID_TOKEN, USERINFO):
        encryption.check(registration)
    check_signed_response_alg(registration, SIGNED_USERINFO, id_token_algorithms(registration.provider))
    for name in ("initiate_login_uri", SECTOR_IDENTIFIER_URI):
        if name in metadata and not _is_https(metadata[name]):
            raise InvalidClientMetadata(f"{name} is not an https URL")
    if SECTOR_IDENTIFIER_URI in metadata:
        _check_sector(registration.provider, registration.application)
    hosts = {uri_host(uri) for uri in registration.application.redirect_uris}
    if metadata.get("subject_type") == PAIRWISE and SECTOR_IDENTIFIER_URI not in metadata and len(hosts) > 1:
        raise InvalidClientMetadata("redirect URIs on several hosts need a sector_identifier_uri")


def _is_https(uri: object) -> bool:
    if not isinstance(uri, str):
        return False
    return (origin_of(uri) or "").startswith("https:") and not urlsplit(uri).fragment


def _check_sector(provider: AuthorizationServer, application: Application) -> None:
    """Ask the sector whether the client is its own (§5; CIBA Core §4), unless it was asked about that before.

    It names all redirect URIs, and the URI by which the client shows whose it is, or its client_id.
    """
    uri = application.metadata[SECTOR_IDENTIFIER_URI]
    needed = _addresses(application)
    known = provider.storage.find(Application, client_id=application.client_id)
    if (
        known is not None
        and known.metadata.get(SECTOR_IDENTIFIER_URI) == uri
        and needed.issubset(_addresses(known))
    ):
        return
    try:
        fetched = provider.hooks.ask(Plugin.portula_fetcher).get(
            uri, accept=("application/json",), max_bytes=MAX_SECTOR_BYTES
        )
        named = read_array(fetched.body)
    except (FetchFailed, ValueError):
        raise InvalidClientMetadata("sector_identifier_uri leads to no JSON array") from None
    if not set(application.redirect_uris).issubset(map(str, named)):
        raise InvalidClientMetadata("sector_identifier_uri does not name all of the redirect URIs")
    if application.client_id not in named and not needed.issubset(map(str, named)):
        raise InvalidClientMetadata(
            "sector_identifier_uri names neither the client_id nor a jwks_uri with whose keys the client authenticates"
        )


def _addresses(application: Application) -> frozenset[str]:
    return frozenset((*application.redirect_uris, *(addresses_of(application) or (application.client_id,))))
