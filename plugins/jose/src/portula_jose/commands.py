"""`portula keys`: look at the signing keys and rotate them. Private parts are never printed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from portula_jose.ring import KeyRing, State

if TYPE_CHECKING:
    from portula import Provider
    from portula_jose.jose import SigningRoom

PIPED_WIDTH = 200
"""Columns of a table that goes into a file or another program."""

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def keys_group(provider: Provider, jose: SigningRoom) -> click.Group:
    """Make the group `keys` for one provider."""

    @click.group("keys")
    def keys() -> None:
        """Keys that sign tokens."""

    @keys.command()
    @_as_json
    def status(*, as_json: bool) -> None:
        """List the published keys: what each signs, and since or until when."""
        rows = _rows(jose)
        if as_json:
            click.echo(json.dumps(rows, indent=2))
        elif rows:
            _show(rows)
        else:
            click.echo("No key has been needed yet; the first is made when something is signed or published.")

    @keys.command()
    @click.option("--algorithm", help="Rotate the key of this algorithm only, e.g. RS256.")
    @click.option(
        "--now", "at_once", is_flag=True, help="Sign with it at once, although others may not know it yet."
    )
    @_as_json
    def rotate(*, algorithm: str | None, at_once: bool, as_json: bool) -> None:
        """Make the next keys: published now, signing once everybody has had time to see them.

        Repeating it changes nothing while a key waits already.
        """
        ring = _ring(jose)
        known = list(ring.algorithms())
        if algorithm is not None and algorithm not in known:
            raise click.ClickException(f"no key is generated for {algorithm}; there are: {', '.join(known)}")
        made = [ring.rotate(name, at_once=at_once) for name in ([algorithm] if algorithm else known)]
        if as_json:
            click.echo(json.dumps(_rows(jose), indent=2))
            return
        for stored in made:
            waits = stored.signs_from > provider.now()
            when = f"signs from {_time(stored.signs_from)}" if waits else "signs now"
            click.echo(f"{stored.algorithm}  {stored.public.kid}  {when}")

    return keys


def _ring(jose: SigningRoom) -> KeyRing:
    if jose.ring is None:
        raise click.ClickException(
            "the keys are not ours to rotate: they come from OIDC_RSA_PRIVATE_KEY or a signer. Put a new key into "
            "OIDC_RSA_PRIVATE_KEYS_INACTIVE, wait for OIDC_JWKS_MAX_AGE_SECONDS twice, then let the two change places."
        )
    return jose.ring


def _rows(jose: SigningRoom) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for source in jose.sources:
        if isinstance(source, KeyRing):
            rows += [
                {
                    "kid": placed.stored.public.kid,
                    "algorithms": [placed.stored.algorithm],
                    "state": placed.state.value,
                    "from": "storage",
                    "made_at": placed.stored.made_at,
                    "signs_from": placed.stored.signs_from,
                    "until": placed.until,
                }
                for placed in source.placed()
            ]
            continue
        signing = {source.signing_key(name).kid for name in source.algorithms()}
        rows += [
            {
                "kid": key.kid,
                "algorithms": sorted(key.algorithms),
                "state": State.ACTIVE.value if key.kid in signing else "inactive",
                "from": source.name,
                "made_at": None,
                "signs_from": None,
                "until": None,
            }
            for key in source.published()
        ]
    return rows


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(
        "Key", "Algorithms", "State", "From", "Until", box=None, pad_edge=False, header_style="bold"
    )
    for row in rows:
        until = _time(row["until"]) if row["until"] is not None else "-"
        table.add_row(row["kid"], " ".join(row["algorithms"]), row["state"], row["from"], until)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(table)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
