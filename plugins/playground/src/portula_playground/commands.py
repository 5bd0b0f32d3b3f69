"""`portula try`: lists the grants that can be played, or plays one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from portula.plugin import Application, nearest
from portula_playground.hooks import PlayedGrant, PlaygroundHooks
from portula_playground.player import Player

if TYPE_CHECKING:
    from portula import Provider

REDIRECT_URI = "http://127.0.0.1/callback"
"""Any port of it counts for a native application (RFC 8252 §7.3)."""
NAME = "portula try"


def try_command(provider: Provider) -> click.Command:
    """Make the command for one provider."""

    @click.command("try")
    @click.argument("grant", required=False)
    @click.option(
        "--client-id", help="A client that is registered; else one is made, and removed afterwards."
    )
    @click.option("--client-secret", help="Its secret, if it has one.", envvar="PORTULA_TRY_CLIENT_SECRET")
    @click.option("--scope", default="", help="Scopes to ask for; else the client's default.")
    @click.option("--resource", default="", help="Server that the token is for (RFC 8707).")
    @click.option("--at", "issuer", help="Issuer of the provider to try; else the one that is configured.")
    @click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="What a grant needs besides.")
    @click.option("--no-browser", is_flag=True, help="Print addresses, and open no browser.")
    @click.option("--show-secrets", is_flag=True, help="Show tokens, codes and secrets whole.")
    def try_(grant: str | None, **options: Any) -> None:
        """Play a client of a GRANT against the running provider, and explain each message; without one, list them."""
        grants = provider.hooks.collect(PlaygroundHooks.portula_played_grants)
        if grant is None:
            _list(grants)
            return
        if grant not in grants:
            raise click.ClickException(
                f"there is no grant {grant!r}{nearest(grant, grants)}; see `portula try`"
            )
        types, play = grants[grant]
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
    no_browser: bool,
    **options: Any,
) -> None:
    values = dict(_pair(text) for text in given)
    here = issuer is None
    made = None
    if client_id is None:
        if not here:
            raise click.ClickException("a provider elsewhere needs --client-id of a client that it knows")
        made, client_secret = _client(provider, types)
        client_id = made.client_id
    player = Player(
        issuer=issuer or _issuer_of(provider),
        client_id=client_id,
        secret=client_secret,
        given_values=values,
        browser=not no_browser,
        steps_of=lambda endpoint, grant_type: _steps(provider, endpoint, grant_type) if here else "",
        **options,
    )
    try:
        player.discover()
        play(player)
    finally:
        player.http.close()
        if made is not None:
            provider.clients.remove(made.client_id)


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.partition("=")
    if not found or not name:
        raise click.ClickException(f"--set {text!r}: NAME=VALUE is needed")
    return name, value


def _issuer_of(provider: Provider) -> str:
    if not provider.issuer:
        raise click.ClickException(
            "no issuer is configured: say which provider to try, --at http://127.0.0.1:8000/o"
        )
    return provider.issuer


def _client(provider: Provider, types: Sequence[str]) -> tuple[Application, str | None]:
    """Register a client for this run: a public one, unless one of its grant types is for confidential ones alone."""
    offered = provider.backend.server.grant_types
    confidential = any(
        name == "client_credentials" or getattr(offered.get(name), "confidential", False) for name in types
    )
    application = Application(
        client_id="",
        name=NAME,
        client_type="confidential" if confidential else "public",
        grant_types=tuple(types),
        application_type="native",
        redirect_uris=(REDIRECT_URI,) if "authorization_code" in types else (),
    )
    return provider.clients.create(application)


def _steps(provider: Provider, endpoint: str, grant_type: str) -> str:
    """Return the steps of an endpoint that run for a grant type, each that a plugin inserts with its name."""
    name = endpoint.removesuffix("_endpoint")
    found = provider.step_lists.get(name)
    if found is None:
        return ""
    shown = [
        f"{step.name} ({step.source.name})" if step.source.name != "core" else step.name
        for step in found.steps
        if not step.when or grant_type in step.when
    ]
    return ", ".join(shown)
