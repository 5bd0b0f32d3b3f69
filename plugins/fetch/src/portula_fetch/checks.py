"""Findings of `portula check` about outgoing requests."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Finding, Level
from portula_fetch.addresses import AllowedAddresses
from portula_fetch.settings import FetchSettings

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Return the findings about the settings of this room."""
    return list(_findings(provider.settings(FetchSettings)))


def _findings(settings: FetchSettings) -> Iterator[Finding]:
    wide = [
        network
        for network in AllowedAddresses.of(settings.FETCH_ALLOWED_PRIVATE_HOSTS).networks
        if network.num_addresses > 1
    ]
    if wide:
        yield Finding(
            "fetch.private-networks",
            Level.WARNING,
            f"Whoever registers a client may have these networks asked: {', '.join(map(str, wide))}.",
            "Name the hosts in FETCH_ALLOWED_PRIVATE_HOSTS instead of networks.",
            "RFC 7591 §5",
        )
    places = ssl.get_default_verify_paths()
    if settings.FETCH_CA_BUNDLE is None and not (places.cafile or places.capath):
        yield Finding(
            "fetch.no-authorities",
            Level.ERROR,
            "This machine trusts no certificate authority, so that no other server can be asked.",
            "Install the certificates of your system (ca-certificates), or set FETCH_CA_BUNDLE.",
            "RFC 9525",
        )
