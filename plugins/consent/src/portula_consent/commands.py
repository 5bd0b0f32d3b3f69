"""`portula consents`: which apps a person has connected, and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from portula.errors import UnknownPerson
from portula.plugin import Artifact, User, console, display_name, find_person, nearest
from portula_consent.uses import Use, uses_of

if TYPE_CHECKING:
    from portula import Provider
    from portula_consent.memory import ConsentMemory

COLUMNS = {"client_id": "Client", "client_name": "Name", "scopes": "Scopes", "given_at": "Given"}
"""What the table of a list shows."""


def consents_group(provider: Provider, memory: ConsentMemory) -> click.Group:
    """Make the group `consents` for one provider."""

    @click.group("consents")
    def group() -> None:
        """What people allowed apps, and are not asked about again."""

    group.add_command(_list(provider, memory))
    group.add_command(_show(provider, memory))
    group.add_command(_remove(provider, memory))
    return group


def _list(provider: Provider, memory: ConsentMemory) -> click.Command:
    @click.command("list")
    @click.argument("user")
    @console.page_options("client_id")
    @console.json_option
    def list_consents(user: str, limit: int, after: str | None, *, as_json: bool) -> None:
        """List what USER allowed, the latest first."""
        person = _person(provider, user)
        last = None if after is None else _find_consent(memory, person, after).client_id
        rows = facts_of(provider, person.subject, memory.page(person.subject, limit=limit, after=last))
        none = f"{user} has connected no app." if last is None else "There is no other app."
        console.print_page(rows, COLUMNS, limit=limit, key="client_id", as_json=as_json, none=none)

    return list_consents


def _show(provider: Provider, memory: ConsentMemory) -> click.Command:
    @click.command("show")
    @click.argument("user")
    @click.argument("client_id")
    @console.json_option
    def show(user: str, client_id: str, *, as_json: bool) -> None:
        """Show what USER allowed one client."""
        person = _person(provider, user)
        facts = facts_of(provider, person.subject, [_find_consent(memory, person, client_id)])[0]
        console.print_record(facts, as_json=as_json)

    return show


def _remove(provider: Provider, memory: ConsentMemory) -> click.Command:
    @click.command("remove")
    @click.argument("user")
    @click.argument("client_id")
    @console.yes_option
    @console.json_option
    def remove(user: str, client_id: str, *, yes: bool, as_json: bool) -> None:
        """Forget what USER allowed a client, and end all its tokens for them."""
        person = _person(provider, user)
        facts = facts_of(provider, person.subject, [_find_consent(memory, person, client_id)])[0]
        console.confirm(f"Disconnect {client_id} from {person.username}?", yes=yes)
        memory.withdraw(person.subject, client_id)
        if as_json:
            console.print_record(facts, as_json=True)
        else:
            click.echo(f"Disconnected {client_id} from {person.username}.")

    return remove


def _person(provider: Provider, user: str) -> User:
    try:
        return find_person(provider, user)
    except UnknownPerson as error:
        raise click.ClickException(str(error)) from None


def _find_consent(memory: ConsentMemory, person: User, client_id: str) -> Artifact:
    found = memory.find(person.subject, client_id)
    if found is None:
        near = nearest(client_id, [each.client_id or "" for each in memory.all(person.subject)])
        raise click.ClickException(f"{person.username} has allowed {client_id!r} nothing{near}")
    return found


def facts_of(provider: Provider, subject: str, consents: list[Artifact]) -> list[dict[str, Any]]:
    """Return what is printed of a person's consents; clients, and what they have of the person, are read in one go."""
    clients = provider.clients.find_all([each.client_id for each in consents if each.client_id])
    uses = uses_of(provider, subject)
    return [
        {
            "client_id": each.client_id,
            "client_name": display_name(client.name) if client else None,
            "scopes": each.payload["scopes"],
            "allows": [item.line for item in use.items],
            "servers": list(use.servers),
            "bound_to": list(use.bindings),
            "given_at": each.issued_at,
        }
        for each in consents
        for client in (clients.get(each.client_id or ""),)
        for use in (uses.get(each.client_id or "", Use()),)
    ]
