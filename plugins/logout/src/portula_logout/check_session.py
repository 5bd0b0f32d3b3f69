"""The page that apps put in a frame to ask whether a session is still the same (Session Management §3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from portula_logout.browser_state import cookie_name

if TYPE_CHECKING:
    from portula import Provider

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'"
"""Without frame-ancestors: every app may frame this page. It shows nothing, and has nothing to click on."""


def add_check_session(blueprint: Blueprint, provider: Provider) -> None:
    """Add the page."""

    def check_session() -> Response:
        page = provider.pages.render(
            "portula_logout/check_session.html",
            cookie=cookie_name(provider),
            logout_static=f"{provider.name}_logout.static",
        )
        page.headers["Content-Security-Policy"] = POLICY
        del page.headers["X-Frame-Options"]
        return page

    for rule in ("/session/check/", "/session/check"):
        blueprint.add_url_rule(rule, "check_session", check_session, strict_slashes=True)
