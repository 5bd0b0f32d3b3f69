"""A person in front of a browser, for `bench/growth.py`."""

from __future__ import annotations

import re
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from measure import sent_json
from workloads import CALLBACK, posted, s256

from portula.plugin import Application, Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import WSGIEnvironment
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
            Application(
                client_id="",
                grant_types=GRANTS,
                redirect_uris=(CALLBACK,),
                skip_authorization=True,
                algorithm="ES256",
            )
        )
        self._stranger = made.party(Application(client_id="", grant_types=GRANTS, redirect_uris=(CALLBACK,)))
        self.pages: dict[str, Callable[[], object]] = {
            "authorize and code": self.go_through,
            "consent page": self.consent_page,
            "connected apps": partial(self.page, "/o/authorized_tokens/"),
            "sessions": partial(self.page, "/o/sessions/"),
            "account": partial(self.page, "/accounts/"),
        }
        self.requests: dict[str, Callable[[], WSGIEnvironment]] = {
            "client credentials": lambda: posted("/o/token/", made.shop, grant_type="client_credentials"),
            "code with PKCE": lambda: self._redemption("read"),
            "code with PKCE, ID token": lambda: self._redemption("openid read"),
            "refresh, rotating": self._refresh,
            "introspection": lambda: posted("/o/introspect/", made.api, token=self.tokens()["access_token"]),
            "userinfo": self._userinfo,
        }
        """Makes a request of the person's app that was never sent before; what it needs is stored."""

    def go_through(self) -> None:
        """Go through the app, which redeems its code."""
        self.tokens("read")

    def tokens(self, scope: str = "openid read") -> dict[str, Any]:
        """Go through the app; return what it gets for its code."""
        return sent_json(self._made.doors["fast"], self._redemption(scope))

    def refreshed(self, token: str) -> str:
        """Let the app refresh; return the next refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return str(
            sent_json(self._made.doors["fast"], posted("/o/token/", self._app, **form))["refresh_token"]
        )

    def _redemption(self, scope: str) -> WSGIEnvironment:
        verifier = secrets.token_urlsafe(48)
        answer = self._authorize(self._app.client.client_id, verifier, scope)
        (code,) = parse_qs(urlsplit(answer.location).query)["code"]
        form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
        return posted("/o/token/", self._app, grant_type="authorization_code", **form)

    def _refresh(self) -> WSGIEnvironment:
        token = self.tokens()["refresh_token"]
        return posted("/o/token/", self._app, grant_type="refresh_token", refresh_token=token)

    def _userinfo(self) -> WSGIEnvironment:
        bearer = {"HTTP_AUTHORIZATION": f"Bearer {self.tokens()['access_token']}"}
        return {**posted("/o/userinfo/", self._app), "CONTENT_TYPE": "", **bearer}

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

    def _authorize(self, client_id: str, verifier: str, scope: str = "read") -> TestResponse:
        asked = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": CALLBACK,
            "scope": scope,
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
        }
        return self._get("/o/authorize/", query_string=asked)

    def _get(self, path: str, **options: Any) -> TestResponse:
        # Few requests may wait for somebody from one address.
        address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.1"
        return self._browser.get(path, base_url=HOME, environ_overrides={"REMOTE_ADDR": address}, **options)
