"""The browser state: a cookie that changes with the login session (OpenID Connect Session Management §3).

The cookie holds a keyed digest of the session's identifier. Scripts of our own frame read it, and it comes along within
frames of other sites; it opens nothing, and tells nobody who is signed in.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from flask import Response, after_this_request, has_request_context, request

from portula.plugin import exchange_of, origin_of
from portula_logout import metadata

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import OAuthRequest

PURPOSE = "browser-state"
COOKIE = "browser_state"
SALT_BYTES = 16


def members(provider: Provider, authorization_request: OAuthRequest) -> dict[str, str]:
    """Return the session_state of an answer (§2), and give the browser the cookie that it is made of.

    There is none for an app that no browser could frame, since its redirect URI has no origin.
    """
    authorization = exchange_of(authorization_request, provider).authorization
    sid, origin = (
        authorization.sid if authorization else None,
        origin_of(_redirect_uri(authorization_request)),
    )
    if not metadata.session_management(provider) or "openid" not in (authorization_request.scopes or ()):
        return {}
    if sid is None or origin is None:
        return {}
    state, salt = _state(provider, sid), secrets.token_hex(SALT_BYTES)
    digest = hashlib.sha256(f"{authorization_request.client_id} {origin} {state} {salt}".encode()).hexdigest()
    return {"session_state": f"{digest}.{salt}"}


def forget(provider: Provider, sid: str) -> None:
    """Take the cookie away from the browser whose session ends, if it is the one that asks."""
    if not metadata.session_management(provider) or not has_request_context():
        return
    held = request.cookies.get(cookie_name(provider))
    if held and provider.keys.verify(PURPOSE, sid, held):
        _send(provider, "", 0)


def cookie_name(provider: Provider) -> str:
    """Return the name of the cookie."""
    return provider.pages.cookie_name(COOKIE)


def _redirect_uri(authorization_request: OAuthRequest) -> str:
    return (
        authorization_request.redirect_uri
        or (authorization_request.client.default_redirect_uri if authorization_request.client else "")
        or ""
    )


def _state(provider: Provider, sid: str) -> str:
    """Return what the browser holds, or else give it the state of its session."""
    held = request.cookies.get(cookie_name(provider), "")
    if held and provider.keys.verify(PURPOSE, sid, held):
        return held
    state = provider.keys.digest(PURPOSE, sid)
    _send(provider, state, None)
    return state


def _send(provider: Provider, value: str, max_age: int | None) -> None:
    @after_this_request
    def send(response: Response) -> Response:
        secure = provider.secure_cookies
        response.set_cookie(
            cookie_name(provider),
            value,
            max_age=max_age,
            path="/",
            secure=secure,
            httponly=False,
            samesite="None" if secure else "Lax",  # browsers take None over https only
        )
        return response
