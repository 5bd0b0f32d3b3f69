"""People of the provider's own: a user table, sign-in and sign-out pages, a limit on failed sign-ins.

Sources: RFC 9106 (argon2id), RFC 8265 (names and passwords), OWASP's Authentication Cheat Sheet.
It never says whether a name exists, never sends a browser to another site, and never keeps or logs a password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula_accounts.administering import UserRecords
from portula_accounts.checks import portula_checks
from portula_accounts.commands import make_commands, make_demo_user
from portula_accounts.endpoint import make_mount
from portula_accounts.login import AccountsLogin
from portula_accounts.records import USER_RECORD
from portula_accounts.settings import AccountsSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click

    from portula import Provider
    from portula.plugin import Mount, RecordType

__all__ = ["portula_checks"]
__version__ = "0.1.0"


def _own(provider: Provider) -> AccountsLogin | None:
    """Return our login if it won its slot: a room that lost leaves no pages, tables or commands behind."""
    login = provider.hooks.ruling(Plugin.portula_login).answer
    return login if isinstance(login, AccountsLogin) else None


@hookimpl
def portula_settings(provider: Provider) -> list[type[AccountsSettings]]:
    """Password hashing, limits, and where people land."""
    return [AccountsSettings]


@hookimpl
def portula_login(provider: Provider) -> AccountsLogin:
    """Sign people in against our table."""
    return AccountsLogin(provider)


@hookimpl
def portula_records(provider: Provider) -> list[RecordType]:
    return [USER_RECORD] if _own(provider) else []


@hookimpl
def portula_blueprints(provider: Provider) -> list[Mount]:
    """Pages below ACCOUNTS_PATH."""
    login = _own(provider)
    return [make_mount(provider, login)] if login else []


@hookimpl
def portula_commands(provider: Provider) -> list[click.Command]:
    """The group `users`; createuser, changepassword, disableuser."""
    login = _own(provider)
    return make_commands(provider, login.users) if login else []


@hookimpl
def portula_admin_records(provider: Provider) -> list[UserRecords]:
    """People, in the pages of administrators."""
    login = _own(provider)
    return [UserRecords(provider, login.users)] if login else []


@hookimpl
def portula_demo(provider: Provider) -> Mapping[str, str]:
    """A user to try the provider with."""
    login = _own(provider)
    return make_demo_user(login.users) if login else {}
