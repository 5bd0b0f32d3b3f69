"""`portula clients`: list, show, change, shut out, let in and remove clients, give them other secrets, list tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from portula import Plugin
from portula.errors import Conflict, InvalidClientMetadata, UnknownClient
from portula.plugin import Application, console, required_confirmations
from portula_oauth2.access_tokens import list_command
from portula_oauth2.client_options import (
    check_scope,
    client_facts,
    client_options,
    grant_types,
    print_secret,
    read_document,
    secret_names,
    words,
)

if TYPE_CHECKING:
    from portula import Provider

COLUMNS = {
    "client_id": "Client ID",
    "name": "Name",
    "client_type": "Type",
    "grant_types": "Grant types",
    "disabled": "Disabled",
}
"""What the table of a list shows."""
UNSET = Application(client_id="")
"""What a field is like that nobody set."""

T = TypeVar("T")


def make_client_commands(provider: Provider) -> list[click.Command]:
    """Return the commands of the group for one provider, all but `create`."""
    return [
        _list(provider),
        _show(provider),
        _set(provider),
        _rotate_secret(provider),
        _switch(provider, "enable", "Let a client in again, with its tokens that have not expired."),
        _switch(provider, "disable", "Shut a client out: none of its tokens counts until it is enabled."),
        _remove(provider),
        list_command(provider),
    ]


def _list(provider: Provider) -> click.Command:
    @click.command("list")
    @console.page_options("client_id")
    @console.json_option
    def list_clients(limit: int, after: str | None, *, as_json: bool) -> None:
        """List clients in order of their identifiers."""
        found = provider.storage.select(Application, limit=limit, after=after)
        rows = [client_facts(client) for client in found]
        none = "There is no client."
        console.print_page(rows, COLUMNS, limit=limit, key="client_id", as_json=as_json, none=none)

    return list_clients


def _show(provider: Provider) -> click.Command:
    @click.command("show")
    @click.argument("client_id")
    @console.json_option
    def show(client_id: str, *, as_json: bool) -> None:
        """Show everything about a client but its secrets, of which the names are shown."""
        client = _attempt(lambda: provider.clients.require(client_id))
        required = required_confirmations(provider.client_members, client)
        facts = {
            **client_facts(client),
            "audiences": list(provider.audiences.get(client_id, ())),
            "bound_to": [provider.token_presentations.label(member) for member in required],
            "secrets": secret_names(client),
        }
        if not as_json:
            facts |= facts.pop("metadata")
        console.print_record(facts, as_json=as_json)

    return show


def _set(provider: Provider) -> click.Command:
    @click.command("set")
    @click.argument("client_id")
    @click.option("--grant-types", callback=words, help="Space-separated grant types.")
    @client_options
    @console.json_option
    def set_client(client_id: str, metadata: dict[str, Any], *, as_json: bool, **given: Any) -> None:
        """Change what is given of a client, and nothing else; every rule for clients is heard.

        An option replaces the whole list or text, and "" empties it. A member of --metadata that is null goes.
        """
        options = {name: value for name, value in given.items() if value is not None}
        if not options and not metadata:
            raise click.UsageError("say what to change; --help lists what there is")
        client = _attempt(
            lambda: provider.clients.edit(
                client_id, lambda known: _change(provider, known, metadata, options)
            )
        )
        if as_json:
            console.print_record(client_facts(client), as_json=True)
        else:
            click.echo(f"Changed {client.client_id}.")

    return set_client


def _change(
    provider: Provider, known: Application, document: dict[str, Any], options: dict[str, Any]
) -> Application:
    """Return a client as the options and the metadata leave it; what an option says counts more."""
    fields = read_document(provider, document)
    metadata = {**known.metadata, **fields.pop("metadata")}
    for name, value in document.items():
        if value is None:
            metadata.pop(name, None)
            field = provider.client_members[name.partition("#")[0]].field
            if field is not None and "#" not in name:
                fields[field] = getattr(UNSET, field)
    changed: dict[str, Any] = {**fields, **options}
    for name in ("scope", "user"):
        if changed.get(name) == "":
            changed[name] = None
    if "grant_types" in options:
        changed["grant_types"] = grant_types(provider, options["grant_types"])
    check_scope(provider, changed.get("scope"))
    return replace(known, **changed, metadata=metadata)


def _rotate_secret(provider: Provider) -> click.Command:
    @click.command("rotate-secret")
    @click.argument("client_id")
    @click.option("--now", "at_once", is_flag=True, help="End the secrets it has at once.")
    @click.option("--finish", is_flag=True, help="Make none; end those that a newer one has replaced.")
    @console.yes_option
    @console.json_option
    def rotate_secret(client_id: str, *, at_once: bool, finish: bool, yes: bool, as_json: bool) -> None:
        """Give a client another secret; the one it has counts beside it until you --finish.

        The new secret is kept as the newest one is: as a digest, or encrypted so that it can sign.
        """
        if at_once and finish:
            raise click.UsageError("--now and --finish exclude each other")
        known = _attempt(lambda: provider.clients.require(client_id))
        if at_once or finish:
            console.confirm(f"End {'all' if at_once else 'older'} secrets of {client_id} now?", yes=yes)
        if finish:
            known = _attempt(
                lambda: provider.clients.require(client_id)
            )  # as it is when the question is answered
            for name in secret_names(known)[:-1]:
                known = _attempt(partial(provider.clients.remove_secret, client_id, name))
            _say(known, None, "Ended all secrets but the newest of", as_json=as_json)
            return
        hasher = provider.hooks.ask(Plugin.portula_secret_hasher)
        sealed = bool(known.secret_hashes) and hasher.unseal(known.secret_hashes[-1]) is not None
        client, secret = _attempt(
            lambda: provider.clients.add_secret(client_id, hash_secret=not sealed, end_others=at_once)
        )
        _say(client, secret, "Made another secret of", as_json=as_json)
        if not as_json:
            print_secret(secret, "encrypted" if sealed else "only as a digest")

    return rotate_secret


def _say(client: Application, secret: str | None, done: str, *, as_json: bool) -> None:
    if as_json:
        made = {} if secret is None else {"client_secret": secret}
        facts = {"client_id": client.client_id, "secrets": secret_names(client), **made}
        console.print_record(facts, as_json=True)
    else:
        click.echo(f"{done} {client.client_id}; it has {len(client.secret_hashes)}.")


def _switch(provider: Provider, word: str, meaning: str) -> click.Command:
    disabled = word == "disable"

    @click.command(word, help=meaning)
    @click.argument("client_id")
    @console.json_option
    def switch(client_id: str, *, as_json: bool) -> None:
        client = _attempt(
            lambda: provider.clients.edit(client_id, lambda known: replace(known, disabled=disabled))
        )
        if as_json:
            console.print_record(client_facts(client), as_json=True)
        else:
            click.echo(f"{word.capitalize()}d {client_id}.")

    return switch


def _remove(provider: Provider) -> click.Command:
    @click.command("remove")
    @click.argument("client_id")
    @console.yes_option
    @console.json_option
    def remove(client_id: str, *, yes: bool, as_json: bool) -> None:
        """Remove a client for good, and end all that was issued to it."""
        client = _attempt(lambda: provider.clients.require(client_id))
        console.confirm(f"Remove {client_id}{client.name and f' ({client.name})'} for good?", yes=yes)
        _attempt(lambda: provider.clients.remove(client_id))
        if as_json:
            console.print_record(client_facts(client), as_json=True)
        else:
            click.echo(f"Removed {client_id}.")

    return remove


def _attempt(change: Callable[[], T]) -> T:
    try:
        return change()
    except (InvalidClientMetadata, UnknownClient) as error:
        raise click.ClickException(str(error)) from None
    except Conflict:
        raise click.ClickException("others change this client at this moment; try again") from None
