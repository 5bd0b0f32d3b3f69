"""`portula initial-access-tokens`: the tokens with which clients may be registered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from portula import Plugin
from portula.errors import DuplicateRecord
from portula.plugin import console, nearest
from portula_dcr.initial_access import MAX_USES, InitialAccessToken, InitialAccessTokens
from portula_dcr.settings import DcrSettings

if TYPE_CHECKING:
    from portula import Provider

WEEK = 7 * 24 * 3600
MAX_NAME = 80

COLUMNS = {
    "name": "Name",
    "state": "State",
    "used": "Used",
    "expires_at": "Expires",
}
"""What the table of a list shows."""


def make_commands(provider: Provider) -> list[click.Command]:
    """Return the group `initial-access-tokens`, and `registration token`, the same by its old name."""
    tokens = InitialAccessTokens(provider)
    create, list_tokens = _create(provider, tokens), _list(provider, tokens)

    @click.group("initial-access-tokens")
    def group() -> None:
        """Initial access tokens (RFC 7591 §1.2): who holds one may register clients."""

    group.add_command(create)
    group.add_command(list_tokens)
    group.add_command(_show(provider, tokens))
    group.add_command(_end(tokens))

    @click.group("registration")
    def registration() -> None:
        """Dynamic client registration."""

    @registration.group("token")
    def token() -> None:
        """Initial access tokens: who holds one may register clients."""

    token.add_command(create)
    token.add_command(list_tokens)
    token.add_command(_revoke(tokens))
    return [group, registration]


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
    @console.json_option
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
    @console.page_options("name")
    @console.json_option
    def list_tokens(limit: int, after: str | None, *, as_json: bool) -> None:
        """List the tokens, the oldest first, with how often each was used."""
        known = tokens.all()
        if after is not None:
            known = known[known.index(_require(tokens, after)) + 1 :]
        rows = [facts_of(tokens, each, provider.now()) for each in known[:limit]]
        if not as_json:
            rows = [{**row, "used": _uses(row)} for row in rows]
        none = "There is no initial access token."
        console.print_page(rows, COLUMNS, limit=limit, key="name", as_json=as_json, none=none)

    return list_tokens


def _show(provider: Provider, tokens: InitialAccessTokens) -> click.Command:
    @click.command("show")
    @click.argument("name")
    @console.json_option
    def show(name: str, *, as_json: bool) -> None:
        """Show what is known of the token called NAME; not its value."""
        console.print_record(facts_of(tokens, _require(tokens, name), provider.now()), as_json=as_json)

    return show


def _end(tokens: InitialAccessTokens) -> click.Command:
    @click.command("end")
    @click.argument("name")
    @console.yes_option
    @console.json_option
    def end(name: str, *, yes: bool, as_json: bool) -> None:
        """End the token called NAME; clients that were registered with it stay."""
        known = _require(tokens, name)
        console.confirm(f"End the initial access token {name}?", yes=yes)
        tokens.revoke(known)
        if as_json:
            console.print_record({"name": name}, as_json=True)
        else:
            click.echo(f"Ended {name}.")

    return end


def _revoke(tokens: InitialAccessTokens) -> click.Command:
    @click.command("revoke")
    @click.argument("name")
    @console.json_option
    def revoke(name: str, *, as_json: bool) -> None:
        """End the token called NAME without asking; clients that were registered with it stay."""
        tokens.revoke(_require(tokens, name))
        if as_json:
            console.print_record({"name": name}, as_json=True)
        else:
            click.echo(f"Revoked {name}.")

    return revoke


def _require(tokens: InitialAccessTokens, name: str) -> InitialAccessToken:
    known = {token.name: token for token in tokens.all()}
    if name not in known:
        raise click.ClickException(f"there is no initial access token {name!r}{nearest(name, known)}")
    return known[name]


def _name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip() or not value.isprintable() or len(value) > MAX_NAME:
        raise click.BadParameter(f"1 to {MAX_NAME} printable characters are needed")
    return value


def facts_of(tokens: InitialAccessTokens, token: InitialAccessToken, now: int) -> dict[str, Any]:
    """Return what is shown of a token; not its value."""
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


def _uses(row: dict[str, Any]) -> str:
    return "any number" if row["max_uses"] is None else f"{row['uses']} of {row['max_uses']}"
