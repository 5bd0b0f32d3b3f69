"""Browsers at which a person has signed in before: strangers' failures keep nobody from their own account there.

A cookie says so, under a MAC; it is worth nothing but attempts of its own (OWASP, Slow Down Online Guessing Attacks
with Device Cookies).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import request

if TYPE_CHECKING:
    from flask import Response

    from portula import Provider

COOKIE = "known"
COOKIE_SECONDS = 365 * 24 * 3600
_PURPOSE = "known browser"


def known_browser(provider: Provider, username: str) -> str | None:
    """Return what tells this browser from others if the person of this name signed in at it before; else None."""
    value = request.cookies.get(provider.pages.cookie_name(COOKIE), "")
    number, _, mac = value.partition(".")
    return number if mac and provider.keys.verify(_PURPOSE, f"{number}\0{username}", mac) else None


def remember_browser(provider: Provider, username: str, response: Response) -> None:
    """Let a browser keep that the person of this name signed in at it; the last person is remembered."""
    number = known_browser(provider, username) or secrets.token_urlsafe(16)
    mac = provider.keys.digest(_PURPOSE, f"{number}\0{username}")
    provider.pages.set_cookie(response, COOKIE, f"{number}.{mac}", COOKIE_SECONDS)
