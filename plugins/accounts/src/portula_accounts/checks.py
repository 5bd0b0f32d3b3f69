"""Findings of `portula check` about accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.plugin import Finding, Level
from portula_accounts.login import AccountsLogin
from portula_accounts.settings import AccountsSettings

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Return the findings about the settings of this room, unless another login is in its place."""
    profile = provider.settings(AccountsSettings).PASSWORD_HASH_PROFILE
    if profile != "testing" or not isinstance(provider.hooks.ask(Plugin.portula_login), AccountsLogin):
        return []
    return [
        Finding(
            "accounts.hash-profile",
            Level.ERROR,
            "Passwords are hashed with parameters that protect nothing.",
            "Remove PASSWORD_HASH_PROFILE; each password is hashed anew at its next sign-in.",
            "RFC 9106 §4",
        )
    ]
