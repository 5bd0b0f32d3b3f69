"""`portula createapplication`, with the options of django-oauth-toolkit."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from portula import Plugin, hookimpl
from portula.errors import DuplicateRecord, InvalidClientMetadata
from portula.plugin import (
    LOOPBACK_ADDRESSES,
    Application,
    nearest,
    origin_of,
    read_client_metadata,
    uri_scheme,
)

if TYPE_CHECKING:
    from portula import Provider


def _native(client_type: str, redirect_uris: tuple[str, ...]) -> bool:
    """Say whether a client looks native: public, and only loopback or private-use URIs (RFC 8252 §7)."""
    loopback = tuple(f"http://{address}" for address in LOOPBACK_ADDRESSES)
    return (
        client_type == "public"
        and bool(redirect_uris)
        and all(
            "." in uri_scheme(uri) or (origin_of(uri) or "").startswith(loopback) for uri in redirect_uris
        )
    )


def _words(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(value.split())


def _document(_context: click.Context, _parameter: click.Parameter, value: str) -> dict[str, Any]:
    """Read a JSON object, from the command line or, behind an @, from a file."""
    try:
        text = Path(value[1:]).read_text(encoding="utf-8") if value.startswith("@") else value
        document = json.loads(text or "{}")
    except (OSError, ValueError, RecursionError) as error:
        raise click.BadParameter(str(error)) from error
    if not isinstance(document, dict):
        raise click.BadParameter("a JSON object is needed")
    return document


def _application(provider: Provider, document: dict[str, Any], given: dict[str, Any]) -> Application:
    """Make the record of a client from its metadata and from the options; what an option says counts more.

    Raises:
        InvalidClientMetadata: a member is not known, or its value is of the wrong type.
    """
    members = {member.name: member for member in provider.hooks.collect(Plugin.portula_client_metadata)}
    for name in document:
        plain = name.partition("#")[0]
        if plain not in members:
            raise InvalidClientMetadata(
                f"{name}: no installed plugin understands this{nearest(plain, members)}"
            )
    options = {name: value for name, value in given.items() if value not in ("", (), None)}
    grants = provider.hooks.collect(Plugin.portula_grant_types)
    options["grant_types"] = tuple(
        name if name in grants else name.replace("-", "_") for name in given["grant_types"]
    )
    fields = {"client_id": "", **read_client_metadata(members, document), **options}
    if "application_type" not in fields:
        native = _native(fields["client_type"], fields.get("redirect_uris", ()))
        fields["application_type"] = "native" if native else "web"
    return Application(**fields)


@hookimpl
def portula_commands(provider: Provider) -> list[click.Command]:
    """Contribute createapplication."""

    @click.command("createapplication")
    @click.argument("client_type", type=click.Choice(["confidential", "public"]))
    @click.argument("grant_types", nargs=-1, required=True, metavar="GRANT_TYPE...")
    @click.option("--client-id", default="", help="Identifier; generated when left out.")
    @click.option("--user", default=None, help="Subject of the owner.")
    @click.option("--redirect-uris", default="", callback=_words, help="Space-separated redirect URIs.")
    @click.option("--post-logout-redirect-uris", default="", callback=_words, help="Space-separated URIs.")
    @click.option("--allowed-origins", default="", callback=_words, help="Space-separated origins for CORS.")
    @click.option("--client-secret", default=None, help="A secret of your own, 32 characters or more.")
    @click.option(
        "--no-hash-client-secret", is_flag=True, help="Keep the secret encrypted, so that it can sign."
    )
    @click.option("--name", default="", help="Name that people see.")
    @click.option("--scope", default=None, help="Space-separated scopes it may ask for; all when left out.")
    @click.option("--skip-authorization", is_flag=True, help="Never ask people for consent.")
    @click.option("--algorithm", default="", help="Algorithm that signs ID tokens for this client.")
    @click.option(
        "--application-type", type=click.Choice(["web", "native"]), default=None, help="Told by the URIs."
    )
    @click.option("--metadata", default="", callback=_document, help="Members of RFC 7591: JSON, or @FILE.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def create(
        client_secret: str | None,
        metadata: dict[str, Any],
        *,
        no_hash_client_secret: bool,
        as_json: bool,
        **given: Any,
    ) -> None:
        """Create a client: its type, then its grant types (authorization-code, client-credentials, ...)."""
        try:
            application = _application(provider, metadata, given)
            client, secret = provider.clients.create(
                application, secret=client_secret, hash_secret=not no_hash_client_secret
            )
        except InvalidClientMetadata as error:
            raise click.ClickException(str(error)) from error
        except DuplicateRecord as error:
            raise click.ClickException(f"the client_id {given['client_id']!r} is taken") from error
        kept = "encrypted" if no_hash_client_secret else "only as a digest"
        _print(client, secret, kept, as_json=as_json)

    return [create]


def _print(client: Application, secret: str | None, kept: str, *, as_json: bool) -> None:
    facts = {name: value for name, value in asdict(client).items() if name != "secret_hashes"}
    if as_json:
        click.echo(json.dumps(facts if secret is None else {**facts, "client_secret": secret}))
        return
    table = Table("", Column(overflow="fold"), title="Client created", show_header=False)
    for name, value in facts.items():
        if value not in (None, "", (), {}, 0, False):
            table.add_row(name, escape(_text(value)))
    console = Console()
    console.print(table)
    if secret is not None:  # outside of the table, which would cut it off on a narrow terminal
        console.print(f"client_secret {secret}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"The secret is shown this once and kept {kept}.")


def _text(value: object) -> str:
    if isinstance(value, dict):
        return json.dumps(value)
    return " ".join(value) if isinstance(value, tuple) else str(value)
