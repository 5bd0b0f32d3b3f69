"""From four to five in the afternoon, UTC, there are no tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oauthlib.oauth2.rfc6749.errors import TemporarilyUnavailableError

from portula import hookimpl

if TYPE_CHECKING:
    from portula import Provider
    from portula.engine.messages import OAuthRequest


@hookimpl
def portula_validate_token_request(provider: Provider, request: OAuthRequest) -> None:
    if datetime.fromtimestamp(provider.now(), UTC).hour == 16:
        raise TemporarilyUnavailableError(description="We are having tea.", request=request)
