"""`AuthorizationServer`: the server as plugins see it on the floor of the protocol."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from portula.host.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portula.flow.answer_formats import AnswerFormat
    from portula.flow.backend import Backend
    from portula.flow.client_auth import ClientAuthMethod
    from portula.flow.client_cache import ClientCache
    from portula.flow.client_sources import ClientSource
    from portula.flow.clients import Clients
    from portula.flow.contents import AuthorizationContent
    from portula.flow.deliveries import Deliveries
    from portula.flow.descriptions import Describe
    from portula.flow.people import People
    from portula.flow.presentations import TokenPresentations
    from portula.flow.request_resolvers import RequestResolver
    from portula.flow.response_modes import ResponseMode
    from portula.flow.steps import HasAnswer, Steps
    from portula.flow.strangers import StrangersQuota
    from portula.flow.validator import OAuth2Validator
    from portula.model.client_metadata import ClientMember
    from portula.model.http import Message

E = TypeVar("E", bound="HasAnswer")


class AuthorizationServer(Deployment):
    """A deployment that answers OAuth requests."""

    clients: Clients
    """Finds, makes and changes clients."""
    client_cache: ClientCache
    """Finds clients for their requests, which may be remembered for a moment (CLIENT_CACHE_SECONDS)."""
    people: People
    """Finds the people whom tokens name."""
    scope_texts: dict[str, str]
    """Scopes that plugins contribute, with their text for a consent page."""
    response_modes: dict[str, ResponseMode]
    """How authorization responses may travel, by name."""
    answer_formats: list[AnswerFormat]
    """Forms of the answers of endpoints, besides JSON."""
    request_resolvers: list[RequestResolver]
    client_sources: list[ClientSource]
    audiences: dict[str, Sequence[str]]
    """Names, besides its client_id, by which tokens are for a client."""
    descriptions: dict[str, Describe]
    """What people read of authorizations besides scopes, by the room that says it; `consent_items_of` asks them."""
    contents: dict[str, AuthorizationContent]
    """What rooms keep with authorizations, by the name under which it stands there."""
    token_presentations: TokenPresentations
    """Reads access tokens from messages, and refuses them."""
    due_revocations: set[str]
    """Authorizations that this process has to revoke and could not yet; see `is_revoked`."""
    strangers: StrangersQuota
    """Bounds what is kept for people who have not signed in."""
    deliveries: Deliveries
    """Writes down what other servers are to be sent, and sends it."""
    validator: OAuth2Validator
    client_auth_methods: dict[str, ClientAuthMethod]
    """The client authentication methods in use, by name."""
    response_types: list[str]
    """The response types in use."""
    client_members: dict[str, ClientMember]
    """Members of client metadata that plugins contribute, by name."""

    metadata_document: dict[str, Any]
    """Members of the server metadata (RFC 8414) that do not depend on data."""

    step_lists: dict[str, Steps[Any]]
    """The lists of steps of all endpoints, with those that plugins insert, by the endpoint's name."""

    def steps(self, declared: Steps[E]) -> Steps[E]:
        """Return a list of steps with those that plugins insert.

        Raises:
            LookupError: no endpoint that is mounted has it; while the provider starts, none is.
        """
        found = self.step_lists.get(declared.endpoint)
        if found is None:
            raise LookupError(f"no endpoint that is mounted has the steps of {declared.endpoint}")
        return cast("Steps[E]", found)

    @cached_property
    def backend(self) -> Backend:
        """What answers the protocol; made at start by the room that mounts it."""
        raise NotImplementedError

    def issuer_of(self, message: Message) -> str:
        """Return the issuer for a message: the fixed one, or one made of a host that is trusted."""
        raise NotImplementedError

    def root_of(self, issuer: str) -> str:
        """Return the URL of the app for an issuer: scheme, host and the path before MOUNT_PATH."""
        raise NotImplementedError

    def current_issuer(self) -> str:
        """Return the issuer for the current Flask request; see `issuer_of`."""
        raise NotImplementedError
