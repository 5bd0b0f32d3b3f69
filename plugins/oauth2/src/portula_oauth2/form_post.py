"""The response mode form_post: a page with a form that posts itself (OAuth 2.0 Form Post Response Mode §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import Answer, AuthorizationExchange, ResponseMode

if TYPE_CHECKING:
    from portula import Provider


@hookimpl
def portula_response_modes(provider: Provider) -> list[ResponseMode]:
    """Contribute form_post."""

    def write(exchange: AuthorizationExchange, parameters: Mapping[str, str]) -> Answer:
        page = provider.pages.render(
            "portula_oauth2/form_post.html",
            redirect_uri=exchange.redirect_uri,
            parameters=parameters,
            script=provider.url_for("oauth2.static", filename="form_post.js"),
        )
        policy = page.headers["Content-Security-Policy"]
        page.headers["Content-Security-Policy"] = f"{policy}; script-src 'self'"
        return Answer(200, dict(page.headers), page.get_data())

    return [ResponseMode(name="form_post", write=write)]
