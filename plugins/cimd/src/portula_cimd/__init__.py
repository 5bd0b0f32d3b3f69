"""Clients whose client_id is the URL of a document that describes them.

Source: draft-ietf-oauth-client-id-metadata-document. It never believes a document that was not fetched from the very
URL, never gives such a client a secret, and never passes the person by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula.plugin import ClientSource, Demands, HookDeclarations
from portula_cimd.documents import FetchedDocuments, documents_of
from portula_cimd.hooks import CimdHooks, ClientDocument, ClientDocuments
from portula_cimd.settings import CimdSettings
from portula_cimd.urls import is_url

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationGranted, Interaction

__all__ = ["ClientDocument", "ClientDocuments"]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """Return the rule on documents, and the slot of who finds them."""
    return [CimdHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[CimdSettings]]:
    """Return the settings of this room."""
    return [CimdSettings]


@hookimpl
def portula_client_documents(provider: Provider) -> ClientDocuments | None:
    """Return what finds, judges and keeps documents; None while it is off."""
    return FetchedDocuments(provider) if provider.settings(CimdSettings).CIMD_ENABLED else None


@hookimpl
def portula_client_sources(provider: Provider) -> list[ClientSource]:
    """Return the clients that are known by a document."""
    documents = documents_of(provider)
    if documents is None:
        return []
    return [
        ClientSource(
            name="documents", claims=documents.claims, find=documents.find, known=documents.find_cached
        )
    ]


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Say that a client_id may be a URL (draft §5)."""
    return {"client_id_metadata_document_supported": True} if documents_of(provider) else {}


@hookimpl
def portula_interaction_demands(interaction: Interaction) -> Demands | None:
    """Ask the person each time: what a document says may have changed since (draft §6)."""
    client = interaction.request.client
    described = client is not None and client.is_self_registered and is_url(client.client_id)
    return Demands(consent=True) if described else None


@hookimpl
def portula_record_authorization(event: AuthorizationGranted) -> list[Any]:
    """Keep the document together with what a person allowed its client."""
    documents = documents_of(event.provider)
    return documents.parts(event.client_id) if documents and documents.claims(event.client_id) else []
