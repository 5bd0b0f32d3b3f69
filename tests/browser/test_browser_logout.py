"""A real browser watches a session from an app, signs out, and tells the app in a frame."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from support.server import Server, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PASSWORD = "correct horse battery staple"
CONFIGURATION = """
OAUTH2_PROVIDER = {
    "OIDC_ENABLED": True,
    "OIDC_RP_INITIATED_LOGOUT_ENABLED": True,
    "OIDC_FRONTCHANNEL_LOGOUT_ENABLED": True,
    "OIDC_SESSION_MANAGEMENT_ENABLED": True,
    "PASSWORD_HASH_PROFILE": "testing",
    "CLIENT_SECRET_HASH_PROFILE": "testing",
}
"""
ASK = """
([frameUrl, message]) => new Promise((resolve) => {
  const frame = document.createElement("iframe");
  window.addEventListener("message", (event) => resolve([event.data, event.origin]), {once: true});
  frame.addEventListener("load", () => frame.contentWindow.postMessage(message, new URL(frameUrl).origin));
  frame.src = frameUrl;
  document.body.append(frame);
})
"""


class App(ThreadingHTTPServer):
    """An app on another port: it shows a page at every address, and remembers which were opened."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.opened: list[str] = []
        self.closing = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: App

    def do_GET(self) -> None:
        self.server.opened.append(self.path)
        if self.path.startswith("/slow"):
            self.server.closing.wait(20)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>App</title><p>The app")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    with App() as running_app:
        thread = Thread(target=running_app.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield running_app
        running_app.closing.set()
        running_app.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("logout") / "data"
    with running(folder, configuration=CONFIGURATION) as running_server:
        running_server.create_user("ann", PASSWORD)
        yield running_server


def _sign_in(server: Server, app: App, page: Page, told_at: str = "/out?app=1") -> tuple[str, str]:
    """Sign ann in to the app; return its client_id and the session_state that it was told."""
    metadata = {
        "frontchannel_logout_uri": f"{app.url}{told_at}",
        "post_logout_redirect_uris": [f"{app.url}/bye"],
    }
    client_id = server.run(
        *("createapplication", "confidential", "authorization-code", "--redirect-uris", f"{app.url}/cb"),
        *("--metadata", json.dumps(metadata)),
    )["client_id"]
    page.goto(
        f"{server.issuer}/authorize/?response_type=code&client_id={client_id}&scope=openid"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    )
    page.fill("input[name=username]", "ann")
    page.fill("input[name=password]", PASSWORD)
    page.click("#login-submit")
    page.click("#consent-allow")
    page.wait_for_url(f"{app.url}/cb*")
    return client_id, dict(parse_qsl(urlsplit(page.url).query))["session_state"]


def _ask(server: Server, page: Page, message: str) -> str:
    """Let the app's page ask the frame; the answer has to come from the provider."""
    answer, origin = page.evaluate(ASK, [f"{server.issuer}/session/check/", message])
    assert origin == server.url
    return str(answer)


def _sign_out(server: Server, app: App, page: Page, client_id: str) -> None:
    page.goto(f"{server.issuer}/logout/?client_id={client_id}&post_logout_redirect_uri={app.url}/bye&state=s")
    page.click("#logout-confirm")
    page.wait_for_url(f"{app.url}/bye?state=s")


@pytest.mark.parametrize("javascript", [True], ids=["javascript"])
def test_an_app_sees_that_its_session_is_unchanged_until_the_person_signs_out(
    server: Server, app: App, page: Page
) -> None:
    client_id, state = _sign_in(server, app, page)
    assert _ask(server, page, f"{client_id} {state}") == "unchanged"
    assert _ask(server, page, f"other {state}") == "changed"
    assert _ask(server, page, "nonsense") == "error"
    _sign_out(server, app, page, client_id)
    assert _ask(server, page, f"{client_id} {state}") == "changed"


def test_the_app_is_told_in_a_frame_and_the_person_goes_on_by_themselves(
    server: Server, app: App, page: Page
) -> None:
    client_id, _ = _sign_in(server, app, page)
    app.opened.clear()
    _sign_out(server, app, page, client_id)
    assert app.opened.count("/bye?state=s") == 1
    (told,) = [urlsplit(path) for path in app.opened if path.startswith("/out")]
    query = parse_qs(told.query)
    assert sorted(query) == ["app", "iss", "sid"]
    assert query["iss"] == [server.issuer]


@pytest.mark.parametrize("javascript", [True], ids=["javascript"])  # a refresh waits for the frames
def test_an_app_that_does_not_answer_holds_nobody_up(server: Server, app: App, page: Page) -> None:
    client_id, _ = _sign_in(server, app, page, "/slow")
    app.opened.clear()
    _sign_out(server, app, page, client_id)
    assert app.opened.count("/bye?state=s") == 1


def test_the_page_of_sessions_is_reached_from_the_account_and_signs_out(
    server: Server, app: App, page: Page
) -> None:
    _sign_in(server, app, page)
    page.goto(f"{server.url}/accounts/")
    page.click("text=Where you are signed in")
    page.wait_for_selector("text=This browser")
    page.click(".card:has(.badge-ok) button")
    page.wait_for_selector("#login-submit")
