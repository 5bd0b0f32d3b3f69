"""`portula createuser`, `changepassword`, `disableuser`, and the demo user."""

from __future__ import annotations

import json
import secrets
import sys
from typing import TYPE_CHECKING, Any, TextIO

import click

from portula_accounts.records import User
from portula_accounts.users import UserError, Users

if TYPE_CHECKING:
    from collections.abc import Mapping

DEMO_USERNAME = "demo"
DEMO_PASSWORD_BYTES = 12

Claims = dict[str, Any]
"""Claims about a person by name (OpenID Connect Core §5.1)."""

_password_stdin = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def _claims(_context: click.Context, _parameter: click.Parameter, value: str | TextIO | None) -> Claims:
    """Read claims (OpenID Connect Core §5.1)."""
    text = value if isinstance(value, str | None) else value.read()
    try:
        claims = json.loads(text or "{}")
    except ValueError as error:
        raise click.BadParameter(f"no JSON: {error}") from None
    if not isinstance(claims, dict):
        raise click.BadParameter("claims are a JSON object")
    return claims


_claims_option = click.option("--claims", callback=_claims, help="Further claims, a JSON object.")
_claims_file_option = click.option(
    "--claims-file", type=click.File(), callback=_claims, help="The same, from a file."
)


def _joined(further: Mapping[str, Claims]) -> Claims:
    """Join the claims of both options; those on the command line count."""
    return {**further["claims_file"], **further["claims"]}


def make_commands(users: Users) -> list[click.Command]:
    """Return the commands that manage one provider's people."""

    @click.command("createuser")
    @click.argument("name")
    @_password_stdin
    @click.option("--email", help="E-mail address.")
    @click.option("--admin", is_flag=True, help="Let the user administer the provider.")
    @_claims_option
    @_claims_file_option
    @_as_json
    def create_user(
        name: str, email: str | None, *, password_stdin: bool, admin: bool, as_json: bool, **further: Claims
    ) -> None:
        """Make an account for NAME."""
        password = _password(from_stdin=password_stdin)
        try:
            user = users.create(name, password, email=email, is_admin=admin, claims=_joined(further))
        except UserError as error:
            raise click.ClickException(str(error)) from None
        _say("Created", user, as_json=as_json)

    @click.command("changepassword")
    @click.argument("name")
    @_password_stdin
    @_as_json
    def change_password(name: str, *, password_stdin: bool, as_json: bool) -> None:
        """Give NAME another password and end their sessions."""
        user = _named(users, name)
        try:
            users.set_password(user, _password(from_stdin=password_stdin))
        except UserError as error:
            raise click.ClickException(str(error)) from None
        _say("Changed the password of", user, as_json=as_json)

    @click.command("disableuser")
    @click.argument("name")
    @_as_json
    def disable_user(name: str, *, as_json: bool) -> None:
        """Shut NAME out at once: no sign-in, no session, no token."""
        user = _named(users, name)
        users.disable(user)
        _say("Disabled", user, as_json=as_json)

    return [create_user, change_password, disable_user]


def make_demo_user(users: Users) -> Mapping[str, str]:
    """Make or refresh the demo user, who may do everything; return what to print."""
    password = secrets.token_urlsafe(DEMO_PASSWORD_BYTES)
    user = users.named(DEMO_USERNAME)
    if user is None:
        users.create(DEMO_USERNAME, password, is_admin=True)
    else:
        users.set_password(user, password)
        users.promote(user)
    return {"Demo user": DEMO_USERNAME, "Demo password": password}


def _named(users: Users, name: str) -> User:
    user = users.named(name)
    if user is None:
        raise click.ClickException(f"There is no user named {name!r}.")
    return user


def _password(*, from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return typed


def _say(done: str, user: User, *, as_json: bool) -> None:
    if as_json:
        shown = {
            "sub": user.sub,
            "username": user.display_username,
            "email": user.email,
            "is_admin": user.is_admin,
        }
        click.echo(json.dumps(shown))
    else:
        click.echo(f"{done} {user.display_username} ({user.sub}).")
