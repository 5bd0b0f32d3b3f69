"""Shared by the commands that make and change clients: options, how they are read, what is printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from portula import Plugin
from portula.errors import InvalidClientMetadata
from portula.plugin import Application, nearest, read_client_metadata, read_object, secret_id, unknown_scopes

if TYPE_CHECKING:
    from collections.abc import Callable

    from portula import Provider

F = TypeVar("F", bound="Callable[..., Any]")


def words(_context: click.Context, _parameter: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Read a list whose items have no space in them."""
    return None if value is None else tuple(value.split())


def _document(_context: click.Context, _parameter: click.Parameter, value: str) -> dict[str, Any]:
    """Read a JSON object, from the command line or, behind an @, from a file."""
    try:
        text = Path(value[1:]).read_text(encoding="utf-8") if value.startswith("@") else value
        return read_object((text or "{}").encode())
    except (OSError, ValueError) as error:
        raise click.BadParameter(str(error)) from error


_OPTIONS = (
    click.option("--user", help="Subject of the owner."),
    click.option("--redirect-uris", callback=words, help="Space-separated redirect URIs."),
    click.option("--post-logout-redirect-uris", callback=words, help="Space-separated URIs."),
    click.option("--allowed-origins", callback=words, help="Space-separated origins for CORS."),
    click.option("--name", help="Name that people see."),
    click.option("--scope", help='Space-separated scopes it may ask for; all when left out or "".'),
    click.option(
        "--require-pkce/--no-require-pkce",
        default=None,
        help="Whether a confidential client needs PKCE; as PKCE_REQUIRED says when left out.",
    ),
    click.option(
        "--skip-authorization/--no-skip-authorization", default=None, help="Never ask people for consent."
    ),
    click.option("--algorithm", help="Algorithm that signs ID tokens for this client."),
    click.option(
        "--application-type",
        type=click.Choice(["web", "native"]),
        help="Where its redirect URIs lead: a site, or an app on the device; a new one's is seen from them.",
    ),
    click.option("--metadata", default="", callback=_document, help="Members of RFC 7591: JSON, or @FILE."),
)


def client_options(command: F) -> F:
    """Give a command the options that say what a client is like; one that is left out is None."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_document(provider: Provider, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `Application` that client metadata stands for.

    Raises:
        InvalidClientMetadata: a member is not known, or its value is of the wrong type.
    """
    members = provider.client_members
    for name in document:
        plain = name.partition("#")[0]
        if plain not in members:
            raise InvalidClientMetadata(
                f"{name}: no installed plugin understands this{nearest(plain, members)}"
            )
    return read_client_metadata(members, document)


def grant_types(provider: Provider, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return grant types as they are on the wire: `authorization-code` is `authorization_code`."""
    known = provider.hooks.collect(Plugin.portula_grant_types)
    return tuple(name if name in known else name.replace("-", "_") for name in names)


def check_scope(provider: Provider, scope: str | None) -> None:
    """Refuse scopes that nobody knows: they would never be granted.

    Raises:
        InvalidClientMetadata: names the first, and the nearest that is known.
    """
    unknown = unknown_scopes(provider, scope or "")
    if unknown:
        known = [*provider.hooks.ask(Plugin.portula_scopes_backend).get_all_scopes(), *provider.scope_texts]
        raise InvalidClientMetadata(f"nobody knows the scope {unknown[0]!r}{nearest(unknown[0], known)}")


def client_facts(client: Application) -> dict[str, Any]:
    """Return what is printed of a client: everything but its secrets."""
    return {name: value for name, value in asdict(client).items() if name != "secret_hashes"}


def secret_names(client: Application) -> list[str]:
    """Return the names of its secrets, which tell nothing of them; the oldest first."""
    return [secret_id(stored) for stored in client.secret_hashes]


def print_secret(secret: str, how: str) -> None:
    """Print a secret, outside of any table, which would cut it off on a narrow terminal."""
    click.echo(f"client_secret {secret}")
    click.echo(f"The secret is shown this once and kept {how}.")
