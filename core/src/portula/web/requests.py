"""The identifier of a request, and the address of its client, by the WSGI environment."""

from __future__ import annotations

import logging
import re
import secrets
from typing import TYPE_CHECKING, cast

from flask import current_app, has_app_context

from portula.model.requests import CurrentRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from portula.host.core_settings import CoreSettings

log = logging.getLogger("portula")

REQUEST_KEY = "portula.request"
"""Where a WSGI environment keeps its `CurrentRequest`."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9._~+/=:-]{1,128}")
_WARNED = "portula_forwarded_for"
_BRACKETED = re.compile(r"\[([^]]+)\](?::[0-9]+)?")


def request_of(environ: WSGIEnvironment, settings: CoreSettings) -> CurrentRequest:
    """Return what is known of a request, the same each time.

    Its identifier comes from REQUEST_ID_HEADER where there are trusted proxies, else it is made.
    """
    known = cast("CurrentRequest | None", environ.get(REQUEST_KEY))
    if known is None:
        header = f"HTTP_{settings.REQUEST_ID_HEADER.upper().replace('-', '_')}"
        given = environ.get(header, "") if settings.TRUSTED_PROXIES else ""
        identifier = given if _IDENTIFIER.fullmatch(given) else secrets.token_hex(8)
        address = client_address(environ, settings.TRUSTED_PROXIES)
        known = environ[REQUEST_KEY] = CurrentRequest(identifier, address)
    return known


def client_address(environ: WSGIEnvironment, proxies: int) -> str:
    """Return the address of the client, without port: what the outermost of `proxies` trusted proxies saw."""
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "")
    if forwarded and not proxies:
        _warn_of_proxy(str(environ.get("REMOTE_ADDR", "")))
        forwarded = ""
    hops = [
        *(hop.strip() for hop in forwarded.split(",") if hop.strip()),
        str(environ.get("REMOTE_ADDR", "")),
    ]
    return _without_port(hops[-min(len(hops), proxies + 1)])


def _warn_of_proxy(address: str) -> None:
    """Log, once an application, that a proxy seems to be there which nobody configured."""
    if has_app_context() and not current_app.extensions.get(_WARNED):
        current_app.extensions[_WARNED] = True
        log.warning(
            "X-Forwarded-For came from %s and is not looked at. If a proxy of yours wrote it, set TRUSTED_PROXIES = 1 "
            "(or how many there are): without it everybody behind the proxy counts as one address, and limits shut all "
            "of them out together.",
            address or "nowhere",
        )


def _without_port(hop: str) -> str:
    """Return an entry of X-Forwarded-For as an address: some proxies write the port, or brackets (RFC 7239 §6)."""
    node = hop.strip('"')
    bracketed = _BRACKETED.match(node)
    if bracketed:
        return bracketed[1]
    address, _, port = node.rpartition(":")
    return address if address and port.isdecimal() and ":" not in address else node
