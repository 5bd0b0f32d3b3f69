"""The sign-in form, and where it may lead."""

from __future__ import annotations

from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portula.plugin import PageForm
from portula_accounts.passwords import MAX_PASSWORD_BYTES
from portula_accounts.users import MAX_USERNAME_CHARACTERS

MAX_NEXT_CHARACTERS = 8192


class LoginForm(PageForm):
    """Name and password."""

    username = StringField(
        "User name", [InputRequired("Enter your user name."), Length(max=MAX_USERNAME_CHARACTERS)]
    )
    password = PasswordField(
        "Password", [InputRequired("Enter your password."), Length(max=MAX_PASSWORD_BYTES)]
    )
    next = HiddenField()


def same_origin_path(value: str | None) -> str | None:
    """Return a path on this host as it is, and None for everything a browser could take elsewhere (attack S13)."""
    if not value or len(value) > MAX_NEXT_CHARACTERS or not value.startswith("/") or value.startswith("//"):
        return None
    plain = value.isascii() and value.isprintable() and not any(character in value for character in " \\")
    return value if plain else None


def too_many(seconds: int) -> str:
    """Return what a person is told who has to wait."""
    minutes = -(-seconds // 60)
    return f"There were too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
