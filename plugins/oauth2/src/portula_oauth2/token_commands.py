"""`portula tokens`: what people allowed clients, by authorization, and access tokens. No token is ever printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from portula.errors import UnknownClient, UnknownPerson
from portula.plugin import (
    AccessToken,
    Authorization,
    console,
    find_person,
    is_revoked,
    revoke_authorization,
    revoke_client,
    revoke_person,
    tell_revocation,
)
from portula_oauth2.access_tokens import find_token, revoke_token, token_facts, use_of

if TYPE_CHECKING:
    from portula import Provider

COLUMNS = {
    "id": "Authorization",
    "client_id": "Client",
    "subject": "Subject",
    "scope": "Scope",
    "issued_at": "Issued",
    "state": "State",
}
"""What the table of a list shows."""
TOKEN_COLUMNS = {
    "issued_at": "Issued",
    "expires_at": "Expires",
    "scope": "Scope",
    "audience": "For",
    "bound_to": "Bound to",
    "state": "State",
}
"""What the table of the access tokens of one authorization shows."""
MAX_SHOWN = 100
"""Access tokens of one authorization that are shown."""

_user_option = click.option("--user", help="Name or subject of the person who allowed it.")
_client_option = click.option("--client", "client_id", help="Client that was allowed it.")


def make_tokens_group(provider: Provider) -> click.Group:
    """Return the group for one provider."""

    @click.group("tokens")
    def tokens() -> None:
        """Authorizations: each joins the tokens that came of one decision of a person.

        Access tokens of one client, its own too, are listed by `clients tokens`.
        """

    tokens.add_command(_list(provider))
    tokens.add_command(_show(provider))
    tokens.add_command(_revoke(provider))
    return tokens


def _list(provider: Provider) -> click.Command:
    @click.command("list")
    @_user_option
    @_client_option
    @console.page_options("authorization")
    @console.json_option
    def list_tokens(
        user: str | None, client_id: str | None, limit: int, after: str | None, *, as_json: bool
    ) -> None:
        """List the authorizations of a person, of a client, or all, the newest first."""
        if user is not None and client_id is not None:
            raise click.UsageError("--user and --client exclude each other here")
        if not provider.storage.walks(Authorization):
            raise click.ClickException("the store of authorizations cannot walk along time, as a list does")
        where = _where(provider, user, client_id)
        last = None if after is None else _authorization(provider, after)
        place = None if last is None else (last.issued_at, last.id)
        walk = provider.storage.walk
        page = walk(Authorization, "issued_at", descending=True, limit=limit, after=place, **where)
        rows = [facts_of(provider, each) for each in page]
        none = "There is no authorization."
        console.print_page(rows, COLUMNS, limit=limit, key="id", as_json=as_json, none=none)

    return list_tokens


def _show(provider: Provider) -> click.Command:
    @click.command("show", context_settings=console.NAMES)
    @click.argument("identifier", metavar="AUTHORIZATION")
    @console.json_option
    def show(identifier: str, *, as_json: bool) -> None:
        """Show an authorization and the times of its access tokens, or one access token; never a token or a digest."""
        found, now = _find(provider, identifier), provider.now()
        if isinstance(found, AccessToken):
            console.print_record(token_facts(provider, [found])[0], as_json=as_json)
            return
        tokens = provider.storage.select(AccessToken, limit=MAX_SHOWN, authorization=identifier)
        rows = [
            {
                "scope": token.scope,
                **use_of(provider, token, token.audience, "audience"),
                "issued_at": token.issued_at,
                "expires_at": token.expires_at,
                "revoked_at": token.revoked_at,
                "state": "revoked" if is_revoked(provider, found) else _state(token, now),
            }
            for token in sorted(tokens, key=lambda token: token.issued_at)
        ]
        facts = facts_of(provider, found)
        if as_json:
            console.print_record({**facts, "access_tokens": rows}, as_json=True)
            return
        console.print_record(facts, as_json=False)
        click.echo("Access tokens:")
        console.print_rows(rows, TOKEN_COLUMNS, as_json=False)

    return show


def _revoke(provider: Provider) -> click.Command:
    @click.command("revoke", context_settings=console.NAMES)
    @click.argument("identifiers", nargs=-1, metavar="[AUTHORIZATION]...")
    @_user_option
    @_client_option
    @console.yes_option
    @console.json_option
    def revoke(
        identifiers: tuple[str, ...], user: str | None, client_id: str | None, *, yes: bool, as_json: bool
    ) -> None:
        """End authorizations, with all their tokens: those named, or all of a person, of a client, or of both.

        One access token is named by the ID that `clients tokens` prints, and ends alone.
        """
        chosen = user is not None or client_id is not None
        if bool(identifiers) == chosen:
            raise click.UsageError("name authorizations, or say whose: --user, --client, or both")
        where = _where(provider, user, client_id)
        found = [_find(provider, each) for each in identifiers]
        whose = " and ".join(f"{name} {value!r}" for name, value in where.items()) or f"{len(found)} named"
        console.confirm(f"Revoke all tokens of {whose}?", yes=yes)
        if found:
            revoked = sum(
                revoke_token(provider, each) if isinstance(each, AccessToken) else revoke_one(provider, each)
                for each in found
            )
        elif "subject" in where:
            revoked = revoke_person(provider, where["subject"], client_id=where.get("client_id"))
        elif provider.storage.walks(Authorization):
            revoked = revoke_client(provider, where["client_id"])
        else:
            raise click.ClickException("the store of authorizations cannot walk along those of a client")
        if as_json:
            console.print_record({"revoked": revoked}, as_json=True)
        else:
            click.echo(f"Revoked {revoked}.")

    return revoke


def _where(provider: Provider, user: str | None, client_id: str | None) -> dict[str, str]:
    """Return whose authorizations are meant; somebody the login does not know any more is told by the subject."""
    where: dict[str, str] = {}
    if user is not None:
        where["subject"] = _subject(provider, user)
    if client_id is not None:
        try:
            provider.clients.check_name(client_id)
        except UnknownClient as error:
            raise click.ClickException(str(error)) from None
        where["client_id"] = client_id
    return where


def _subject(provider: Provider, user: str) -> str:
    try:
        return find_person(provider, user).subject
    except UnknownPerson as error:
        if provider.storage.select(Authorization, limit=1, subject=user):
            return user
        raise click.ClickException(str(error)) from None


def _authorization(provider: Provider, identifier: str) -> Authorization:
    found = _find(provider, identifier)
    if isinstance(found, AccessToken):
        raise click.ClickException(f"{identifier!r} is an access token; the list is one of authorizations")
    return found


def _find(provider: Provider, identifier: str) -> Authorization | AccessToken:
    found = provider.storage.find(Authorization, id=identifier) or find_token(provider, identifier)
    if found is None:
        raise click.ClickException(f"there is no authorization and no access token {identifier!r}")
    return found


def revoke_one(provider: Provider, authorization: Authorization) -> bool:
    """Revoke an authorization and tell the listeners; say whether it was not revoked before."""
    revoked = revoke_authorization(provider, authorization.id)
    if revoked:
        tell_revocation(provider, authorization)
    return revoked


def facts_of(provider: Provider, authorization: Authorization) -> dict[str, Any]:
    """Return what is shown of an authorization."""
    return {
        "id": authorization.id,
        "client_id": authorization.client_id,
        "subject": authorization.subject,
        "scope": authorization.scope,
        **use_of(provider, authorization, authorization.resources, "resources"),
        "issued_at": authorization.issued_at,
        "auth_time": authorization.auth_time,
        "amr": list(authorization.amr),
        "expires_at": authorization.expires_at,
        "revoked_at": authorization.revoked_at,
        "state": _state(authorization, provider.now()),
    }


def _state(record: Authorization | AccessToken, now: int) -> str:
    if record.revoked_at is not None:
        return "revoked"
    return "expired" if record.expires_at is not None and record.expires_at <= now else "live"
