"""The clients of runs: a limited number of names, so that runs that were killed leave no more than these behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from portula.errors import DuplicateRecord, InvalidClientMetadata, UnknownClient
from portula.plugin import Application

if TYPE_CHECKING:
    from portula import Provider

NAME = "portula try"
CLIENT_IDS = {number: f"portula-try-{number}" for number in range(1, 9)}
"""Identifier of the client by number of the place that a run takes."""
LIFE_SECONDS = 3600
"""After which the client of a run that was killed is removed by the next one."""


@dataclass(frozen=True, slots=True)
class TrialClient:
    """What a run may use until it ends."""

    number: int
    client_id: str
    created_at: int
    """Tells the client of this run from that of the next one in its place."""
    secret: str | None = field(repr=False)


def clear(provider: Provider, older_than: int = 0) -> None:
    """Remove the clients of runs that began so many seconds ago, and what was issued to them."""
    names = tuple(CLIENT_IDS.values())
    for client in provider.storage.select(Application, limit=len(names), client_id=names):
        if client.name == NAME and client.created_at <= provider.now() - older_than:
            with suppress(UnknownClient):
                provider.clients.remove(client.client_id)


def take(provider: Provider, types: Sequence[str], redirect_uri: str) -> TrialClient:
    """Register a client for a run: a public one, unless one of its grant types is for confidential ones alone.

    Args:
        provider: at which it is.
        types: its grant types.
        redirect_uri: of the client, where one of them needs it.

    Raises:
        ClickException: as many runs are under way, or this provider has no such clients, e.g. by its profile.
    """
    clear(provider, LIFE_SECONDS)
    offered = provider.backend.server.grant_types
    confidential = any(
        name == "client_credentials" or getattr(offered.get(name), "confidential", False) for name in types
    )
    for number, client_id in CLIENT_IDS.items():
        application = Application(
            client_id=client_id,
            name=NAME,
            client_type="confidential" if confidential else "public",
            grant_types=tuple(types),
            application_type="native",
            redirect_uris=(redirect_uri,) if "authorization_code" in types else (),
        )
        try:
            client, secret = provider.clients.create(application)
            return TrialClient(number, client_id, client.created_at, secret)
        except DuplicateRecord:
            continue
        except InvalidClientMetadata as error:
            raise click.ClickException(f"no client can be made for this run: {error}; name one") from error
    raise click.ClickException(
        f"{len(CLIENT_IDS)} runs are under way, or were killed within the hour; try again later"
    )


@contextmanager
def remove_at_end(provider: Provider, client: TrialClient) -> Iterator[None]:
    """Remove the client of a run at its end, and what was issued to it."""
    try:
        yield
    finally:
        found = provider.storage.find(Application, client_id=client.client_id)
        if found is not None and found.created_at == client.created_at:
            with suppress(UnknownClient):
                provider.clients.remove(client.client_id)
