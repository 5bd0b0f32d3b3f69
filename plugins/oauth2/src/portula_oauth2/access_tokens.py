"""Access tokens as commands show and end them, by an ID that is no help to find the token: how its digest begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from portula.errors import UnknownClient
from portula.plugin import (
    AccessToken,
    Authorization,
    Plan,
    consent_items_of,
    console,
    is_revoked,
    tell_revocation,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portula import Provider

ID_CHARACTERS = 12
"""Of a digest: 72 bits, which tell a token from all others. The pages of administrators show the same ones."""
COLUMNS = {
    "id": "Token",
    "authorization": "Authorization",
    "subject": "Subject",
    "scope": "Scope",
    "issued_at": "Issued",
    "expires_at": "Expires",
    "state": "State",
}
"""What the table of a list shows."""


def list_command(provider: Provider) -> click.Command:
    """Return the command `tokens` of the group `clients`."""

    @click.command("tokens")
    @click.argument("client_id")
    @console.page_options("token")
    @console.json_option
    def tokens(client_id: str, limit: int, after: str | None, *, as_json: bool) -> None:
        """List the access tokens of a client, the newest first: its own (client credentials) and those of people.

        `tokens show` and `tokens revoke` take their IDs. No token is printed, nor could it be.
        """
        try:
            provider.clients.check_name(client_id)
        except UnknownClient as error:
            raise click.ClickException(str(error)) from None
        if not provider.storage.walks(AccessToken):
            raise click.ClickException("the store of access tokens cannot walk along time, as a list does")
        last = None if after is None else find_token(provider, after)
        if after is not None and last is None:
            raise click.ClickException(f"there is no access token {after!r}")
        place = None if last is None else (last.issued_at, last.digest)
        page = provider.storage.walk(
            AccessToken, "issued_at", descending=True, limit=limit, after=place, client_id=client_id
        )
        rows = token_facts(provider, page)
        none = "There is no access token."
        console.print_page(rows, COLUMNS, limit=limit, key="id", as_json=as_json, none=none)

    return tokens


def find_token(provider: Provider, identifier: str) -> AccessToken | None:
    """Return the access token of this ID; None when there is none, or the store cannot look for one."""
    if not identifier or not provider.storage.walks(AccessToken):
        return None
    found = provider.storage.walk(AccessToken, "digest", prefix=identifier, limit=2)
    return found[0] if len(found) == 1 and found[0].digest[:ID_CHARACTERS] == identifier else None


def token_facts(provider: Provider, tokens: Sequence[AccessToken]) -> list[dict[str, Any]]:
    """Return what is shown of access tokens; their authorizations are read in one go."""
    named = tuple({token.authorization for token in tokens if token.authorization is not None})
    found = provider.storage.select(Authorization, limit=len(named), id=named) if named else []
    live = {each.id for each in found if not is_revoked(provider, each)}
    return [
        {
            "id": token.digest[:ID_CHARACTERS],
            "client_id": token.client_id,
            "authorization": token.authorization,
            "subject": token.subject,
            "scope": token.scope,
            **use_of(provider, token, token.audience, "audience"),
            "issued_at": token.issued_at,
            "expires_at": token.expires_at,
            "revoked_at": token.revoked_at,
            "state": "revoked"
            if token.revoked_at is not None or token.authorization not in {None, *live}
            else "expired"
            if token.expires_at <= provider.now()
            else "live",
        }
        for token in tokens
    ]


def use_of(
    provider: Provider, record: Authorization | AccessToken, servers: Sequence[str], named: str
) -> dict[str, Any]:
    """Return what an authorization or a token allows besides scopes, at which servers, and what it is bound to.

    Args:
        provider: whose plugins say it in words.
        record: the authorization or the token.
        servers: where it may be used; empty for anywhere.
        named: what the record calls those.
    """
    return {
        "allows": [item.line for item in consent_items_of(provider, record)],
        named: list(servers),
        "bound_to": provider.token_presentations.bindings(record.confirmation),
    }


def revoke_token(provider: Provider, token: AccessToken) -> bool:
    """Revoke an access token alone and tell the listeners; say whether it was not revoked before."""
    plan = Plan()
    where = {"digest": token.digest, "revoked_at": None}
    part = plan.change_all(AccessToken, where, revoked_at=provider.now())
    revoked = bool(provider.storage.apply(plan)[part])
    if revoked:
        tell_revocation(provider, token)
    return revoked
