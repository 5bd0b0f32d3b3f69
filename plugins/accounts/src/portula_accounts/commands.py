"""`portula users`, with `createuser`, `changepassword` and `disableuser` by their old names; and the demo user."""

from __future__ import annotations

import json
import secrets
import warnings
from collections.abc import Callable
from dataclasses import replace
from getpass import GetPassWarning
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from portula.plugin import console, nearest
from portula_accounts.password_links import PasswordLinks
from portula_accounts.records import User
from portula_accounts.settings import MAX_LINK_SECONDS
from portula_accounts.users import UserError, Users, facts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portula import Provider

DEMO_USERNAME = "demo"
DEMO_PASSWORD_BYTES = 12

Claims = dict[str, Any]
"""Claims about a person by name (OpenID Connect Core §5.1)."""

COLUMNS = {
    "username": "Name",
    "email": "E-mail",
    "is_admin": "Admin",
    "disabled": "Disabled",
    "sub": "Subject",
}
"""What the table of a list shows."""

T = TypeVar("T")

_password_options = console.secret_options("password")


def _claims(_context: click.Context, _parameter: click.Parameter, value: str | TextIO | None) -> Claims:
    """Read claims (OpenID Connect Core §5.1)."""
    text = value if isinstance(value, str | None) else value.read()
    try:
        claims = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"no JSON: {error}") from None
    if not isinstance(claims, dict):
        raise click.BadParameter("claims are a JSON object")
    return claims


_claims_option = click.option("--claims", callback=_claims, help="Further claims, a JSON object.")
_claims_file_option = click.option(
    "--claims-file", type=click.File(), callback=_claims, help="The same, from a file."
)


def _join_claims(further: Mapping[str, Claims]) -> Claims:
    """Join the claims of both options; those on the command line count."""
    return {**further["claims_file"], **further["claims"]}


def make_commands(provider: Provider, users: Users) -> list[click.Command]:
    """Return the group `users`, and those of its commands that have a name of their own too."""
    create, password, disable = _create(users), _password_command(provider, users), _disable(users)

    @click.group("users")
    def group() -> None:
        """People with an account here."""

    group.add_command(_list(users))
    group.add_command(_show(users))
    group.add_command(create, "create")
    group.add_command(_set(users))
    group.add_command(_enable(users))
    group.add_command(disable, "disable")
    group.add_command(_remove(users))
    group.add_command(password, "password")
    return [group, create, password, disable]


def _list(users: Users) -> click.Command:
    @click.command("list")
    @console.page_options("name")
    @console.json_option
    def list_users(limit: int, after: str | None, *, as_json: bool) -> None:
        """List people in order of name."""
        rows = [facts_of(user) for user in users.page(limit=limit, after=after)]
        console.print_page(
            rows, COLUMNS, limit=limit, key="username", as_json=as_json, none="There is no user."
        )

    return list_users


def _show(users: Users) -> click.Command:
    @click.command("show")
    @click.argument("name")
    @console.json_option
    def show(name: str, *, as_json: bool) -> None:
        """Show everything about NAME (or a subject) but the password."""
        console.print_record(facts_of(_find_user(users, name)), as_json=as_json)

    return show


def _create(users: Users) -> click.Command:
    @click.command("createuser")
    @click.argument("name")
    @_password_options
    @click.option(
        "--subject",
        help="The subject (`sub`) that apps know the person by; a new one is drawn when left out.",
    )
    @click.option("--email", help="E-mail address.")
    @click.option("--admin", is_flag=True, help="Let the user administer the provider.")
    @_claims_option
    @_claims_file_option
    @console.json_option
    def create_user(
        name: str, subject: str | None, email: str | None, *, admin: bool, as_json: bool, **further: Any
    ) -> None:
        """Make an account for NAME."""
        password = _password(further)
        claims = _join_claims(further)
        user = _or_click_error(
            lambda: users.create(name, password, subject=subject, email=email, is_admin=admin, claims=claims)
        )
        _say("Created", user, as_json=as_json)

    return create_user


def _set(users: Users) -> click.Command:
    @click.command("set")
    @click.argument("name")
    @click.option("--name", "username", help="Another name to sign in with; the subject stays.")
    @click.option("--email", help='Another e-mail address; "" for none.')
    @click.option("--admin/--no-admin", default=None, help="Whether the user may administer the provider.")
    @_claims_option
    @_claims_file_option
    @console.json_option
    def set_user(
        name: str,
        username: str | None,
        email: str | None,
        *,
        admin: bool | None,
        as_json: bool,
        **further: Claims,
    ) -> None:
        """Change what is given about NAME, and nothing else.

        A claim that is given replaces the one of its name, and null takes it away. Sessions and tokens stay.
        """
        claims = _join_claims(further)
        if username is None and email is None and admin is None and not claims:
            raise click.UsageError("say what to change: --name, --email, --admin, --no-admin or --claims")
        user = _find_user(users, name)
        changed = _or_click_error(
            lambda: users.update(user, username=username, email=email, is_admin=admin, claims=claims)
        )
        _say("Changed", changed, as_json=as_json)

    return set_user


def _password_command(provider: Provider, users: Users) -> click.Command:
    links = PasswordLinks(provider, users)

    @click.command("changepassword")
    @click.argument("name")
    @_password_options
    @click.option(
        "--link", is_flag=True, help="Change nothing yet: print a link with which NAME sets one, once."
    )
    @click.option("--expires-in", type=click.IntRange(60, MAX_LINK_SECONDS), help="Seconds the link counts.")
    @console.json_option
    def change_password(
        name: str, *, link: bool, expires_in: int | None, as_json: bool, **password: str | None
    ) -> None:
        """Give NAME another password and end their sessions."""
        if link and any(password.values()):
            raise click.UsageError("--link sets no password, so none is read")
        if expires_in is not None and not link:
            raise click.UsageError("--expires-in is for --link")
        user = _find_user(users, name)
        if not link:
            _or_click_error(lambda: users.set_password(user, _password(password)))
            _say("Changed the password of", user, as_json=as_json)
            return
        if not provider.issuer:
            raise click.ClickException("the link needs a host: set OIDC_ISS_ENDPOINT")
        made = links.create(user, provider.root_of(provider.issuer), expires_in)
        click.echo(json.dumps({"sub": user.sub, "link": made}) if as_json else made)
        click.echo("The link is shown this once and kept only as a digest.", err=True)

    return change_password


def _enable(users: Users) -> click.Command:
    @click.command("enable")
    @click.argument("name")
    @console.json_option
    def enable(name: str, *, as_json: bool) -> None:
        """Let NAME sign in again; sessions and tokens that ended stay ended."""
        user = _find_user(users, name)
        users.enable(user)
        _say("Enabled", replace(user, disabled=False), as_json=as_json)

    return enable


def _disable(users: Users) -> click.Command:
    @click.command("disableuser")
    @click.argument("name")
    @console.json_option
    def disable_user(name: str, *, as_json: bool) -> None:
        """Shut NAME out at once: no sign-in, no session, no token; `users enable` is the inverse."""
        user = _find_user(users, name)
        users.disable(user)
        _say("Disabled", replace(user, disabled=True), as_json=as_json)

    return disable_user


def _remove(users: Users) -> click.Command:
    @click.command("remove")
    @click.argument("name")
    @console.yes_option
    @console.json_option
    def remove(name: str, *, yes: bool, as_json: bool) -> None:
        """Remove NAME for good, with sessions, tokens and connected apps; the subject is given to nobody else."""
        user = _find_user(users, name)
        console.confirm(f"Remove {user.display_username} ({user.sub}) for good?", yes=yes)
        users.remove(user)
        _say("Removed", user, as_json=as_json)

    return remove


def make_demo_user(users: Users) -> Mapping[str, str]:
    """Make or refresh the demo user, who may do everything; return what to print."""
    password = secrets.token_urlsafe(DEMO_PASSWORD_BYTES)
    user = users.find_by_name(DEMO_USERNAME)
    if user is None:
        users.create(DEMO_USERNAME, password, is_admin=True)
    else:
        users.set_password(user, password)
        users.promote(user)
    return {"Demo user": DEMO_USERNAME, "Demo password": password}


def _find_user(users: Users, name: str) -> User:
    user = users.find_by_name(name) or users.find(name)
    if user is None:
        raise click.ClickException(f"There is no user named {name!r}{nearest(name, users.near(name)) or '.'}")
    return user


def _or_click_error(change: Callable[[], T]) -> T:
    try:
        return change()
    except UserError as error:
        raise click.ClickException(str(error)) from None


def _password(given: dict[str, Any]) -> str:
    read = console.pop_secret(given, "password")
    if read is not None:
        return read
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            typed: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        except GetPassWarning:
            raise click.ClickException(
                "there is no terminal on which a password could be typed unseen; use --password-stdin"
            ) from None
    return typed


def _say(done: str, user: User, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(facts_of(user)))
    else:
        click.echo(f"{done} {user.display_username} ({user.sub}).")
