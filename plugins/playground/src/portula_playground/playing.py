"""Plays a grant, on whatever display."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from portula.plugin import console

if TYPE_CHECKING:
    from portula import Provider
    from portula_playground.player import Player

STEP_LISTS = {
    "authorization": ("authorize", "authorize (answer)"),
    "introspection": ("introspect",),
    "pushed_authorization_request": ("par",),
    "revocation": ("revoke_token",),
}
"""Lists of steps by name of the endpoint in the metadata, where the two differ."""


def run(provider: Provider, play: Callable[[Player], Any], *, here: bool = True, **given: Any) -> None:
    """Play a grant.

    Args:
        provider: whose configuration says which steps there are.
        play: plays it, as plugins contribute it.
        here: whether it is this provider that is asked, whose steps are known.
        given: of the player.

    Raises:
        ClickException: something is missing, or the provider refuses.
    """
    from portula_playground.player import Player  # httpx only where something is played

    player = Player(steps_of=lambda *asked: steps_of(provider, *asked) if here else "", **given)
    try:
        player.discover()
        play(player)
    finally:
        player.http.close()


def issuer_of(provider: Provider) -> str:
    """Return the issuer that is configured.

    Raises:
        ClickException: it is made of the host of each request.
    """
    if not provider.issuer:
        raise click.ClickException(
            "no issuer is configured: say which provider to try, --at http://127.0.0.1:8000/o"
        )
    return provider.issuer


def steps_of(provider: Provider, endpoint: str, grant_type: str) -> str:
    """Return the steps of an endpoint that run for a grant type, each that a plugin inserts with its name."""
    name = endpoint.removesuffix("_endpoint")
    lists = [provider.step_lists.get(known) for known in STEP_LISTS.get(name, (name,))]
    return ", ".join(
        f"{step.name} ({step.source.name})" if step.source.name != "core" else step.name
        for found in lists
        if found is not None
        for step in found.steps
        if not step.when or grant_type in step.when
    )


def pairs_of(texts: Iterable[str]) -> dict[str, str]:
    """Return the values of texts that are NAME=VALUE.

    Raises:
        ClickException: one of them is not.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.ClickException(f"{text!r}: NAME=VALUE is needed")
        found[name] = value
    return found


def lines_of(names: Iterable[str], files: Iterable[str]) -> dict[str, str]:
    """Return the values that stand elsewhere: of names on standard input, a line each, of NAME=FILE in the file.

    Raises:
        ClickException: a file cannot be read.
        BadParameter: nothing is there.
    """
    found = {name: console.secret_line(sys.stdin) for name in names}
    for name, path in pairs_of(files).items():
        try:
            with click.open_file(path) as file:
                found[name] = console.secret_line(file)
        except OSError as error:
            raise click.ClickException(f"{path}: {error.strerror}") from error
    return found
