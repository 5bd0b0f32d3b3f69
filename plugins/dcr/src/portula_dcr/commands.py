"""`portula registration token`: the tokens with which clients may be registered."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from portula import Plugin
from portula.errors import DuplicateRecord
from portula_dcr.initial_access import MAX_USES, InitialAccessToken, InitialAccessTokens
from portula_dcr.settings import DcrSettings

if TYPE_CHECKING:
    from portula import Provider

WEEK = 7 * 24 * 3600
MAX_NAME = 80

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def registration_group(provider: Provider) -> click.Group:
    """Make the group `registration` for one provider."""
    tokens = InitialAccessTokens(provider)

    @click.group("registration")
    def registration() -> None:
        """Dynamic client registration."""

    @registration.group("token")
    def token() -> None:
        """Initial access tokens: who holds one may register clients."""

    token.add_command(_create(provider, tokens))
    token.add_command(_list(provider, tokens))
    token.add_command(_revoke(tokens))
    return registration


def _create(provider: Provider, tokens: InitialAccessTokens) -> click.Command:
    @click.command("create")
    @click.argument("name", callback=_name)
    @click.option("--uses", type=click.IntRange(1, MAX_USES), default=1, help="Clients it may register; 1.")
    @click.option("--any-number", is_flag=True, help="Let it register any number of clients.")
    @click.option("--expires-in", type=click.IntRange(1), default=WEEK, help="Seconds it counts; a week.")
    @click.option("--no-expiry", is_flag=True, help="Let it count until it is revoked.")
    @click.option(
        "--scope", default="", help="Further scopes that its clients may have, privileged ones too."
    )
    @_as_json
    def create(
        name: str,
        uses: int,
        expires_in: int,
        scope: str,
        *,
        any_number: bool,
        no_expiry: bool,
        as_json: bool,
    ) -> None:
        """Make a token called NAME and print it, this once."""
        known = {*provider.hooks.ask(Plugin.portula_scopes_backend).get_all_scopes(), *provider.scope_texts}
        unknown = [word for word in scope.split() if word not in known]
        if unknown:
            raise click.UsageError(f"there is no scope {unknown[0]!r}; there are: {', '.join(sorted(known))}")
        try:
            value = tokens.create(
                name,
                max_uses=None if any_number else uses,
                expires_in=None if no_expiry else expires_in,
                scope=scope.split(),
            )
        except DuplicateRecord as error:
            raise click.ClickException(str(error)) from None
        click.echo(json.dumps({"name": name, "initial_access_token": value}) if as_json else value)
        click.echo("The token is shown this once and kept only as a digest.", err=True)
        settings = provider.settings(DcrSettings)
        if not settings.DCR_ENABLED or settings.DCR_REGISTRATION_MODE == "open":
            click.echo("As configured, clients are not registered with tokens; see DCR_ENABLED.", err=True)

    return create


def _list(provider: Provider, tokens: InitialAccessTokens) -> click.Command:
    @click.command("list")
    @_as_json
    def list_tokens(*, as_json: bool) -> None:
        """List the tokens, with how often each was used."""
        rows = [_row(tokens, known, provider.now()) for known in tokens.all()]
        if as_json:
            click.echo(json.dumps(rows, indent=2))
        elif rows:
            _show(rows)
        else:
            click.echo("There is no initial access token.")

    return list_tokens


def _revoke(tokens: InitialAccessTokens) -> click.Command:
    @click.command("revoke")
    @click.argument("name")
    def revoke(name: str) -> None:
        """End the token called NAME; clients that were registered with it stay."""
        known = tokens.named(name)
        if known is None:
            raise click.ClickException(f"there is no initial access token {name!r}")
        tokens.revoke(known)
        click.echo(f"Revoked {name}.")

    return revoke


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip() or not value.isprintable() or len(value) > MAX_NAME:
        raise click.BadParameter(f"1 to {MAX_NAME} printable characters are needed")
    return value


def _row(tokens: InitialAccessTokens, token: InitialAccessToken, now: int) -> dict[str, Any]:
    uses = None if token.max_uses is None else tokens.uses(token)
    expired = token.expires_at is not None and token.expires_at <= now
    used_up = uses is not None and token.max_uses is not None and uses >= token.max_uses
    return {
        "name": token.name,
        "made_at": token.made_at,
        "expires_at": token.expires_at,
        "uses": uses,
        "max_uses": token.max_uses,
        "scope": " ".join(token.scope),
        "state": "expired" if expired else "used up" if used_up else "live",
    }


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table("Name", "State", "Used", "Expires", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        used = "any number" if row["max_uses"] is None else f"{row['uses']} of {row['max_uses']}"
        expires = "never" if row["expires_at"] is None else _time(row["expires_at"])
        table.add_row(escape(row["name"]), row["state"], used, expires)
    Console(highlight=False).print(table)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
