"""Which URLs may be a client_id; they are compared as they are written.

Source: draft-ietf-oauth-client-id-metadata-document §3.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from portula.plugin import is_loopback_host, origin_of

MAX_CHARACTERS = 255
"""As of any client_id here."""


def is_url(client_id: str) -> bool:
    """Say whether a client_id is a URL at all; generated ones never are."""
    return client_id.startswith(("https://", "http://"))


def url_problem(url: str, *, allow_loopback: bool = False) -> str | None:
    """Return why a URL can be no client_id; None when nothing is wrong with it.

    Dot segments, also percent-encoded ones, are refused rather than resolved, so that one document has one name.
    """
    if len(url) > MAX_CHARACTERS or any(not "!" <= each <= "~" or each in '\\"<>' for each in url):
        return "has characters that no URL has, or too many"
    if origin_of(url) is None:
        return "is no https URL without user"
    parts = urlsplit(url)
    loopback = allow_loopback and is_loopback_host(parts.hostname or "")
    segments = [segment.lower().replace("%2e", ".") for segment in parts.path.split("/")]
    problems = {
        "is no https URL": not url.startswith(("https://", "http://") if loopback else "https://"),
        "has a fragment or a query": "#" in url or "?" in url,
        "has no path": not parts.path.startswith("/") or parts.path == "/",
        "has a dot segment": "." in segments or ".." in segments,
    }
    return next((problem for problem, found in problems.items() if found), None)
