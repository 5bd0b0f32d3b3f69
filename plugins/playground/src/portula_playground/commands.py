"""`portula try`: lists the grants that can be played, or plays one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from portula.plugin import console, nearest
from portula_playground.display import Terminal
from portula_playground.hooks import PlayedGrant, PlaygroundHooks
from portula_playground.playing import issuer_of, lines_of, pairs_of, run
from portula_playground.trial_clients import remove_at_end, take

if TYPE_CHECKING:
    from portula import Provider

REDIRECT_URI = "http://127.0.0.1/callback"
"""Any port of it counts for a native application (RFC 8252 §7.3)."""


def try_command(provider: Provider) -> click.Command:
    """Make the command for one provider."""

    @click.command("try")
    @click.argument("grant", required=False)
    @click.option(
        "--client-id", help="A client that is registered; else one is made, and removed afterwards."
    )
    @click.option("--client-secret", help="Its secret, if it has one.", envvar="PORTULA_TRY_CLIENT_SECRET")
    @console.secret_options("client-secret")
    @click.option("--scope", default="", help="Scopes to ask for; else the client's default.")
    @click.option("--resource", default="", help="Server that the token is for (RFC 8707).")
    @click.option("--at", "issuer", help="Issuer of the provider to try; else the one that is configured.")
    @click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="What a grant needs besides.")
    @click.option(
        "--set-stdin", multiple=True, metavar="NAME", help="The same from standard input: one line."
    )
    @click.option(
        "--set-file", multiple=True, metavar="NAME=FILE", help="The same from a file: the first line."
    )
    @click.option("--no-browser", is_flag=True, help="Print addresses, and open no browser.")
    @click.option("--show-secrets", is_flag=True, help="Show tokens, codes and secrets whole.")
    def try_(grant: str | None, **options: Any) -> None:
        """Play a client of a GRANT against the running provider, and explain each message; without one, list them."""
        grants = provider.hooks.collect(PlaygroundHooks.portula_grant_trials)
        if grant is None:
            _list(grants)
            return
        if grant not in grants:
            raise click.ClickException(
                f"there is no grant {grant!r}{nearest(grant, grants)}; see `portula try`"
            )
        types, play = grants[grant]
        options["client_secret"] = console.pop_secret(options, "client_secret")
        _run(provider, types, play, **options)

    return try_


def _list(grants: Mapping[str, PlayedGrant]) -> None:
    for name, (_, play) in sorted(grants.items()):
        line = next(iter((play.__doc__ or "").splitlines()), "")
        click.echo(f"{name:<20} {line}")


def _run(
    provider: Provider,
    types: Sequence[str],
    play: Any,
    *,
    client_id: str | None,
    client_secret: str | None,
    issuer: str | None,
    given: Sequence[str],
    set_stdin: Sequence[str],
    set_file: Sequence[str],
    no_browser: bool,
    **options: Any,
) -> None:
    values, here = {**pairs_of(given), **lines_of(set_stdin, set_file)}, issuer is None
    if client_id is None and not here:
        raise click.ClickException("a provider elsewhere needs --client-id of a client that it knows")
    given_player = {
        "display": Terminal(browser=not no_browser),
        "issuer": issuer or issuer_of(provider),
        "given_values": values,
        **options,
    }
    if client_id is not None:
        run(provider, play, here=here, client_id=client_id, secret=client_secret, **given_player)
        return
    client = take(provider, types, REDIRECT_URI)
    with remove_at_end(provider, client):
        run(provider, play, client_id=client.client_id, secret=client.secret, **given_player)
