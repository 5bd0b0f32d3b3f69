"""`portula keys`: look at the signing keys and rotate them. Private parts are never printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from portula.plugin import console, nearest
from portula_jose.signing_keys import KeyRing
from portula_jose.stored_keys import State

if TYPE_CHECKING:
    from portula import Provider
    from portula_jose.jose import SigningRoom

COLUMNS = {
    "kid": "Key",
    "algorithms": "Algorithms",
    "state": "State",
    "from": "From",
    "until": "Until",
}
"""What the table of a list shows."""


def keys_group(provider: Provider, jose: SigningRoom) -> click.Group:
    """Make the group `keys` for one provider."""

    @click.group("keys")
    def keys() -> None:
        """Keys that sign tokens, and that decrypt them."""

    status = _status(provider, jose)
    keys.add_command(status)
    keys.add_command(status, "list")

    keys.add_command(_show(jose))
    keys.add_command(_forget(jose))

    @keys.command()
    @click.option("--algorithm", help="Rotate the key of this algorithm only, e.g. RS256.")
    @click.option(
        "--now", "at_once", is_flag=True, help="Sign with it at once, although others may not know it yet."
    )
    @console.json_option
    def rotate(*, algorithm: str | None, at_once: bool, as_json: bool) -> None:
        """Make the next keys: published now, signing once everybody has had time to see them.

        A key that decrypts takes over then from the one before, which is no longer published and still decrypts.
        Repeating it changes nothing while a key waits already.
        """
        ring = _ring(jose)
        known = list(ring.names)
        if algorithm is not None and algorithm not in known:
            raise click.ClickException(f"no key is generated for {algorithm}; there are: {', '.join(known)}")
        made = [ring.rotate(name, at_once=at_once) for name in ([algorithm] if algorithm else known)]
        if as_json:
            click.echo(json.dumps(rows_of(jose), indent=2))
            return
        for stored in made:
            waits = stored.signs_from > provider.now()
            when = f"from {console.shown_time(stored.signs_from)}" if waits else "now"
            does = "signs" if stored.public.use == "sig" else "takes over"
            click.echo(f"{stored.algorithm}  {stored.public.kid}  {does} {when}")

    return keys


def _status(provider: Provider, jose: SigningRoom) -> click.Command:
    @click.command("status")
    @console.json_option
    def status(*, as_json: bool) -> None:
        """List the keys: what each signs or decrypts, and since or until when."""
        held = jose.ring.ring() if jose.ring else None
        whose = f"of the issuer {provider.issuer} " if provider.issuer else ""
        none = f"No key {whose}has been needed yet; the first is made when something is signed or published."
        if held is not None and held.locked:
            click.echo(f"{held.locked_text}; put the former key back into the list.", err=True)
            none = f"No key {whose}can be opened."
        console.print_rows(rows_of(jose), COLUMNS, as_json=as_json, none=none)

    return status


def _show(jose: SigningRoom) -> click.Command:
    @click.command("show", context_settings=console.NAMES)
    @click.argument("kid")
    @console.json_option
    def show(kid: str, *, as_json: bool) -> None:
        """Show one published key with its public members (RFC 7517 §4), e.g. for a list of somebody else's."""
        rows = {row["kid"]: row for row in rows_of(jose)}
        if kid not in rows:
            raise click.ClickException(f"no key {kid!r} is published{nearest(kid, rows)}")
        public = next(filter(None, (source.find(kid) for source in jose.sources)), None)
        console.print_record({**rows[kid], "jwk": public and public.jwk}, as_json=as_json)

    return show


def _forget(jose: SigningRoom) -> click.Command:
    @click.command("forget")
    @console.yes_option
    @console.json_option
    def forget(*, yes: bool, as_json: bool) -> None:
        """Remove for good the keys that cannot be opened, where the secret key that they were kept under is lost."""
        ring = _ring(jose)
        held = ring.read()
        if held.locked:
            console.confirm(f"{held.locked_text}. Remove them for good?", yes=yes)
        console.print_record({"removed": ring.forget()}, as_json=as_json)

    return forget


def _ring(jose: SigningRoom) -> KeyRing:
    if jose.ring is None:
        raise click.ClickException(
            "the keys are not ours to rotate: they come from OIDC_RSA_PRIVATE_KEY or a signer. Put a new key into "
            "OIDC_RSA_PRIVATE_KEYS_INACTIVE, wait for OIDC_JWKS_MAX_AGE_SECONDS twice, then let the two change places."
        )
    return jose.ring


def rows_of(jose: SigningRoom) -> list[dict[str, Any]]:
    """Return what is shown of each published key."""
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
                for placed in source.placed_keys()
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
            for key in source.published_keys()
        ]
    return rows
