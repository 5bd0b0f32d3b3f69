"""Signed authorization responses (JARM §2) by response modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.plugin import Answer, AuthorizationExchange, ResponseMode

if TYPE_CHECKING:
    from portula import Provider

SECONDS = 600


@hookimpl
def portula_response_modes(provider: Provider) -> Sequence[ResponseMode]:
    def signed(plain: str) -> ResponseMode:
        def write(exchange: AuthorizationExchange, parameters: Mapping[str, str]) -> Answer:
            client = exchange.client
            claims = {
                "aud": client.client_id if client else "",
                "exp": provider.now() + SECONDS,
                **parameters,
            }
            response = provider.hooks.ask(Plugin.portula_jose).sign(claims, typ="JWT")
            return provider.response_modes[plain].write(exchange, {"response": response})

        return ResponseMode(name=f"{plain}.jwt", write=write)

    return [signed(plain) for plain in ("query", "fragment", "form_post")]
