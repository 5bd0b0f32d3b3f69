"""Asks other servers, for every room: documents of clients, their keys, and notices sent to them (attack S54).

Sources: RFC 9110, RFC 9525 (server names in certificates), the IANA registries of special-purpose addresses, RFC 6890.
It never speaks http, never follows a redirect, and never connects to an address that it has not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula_fetch.checks import portula_checks
from portula_fetch.fetcher import SafeFetcher
from portula_fetch.settings import FetchSettings

if TYPE_CHECKING:
    from portula import Provider

__all__ = ["portula_checks"]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[FetchSettings]]:
    """What may be asked, how long, and how often at once."""
    return [FetchSettings]


@hookimpl
def portula_fetcher(provider: Provider) -> SafeFetcher:
    """One fetcher a provider."""
    return SafeFetcher(provider.settings(FetchSettings), provider.now)
