"""From four to five in the afternoon, UTC, there are no tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import TemporarilyUnavailableError

if TYPE_CHECKING:
    from portula.plugin import Exchange


@hookimpl
def portula_validate_token_request(exchange: Exchange) -> None:
    if datetime.fromtimestamp(exchange.provider.now(), UTC).hour == 16:
        raise TemporarilyUnavailableError(description="We are having tea.", request=exchange.request)
