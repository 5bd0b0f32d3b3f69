"""The user record."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from portula import plugin
from portula.plugin import RecordType


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with an account here."""

    sub: str
    """Subject: 32 random hexadecimal digits, or what apps knew the person by before; never given to anybody else."""
    realm: str = ""
    username: str
    """As compared: NFKC, case folded."""
    display_username: str
    """As typed when the account was made."""
    password_hash: str = field(repr=False)
    email: str | None = None
    is_admin: bool = False
    disabled: bool = False
    created_at: int = 0
    updated_at: int = 0
    claims: dict[str, Any] = field(default_factory=dict)
    """Further claims about the person (OpenID Connect Core §5.1)."""

    def as_seen(self) -> plugin.User:
        """Return the person as the provider sees them."""
        claims: dict[str, Any] = {
            "name": self.display_username,
            "preferred_username": self.display_username,
            "updated_at": self.updated_at,
            **self.claims,
        }
        if self.email is not None:
            claims["email"] = self.email
        return plugin.User(
            self.sub, self.display_username, active=not self.disabled, is_admin=self.is_admin, claims=claims
        )


USER_RECORD = RecordType("user", User, keys=("sub", "username"), orders=(("username",),))
