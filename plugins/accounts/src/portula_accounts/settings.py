"""Settings of accounts."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FilePath

MAX_LINK_SECONDS = 30 * 24 * 3600
"""Seconds for which a link that sets a password counts at the most."""


class AccountsSettings(BaseModel):
    """How people sign in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    PASSWORD_HASH_PROFILE: Literal["rfc9106_low_memory", "rfc9106_high_memory", "owasp", "testing"] = (
        "rfc9106_low_memory"
    )
    """argon2id parameters for passwords: RFC 9106 §4 (64 MiB, or 2 GiB) or OWASP's Password Storage Cheat Sheet
    (19 MiB). A changed profile takes effect for each person at the next sign-in. `testing` is fast and protects
    nothing: never use it with passwords of people."""

    ACCOUNTS_PATH: str = Field(
        default="/accounts", pattern=r"^(/[A-Za-z0-9._~-]+)+$", max_length=255, examples=["/accounts"]
    )
    """Path below the root of the host where the pages stand. Of two providers in one app each needs its own."""

    LOGIN_REDIRECT_URL: str | None = Field(
        default=None, pattern=r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$", max_length=2048, examples=["/", "/home"]
    )
    """Path on this host where a person lands who signs in without having come from somewhere. None: the page at
    ACCOUNTS_PATH."""

    PASSWORD_BLOCKLIST_FILE: FilePath | None = None
    """File of passwords that nobody may choose, UTF-8, one a line, e.g. the most frequent of a breach; case does not
    count. It is read at start and held in memory. A list of words that such passwords are built around is always in
    force (NIST SP 800-63B-3 §5.1.1.2)."""

    PASSWORD_LINK_SECONDS: int = Field(default=24 * 3600, ge=60, le=MAX_LINK_SECONDS)
    """Seconds for which a link counts with which a person sets a password (`portula users password NAME --link`)."""

    LOGIN_FAILURE_WINDOW_SECONDS: int = Field(default=300, ge=1, le=24 * 3600)
    """Seconds for which a failed sign-in counts."""

    LOGIN_FAILURE_LIMIT: int = Field(default=5, ge=1, le=1000)
    """Failed sign-ins that one address (of IPv6, one /64) may have under one name within the window."""

    LOGIN_FAILURE_LIMIT_PER_ADDRESS: int = Field(default=50, ge=1, le=10_000)
    """Failed sign-ins that one address may have under all names within the window; after that there is a pause, which
    doubles with each further failure up to the window. Who signed in at a browser before is not held up there."""

    LOGIN_FAILURE_LIMIT_PER_USERNAME: int = Field(default=50, ge=1, le=10_000)
    """Failed sign-ins that one name may have from all addresses within the window; then as for addresses."""
