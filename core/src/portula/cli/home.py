"""The first page of a server that stands alone: what it is, and where people and apps go from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request

from portula.flow.hooks import FlowHooks
from portula.web.blueprints import visible_links
from portula.web.hooks import WebHooks

if TYPE_CHECKING:
    from portula.web.provider import Provider


def home_page(provider: Provider) -> Response:
    """Return the page; in the demo it shows what the demo app, whose redirect URI it is, received."""
    login = provider.hooks.ruling(FlowHooks.portula_login).answer
    person = login.current() if login else None
    account = login.account_url() if login else None
    links = [("Your account" if person else "Sign in to your account", account)] if account else []
    if person:
        contributed = visible_links(provider.hooks.collect(WebHooks.portula_account_links), person)
        links += [(link.text, provider.url_for(link.view)) for link in contributed]
    tried = provider.hooks.collect(WebHooks.portula_demo_links)
    paths = sorted(provider.machine_endpoints.paths)
    return provider.pages.render(
        "portula/home.html",
        issuer=provider.issuer,
        person=person,
        links=links,
        metadata=[path for path in paths if "/.well-known/" in path],
        paths=[path for path in paths if path.endswith("/")],
        received=request.args.to_dict() if provider.demo else {},
        demo_links=[(link.text, provider.url_for(link.view)) for link in tried] if provider.demo else [],
    )
