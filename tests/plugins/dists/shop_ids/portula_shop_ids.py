"""Identifiers and tokens that say where they come from, so that a leaked one is recognised."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import HashGenerator

if TYPE_CHECKING:
    from collections.abc import Callable

    from portula import Provider


class Ids(HashGenerator):
    """Makes client identifiers."""

    def hash(self) -> str:
        return f"shop-{secrets.token_hex(16)}"


@hookimpl
def portula_client_id_generator(provider: Provider) -> Ids:
    return Ids()


@hookimpl
def portula_access_token_generator(provider: Provider) -> Callable[[object], str]:
    return lambda _request: f"shop_at_{secrets.token_urlsafe(32)}"


@hookimpl
def portula_refresh_token_generator(provider: Provider) -> Callable[[object], str]:
    return lambda _request: f"shop_rt_{secrets.token_urlsafe(32)}"
