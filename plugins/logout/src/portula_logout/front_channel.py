"""Frames in the person's browser that tell apps of a logout (OpenID Connect Front-Channel Logout §3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from portula.plugin import origin_of
from portula_logout import metadata, participants
from portula_logout.registration import FRONTCHANNEL_URI
from portula_logout.settings import LogoutSettings

if TYPE_CHECKING:
    from flask import Response

    from portula import Provider

MAX_FRAMES = 50
"""A page with more would not have loaded them before it goes on."""


@dataclass(frozen=True, slots=True)
class Frames:
    """Addresses to open, each once."""

    urls: tuple[str, ...] = ()

    @property
    def origins(self) -> str:
        """Where they lead, for a Content-Security-Policy."""
        return " ".join(sorted({origin_of(url) or "" for url in self.urls}))


def frames_of(provider: Provider, sid: str | None) -> Frames:
    """Return the frames for the apps of a session; to be asked before it ends."""
    if sid is None or not metadata.front_channel(provider):
        return Frames()
    urls = [
        _with_session(app.client.metadata[FRONTCHANNEL_URI], app.issuer, app.sid)
        for app in participants.of_session(provider, sid)
        if origin_of(app.client.metadata.get(FRONTCHANNEL_URI, "")) and not app.client.disabled
    ]
    return Frames(tuple(urls[:MAX_FRAMES]))


def page(provider: Provider, frames: Frames, app: str | None, onward: str | None) -> Response:
    """Return the page with the frames; it goes on by itself to an address, if there is one.

    A frame may be redirected within its app, and nowhere else: frame-src names the origins of the apps.
    """
    pages = provider.pages
    seconds = provider.settings(LogoutSettings).OIDC_FRONTCHANNEL_LOGOUT_SECONDS
    response = pages.render(
        "portula_logout/signed_out.html",
        app=app,
        onward=onward,
        frames=frames.urls,
        seconds=seconds,
        logout_static=f"{provider.name}_logout.static",
    )
    policy = response.headers["Content-Security-Policy"]
    response.headers["Content-Security-Policy"] = f"{policy}; script-src 'self'; frame-src {frames.origins}"
    return response


def _with_session(uri: str, issuer: str, sid: str) -> str:
    """Add iss and sid (§3), which is what every app may ask for, and keep the query that was registered."""
    separator = "&" if "?" in uri else "?"
    return f"{uri}{separator}{urlencode({'iss': issuer, 'sid': sid})}"
