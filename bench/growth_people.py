"""A person in front of a browser, for `bench/growth.py`."""

from __future__ import annotations

import re
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from workloads import CALLBACK, posted, s256

from portula.plugin import Application, Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.test import TestResponse
    from workloads import Deployment

HOME = "https://id.example.com"
GRANTS = ("authorization_code", "refresh_token")


class Person:
    """Somebody who is signed in, an app that she need not be asked about, and one that she has never seen."""

    def __init__(self, made: Deployment, name: str) -> None:
        """Sign in."""
        self._made = made
        password = secrets.token_urlsafe(16)
        login: Any = made.provider.hooks.ask(Plugin.portula_login)
        self.subject = str(login.users.create(name, password).sub)
        self._browser = made.app.test_client()
        page = self._get("/accounts/login/").text
        fields = dict(re.findall(r'name="([^"]+)" type="hidden" value="([^"]*)"', page))
        typed = {**fields, "username": name, "password": password}
        self._browser.post("/accounts/login/", data=typed, base_url=HOME)
        self._app = made.party(
            Application(client_id="", grant_types=GRANTS, redirect_uris=(CALLBACK,), skip_authorization=True)
        )
        self._stranger = made.party(Application(client_id="", grant_types=GRANTS, redirect_uris=(CALLBACK,)))
        self.pages: dict[str, Callable[[], object]] = {
            "authorize and code": self.go_through,
            "consent page": self.consent_page,
            "connected apps": partial(self.page, "/o/authorized_tokens/"),
            "sessions": partial(self.page, "/o/sessions/"),
            "account": partial(self.page, "/accounts/"),
        }

    def go_through(self) -> None:
        """Go through the app, which redeems its code."""
        from measure import sent_json

        verifier = secrets.token_urlsafe(48)
        answer = self._authorize(self._app.client.client_id, verifier)
        (code,) = parse_qs(urlsplit(answer.location).query)["code"]
        form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
        environ = posted("/o/token/", self._app, grant_type="authorization_code", **form)
        sent_json(self._made.doors["fast"], environ)

    def consent_page(self) -> None:
        """Be asked."""
        answer = self._authorize(self._stranger.client.client_id, secrets.token_urlsafe(48))
        if answer.status_code != 200:
            raise RuntimeError(f"the consent page answered {answer.status_code}")

    def page(self, path: str) -> None:
        """Look at a page."""
        answer = self._get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")

    def _authorize(self, client_id: str, verifier: str) -> TestResponse:
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CALLBACK,
            "scope": "read",
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
        }
        return self._get("/o/authorize/", query_string=asked)

    def _get(self, path: str, **options: Any) -> TestResponse:
        # Few requests may wait for somebody from one address.
        address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.1"
        return self._browser.get(path, base_url=HOME, environ_overrides={"REMOTE_ADDR": address}, **options)
