"""Names browsers by their User-Agent, for lists of sessions; nothing here proves anything."""

from __future__ import annotations

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
"""Marks in a User-Agent, those first that come along with others: every browser claims to be some older one too."""

SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)

UNKNOWN = "Unknown browser"
MAX_NAME_CHARACTERS = 40


def device_name(agent: str) -> str:
    """Return a short name such as `Firefox on Linux`; of a program that is no browser, what it calls itself."""
    system = _first(SYSTEMS, agent)
    browser = _first(BROWSERS, agent)
    if browser is None:
        product = agent.partition("/")[0].strip()
        browser = product[:MAX_NAME_CHARACTERS] if product and not agent.startswith("Mozilla/") else UNKNOWN
    return f"{browser} on {system}" if system else browser


def _first(marks: tuple[tuple[str, str], ...], agent: str) -> str | None:
    return next((name for mark, name in marks if mark in agent), None)
