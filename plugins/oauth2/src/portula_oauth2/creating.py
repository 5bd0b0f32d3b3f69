"""`portula createapplication`, with the options of django-oauth-toolkit; it is `portula clients create` too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from portula.errors import DuplicateRecord, InvalidClientMetadata
from portula.plugin import Application, console, is_native_client
from portula_oauth2.client_options import (
    check_scope,
    client_facts,
    client_options,
    grant_types,
    print_secret,
    read_document,
)

if TYPE_CHECKING:
    from portula import Provider


def _application(provider: Provider, document: dict[str, Any], given: dict[str, Any]) -> Application:
    """Make the record of a client from its metadata and from the options; what an option says counts more.

    Raises:
        InvalidClientMetadata: a member is not known, its value is of the wrong type, or nobody knows a scope.
    """
    options = {name: value for name, value in given.items() if value not in ("", (), None)}
    options["grant_types"] = grant_types(provider, given["grant_types"])
    fields = {"client_id": "", **read_document(provider, document), **options}
    if "application_type" not in fields:
        native = is_native_client(fields["client_type"], fields.get("redirect_uris", ()))
        fields["application_type"] = "native" if native else "web"
    check_scope(provider, fields.get("scope"))
    return Application(**fields)


def make_create_command(provider: Provider) -> click.Command:
    """Return the command for one provider."""

    @click.command("createapplication")
    @click.argument("client_type", type=click.Choice(["confidential", "public"]))
    @click.argument("grant_types", nargs=-1, required=True, metavar="GRANT_TYPE...")
    @click.option("--client-id", default="", help="Identifier; generated when left out.")
    @click.option(
        "--client-secret",
        default=None,
        help="A secret of your own, 32 characters or more; it is not printed again.",
    )
    @console.secret_options("client-secret")
    @click.option(
        "--no-hash-client-secret", is_flag=True, help="Keep the secret encrypted, so that it can sign."
    )
    @client_options
    @console.json_option
    def create(
        metadata: dict[str, Any],
        *,
        no_hash_client_secret: bool,
        as_json: bool,
        **given: Any,
    ) -> None:
        """Create a client: its type, then its grant types (authorization-code, client-credentials, ...)."""
        chosen = console.pop_secret(given, "client_secret")
        try:
            application = _application(provider, metadata, given)
            client, secret = provider.clients.create(
                application, secret=chosen, hash_secret=not no_hash_client_secret
            )
        except InvalidClientMetadata as error:
            raise click.ClickException(str(error)) from error
        except DuplicateRecord as error:
            raise click.ClickException(f"the client_id {given['client_id']!r} is taken") from error
        facts, made = client_facts(client), secret if chosen is None else None
        if as_json:
            click.echo(json.dumps(facts if made is None else {**facts, "client_secret": made}))
            return
        click.echo("Client created.")
        console.print_record(facts, as_json=False)
        how = "encrypted" if no_hash_client_secret else "only as a digest"
        if made is not None:
            print_secret(made, how)
        elif secret is not None:
            click.echo(f"The secret that you chose is kept {how}.")

    return create
