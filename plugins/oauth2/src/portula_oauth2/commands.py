"""`portula createapplication`, with the options of django-oauth-toolkit."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from portula import hookimpl
from portula.clients import InvalidClientMetadata
from portula.errors import DuplicateRecord
from portula.records import Application
from portula.uris import LOOPBACK_ADDRESSES, origin_of, uri_scheme

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
    @click.option("--json", "as_json", is_flag=True, help="Print JSON.")
    def create(
        client_secret: str | None, *, no_hash_client_secret: bool, as_json: bool, **given: Any
    ) -> None:
        """Create a client: its type, then its grant types (authorization-code, client-credentials, ...)."""
        known = provider.hooks.grant_types()
        given["grant_types"] = tuple(
            name if name in known else name.replace("-", "_") for name in given["grant_types"]
        )
        if given["application_type"] is None:
            native = _native(given["client_type"], given["redirect_uris"])
            given["application_type"] = "native" if native else "web"
        try:
            client, secret = provider.clients.create(
                Application(**given), secret=client_secret, hash_secret=not no_hash_client_secret
            )
        except InvalidClientMetadata as error:
            raise click.ClickException(str(error)) from error
        except DuplicateRecord as error:
            raise click.ClickException(f"the client_id {given['client_id']!r} is taken") from error
        kept = "encrypted" if no_hash_client_secret else "only as a digest"
        _print(client, secret, kept, as_json=as_json)

    return [create]


def _print(client: Application, secret: str | None, kept: str, *, as_json: bool) -> None:
    facts = {
        name: value for name, value in asdict(client).items() if name not in ("secret_hashes", "metadata")
    }
    if as_json:
        click.echo(json.dumps(facts if secret is None else {**facts, "client_secret": secret}))
        return
    table = Table("", Column(overflow="fold"), title="Client created", show_header=False)
    for name, value in facts.items():
        if value not in (None, "", (), 0, False):
            table.add_row(name, escape(" ".join(value) if isinstance(value, tuple) else str(value)))
    console = Console()
    console.print(table)
    if secret is not None:  # outside of the table, which would cut it off on a narrow terminal
        console.print(f"client_secret {secret}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"The secret is shown this once and kept {kept}.")
