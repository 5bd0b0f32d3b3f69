"""The hooks of this room."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portula import Provider
from portula.errors import InvalidClientMetadata
from portula.plugin import Application, HookClass, HookDeclarations, slot, veto


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientDocument:
    """A document that was fetched, and is about to be believed."""

    provider: Provider = field(repr=False, compare=False)
    client_id: str
    """The URL that it was fetched from, and that it names."""
    host: str
    """Host of the URL, lower case, without port."""
    document: Mapping[str, Any]
    """Client metadata as they were sent (RFC 7591 §2); nothing of them is checked but `client_id`."""


class ClientDocuments(ABC):
    """The source of clients that are known by a document."""

    @abstractmethod
    def claims(self, client_id: str) -> bool:
        """Say whether a client_id is a URL, whatever is found there."""

    @abstractmethod
    def find(self, client_id: str) -> Application | None:
        """Return the client of a URL, None without one."""

    def find_cached(self, client_id: str) -> Application | None:
        """Return the client of a URL as far as it is kept here, for lists; nothing is fetched. None without one."""
        return None

    @abstractmethod
    def parts(self, client_id: str) -> list[Any]:
        """Return the parts of a plan that keep the document of a client, of which something is allowed."""


class CimdHooks(HookDeclarations):
    """Hooks of this room."""

    @slot(HookClass.DECIDES)
    def portula_client_documents(self, provider: Provider) -> ClientDocuments | None:
        """Answer the slot of what finds the clients that are known by a document; None while there are none.

        Example:
            class Room(Plugin):
                def portula_client_documents(self, provider):
                    return None
        """
        return None

    @veto(HookClass.DECIDES, denial=InvalidClientMetadata)
    def portula_assess_client_document(self, document: ClientDocument) -> None:
        """Deny a client that is known by a document; raise InvalidClientMetadata, and the client is unknown.

        Example:
            class Partners(Plugin):
                def portula_assess_client_document(self, document):
                    if not document.host.endswith(".partner.example"):
                        raise InvalidClientMetadata("no partner of ours")
        """
