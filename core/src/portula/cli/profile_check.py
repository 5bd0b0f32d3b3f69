"""`portula check --profile`: what a server and its clients lack for a profile, in force or not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from portula.host.profiles import Profile, ProfileViolation
from portula.model.errors import ConfigError, nearest

if TYPE_CHECKING:
    from portula.web.provider import Provider

Line = tuple[str | None, ProfileViolation]
"""A client, None for the server, and what it lacks."""


def check_profile(provider: Provider, name: str, *, as_json: bool) -> bool:
    """Print what is missing, a line each as it is found; return whether something is.

    Raises:
        ClickException: no installed plugin has the profile, or the storage is not ready.
    """
    known = provider.all_settings.profiles.known
    if name not in known:
        raise click.ClickException(f"no installed plugin has the profile {name!r}{nearest(name, known)}")
    try:
        provider.check_storage()
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    found: list[dict[str, str | None]] = []
    for client_id, missing in _lines(provider, known[name]):
        row = {"client_id": client_id, "field": missing.field, "value": missing.value}
        found.append({**row, "allowed": missing.allowed})
        if not as_json:
            click.echo(f"{'server' if client_id is None else f'client {client_id}'}: {missing}")
    if as_json:
        click.echo(json.dumps(found, indent=2))
    elif not found:
        click.echo(f"Nothing is missing for the profile {name}.")
    return bool(found)


def _lines(provider: Provider, profile: Profile) -> Iterator[Line]:
    """Yield what the server lacks, then what each client that is not disabled does."""
    settings, console = provider.all_settings, Console(stderr=True)
    if profile not in settings.profiles.in_force:
        named = ", ".join(held.name for held in settings.profiles.in_force) or "None"
        yield (
            None,
            ProfileViolation(
                field="PROFILE", value=named, allowed=f"{profile.name!r}, by itself or in a list"
            ),
        )
    configured = {declared.name for declared in settings.declarations() if declared.origin == "configured"}
    for missing in settings.violations(profile):
        if missing.field == "PROFILE" or missing.field in configured:  # a default changes with the profile
            yield None, missing
    columns = (SpinnerColumn(), TextColumn("{task.completed} clients"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("clients", total=None)
        for client in provider.clients.iterate(sys.maxsize):
            yield from ((client.client_id, missing) for missing in profile.client(client))
            progress.advance(task)
