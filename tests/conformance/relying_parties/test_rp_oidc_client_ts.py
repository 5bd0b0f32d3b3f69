"""oidc-client-ts in Chromium: pages of another origin sign people in, renew silently, notice a sign-out, sign out."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conformance.suite.lab import Lab

from portula_testing.tls import Reply

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("relying-parties")]

QUIET = ("--no-sandbox", "--disable-background-networking", "--disable-component-update", "--no-first-run")
SCRIPT = "oidc-client-ts/dist/browser/oidc-client-ts.min.js"


@pytest.fixture
def page() -> Iterator["Page"]:
    """A page of a fresh browser."""
    from playwright.sync_api import sync_playwright  # installed for the tests with the browser alone

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=os.environ["PORTULA_TEST_CHROMIUM"], args=QUIET)
        context = chromium.new_context(ignore_https_errors=True)
        opened = context.new_page()
        opened.set_default_timeout(10_000)
        yield opened
        chromium.close()


class _Files(BaseHTTPRequestHandler):
    """Answers with the files of the app."""

    def __init__(self, files: dict[str, bytes], *arguments: Any) -> None:
        self._files = files
        super().__init__(*arguments)

    def do_GET(self) -> None:
        body = self._files.get(self.path.partition("?")[0], b"")
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def _plain_http(files: dict[str, bytes]) -> Iterator[str]:
    """Serve files from an http origin on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, files))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def _files(settings: dict[str, object]) -> dict[str, bytes]:
    app = (Path(__file__).parent / "app.html").read_text().replace("SETTINGS", json.dumps(settings))
    script = Path(os.environ["PORTULA_TEST_NODE_MODULES"], SCRIPT).read_bytes()
    return {"/app.html": app.encode(), "/oidc-client-ts.min.js": script}


def _app(lab: Lab, origin: str, *words: str, **settings: object) -> dict[str, bytes]:
    """Make a public client for an origin, and return the files of its app."""
    place = f"{origin}/app.html"
    uris = ("--redirect-uris", place, "--post-logout-redirect-uris", place)
    client = lab.create_client("public", "authorization-code", *words, *uris)
    return _files(
        {
            "authority": lab.op.issuer,
            "client_id": client.client_id,
            "redirect_uri": place,
            "silent_redirect_uri": place,
            "post_logout_redirect_uri": place,
            "loadUserInfo": True,
            "automaticSilentRenew": False,
            **settings,
        }
    )


def _sign_in(lab: Lab, page: "Page", place: str, *, consent: bool) -> dict[str, Any]:
    page.goto(place)
    page.evaluate("() => { manager.signinRedirect() }")
    page.wait_for_selector("#login-submit")
    page.fill("input[name=username]", lab.person.username)
    page.fill("input[name=password]", lab.person.password)
    page.click("#login-submit")
    if consent:
        page.click("#consent-allow")
    page.wait_for_url(f"{place}?*")
    user: dict[str, Any] = page.evaluate("async () => ({ ...await manager.signinCallback() })")
    return user


def _sign_out(page: "Page", place: str) -> None:
    page.evaluate("() => { manager.signoutRedirect() }")
    page.wait_for_selector("#logout-confirm")
    page.click("#logout-confirm")
    page.wait_for_url(f"{place}*")
    page.evaluate("() => manager.signoutCallback()")
    assert page.evaluate("() => manager.getUser()") is None


def test_oidc_client_ts_on_an_http_loopback_origin(lab: Lab, page: "Page") -> None:
    files: dict[str, bytes] = {}
    with _plain_http(files) as origin:
        files.update(_app(lab, origin, "refresh-token", scope="openid email offline_access"))
        place = f"{origin}/app.html"
        first = _sign_in(lab, page, place, consent=True)
        assert first["profile"]["email"] == "certa@example.com"
        assert first["refresh_token"]
        second = page.evaluate("async () => ({ ...await manager.signinSilent() })")
        assert second["access_token"] != first["access_token"]
        assert second["profile"]["sub"] == first["profile"]["sub"]
        page.evaluate("() => manager.revokeTokens(['access_token'])")
        assert lab.op.userinfo(second["access_token"]).status_code == 401
        page.goto(place)  # away from the address with the code
        _sign_out(page, place)


@pytest.fixture
def https_app(lab: Lab) -> Callable[..., str]:
    """Serve an app from https, on the provider's site: there its frames get the provider's cookies."""

    def serve(**settings: object) -> str:
        for path, body in _app(lab, lab.suite.origin, "--skip-authorization", **settings).items():
            kind = "text/html" if path.endswith("html") else "text/javascript"
            lab.suite.server.answer(path, Reply(200, {"Content-Type": kind}, body))
        return f"{lab.suite.origin}/app.html"

    return serve


def test_oidc_client_ts_renews_in_a_frame(lab: Lab, page: "Page", https_app: Callable[..., str]) -> None:
    first = _sign_in(lab, page, https_app(scope="openid email"), consent=False)
    second = page.evaluate("async () => ({ ...await manager.signinSilent({ forceIframeAuth: true }) })")
    assert second["access_token"] != first["access_token"]
    assert second["profile"]["sub"] == first["profile"]["sub"]


def test_oidc_client_ts_notices_a_sign_out(lab: Lab, page: "Page", https_app: Callable[..., str]) -> None:
    place = https_app(scope="openid", monitorSession=True, checkSessionIntervalInSeconds=1)
    user = _sign_in(lab, page, place, consent=False)
    assert user["session_state"]
    page.wait_for_timeout(1_500)
    assert page.evaluate("() => events") == []
    elsewhere = page.context.new_page()
    elsewhere.goto(lab.op.issuer.removesuffix("/o") + "/accounts/logout/")
    elsewhere.click("#logout-confirm")
    page.wait_for_function("() => events.includes('signed out')")
