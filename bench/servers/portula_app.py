"""Prepares a provider with every room, two clients and a person who is signed in; and its Flask app, for one side.

    portula_app.py FOLDER PORT SETTINGS

writes FOLDER/config.py, makes what is kept, and prints the site as JSON.
"""

from __future__ import annotations

import json
import secrets
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.cli.serve import ServeOptions, make_app
from portula.host.logs import configure_logging
from portula.host.modes import storage_check_deferred
from portula.plugin import Application
from portula_storage_sql import migrate
from servers.load import REDIRECT_URI

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from portula import Provider

SETTINGS: dict[str, Any] = {
    "OIDC_ENABLED": True,
    "PASSWORD_HASH_PROFILE": "testing",  # one person signs in, before anything is measured
}
LOGIN = "/accounts/login/"


class HiddenInputs(HTMLParser):
    """The hidden inputs of a page."""

    def __init__(self) -> None:
        """Begin with none."""
        super().__init__()
        self.values: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep name and value of one."""
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            self.values[given["name"] or ""] = given.get("value") or ""


def options(folder: str, port: int) -> ServeOptions:
    """Return what `portula serve` is told."""
    return ServeOptions(config=f"{folder}/config.py", data_dir=f"{folder}/data", port=port, allow_errors=True)


def signed_in(provider: Provider, issuer: str) -> str:
    """Make a person, sign her in; return her browser's cookies as a header."""
    login: Any = provider.hooks.ask(Plugin.portula_login)
    password, home = secrets.token_urlsafe(16), issuer.removesuffix("/o")
    login.users.create("ann", password)
    browser = provider.app.test_client()
    form = HiddenInputs()
    form.feed(browser.get(LOGIN, base_url=home).text)
    browser.post(LOGIN, data={**form.values, "username": "ann", "password": password}, base_url=home)
    cookies = browser._cookies or {}  # noqa: SLF001 - what the browser sends, as a header
    return "; ".join(f"{cookie.key}={cookie.value}" for cookie in cookies.values())


def main(folder: str, port: str, settings: str) -> None:
    """Prepare."""
    given = {**SETTINGS, **json.loads(settings)}
    Path(folder, "config.py").write_text(f"OAUTH2_PROVIDER = {given!r}\n", encoding="utf-8")
    with storage_check_deferred():
        _, provider = make_app(replace(options(folder, int(port)), serving=True, creating=True))
    database: Any = provider.stores.get("storage_sql")
    if database is not None:
        migrate.upgrade(database.engine, database.records)
    grants = ("client_credentials", "authorization_code", "refresh_token")
    made = [
        provider.clients.create(
            Application(
                client_id="",
                grant_types=grants,
                redirect_uris=(REDIRECT_URI,),
                skip_authorization=skip,
                algorithm="RS256",
            )
        )
        for skip in (True, False, True)
    ]
    app, asking, api = ((client.client_id, secret) for client, secret in made)
    issuer = provider.issuer
    site = {
        "issuer": issuer,
        "authorize": "/o/authorize/",
        "token": "/o/token/",
        "introspect": "/o/introspect/",
        "revoke": "/o/revoke_token/",
        "userinfo": "/o/userinfo/",
        "discovery": "/o/.well-known/openid-configuration",
        "jwks": "/o/.well-known/jwks.json",
        "service": app,
        "app": app,
        "asking": asking[0],
        "api": api,
        "cookie": signed_in(provider, issuer),
    }
    print(json.dumps(site))


def through_flask(folder: str, port: int) -> WSGIApplication:
    """Return the Flask app, with nothing ahead of it."""
    app, provider = make_app(options(folder, port))
    configure_logging(provider.core_settings, whole_process=True)
    return app.wsgi_app


if __name__ == "__main__":
    main(*sys.argv[1:])
