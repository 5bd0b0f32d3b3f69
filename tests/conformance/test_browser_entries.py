"""What the suite's browser is told to do leads through the pages, in a browser that runs scripts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from conformance.suite.entries import CONFIGURATION, Entries
from conformance.suite.flows import Variant
from conformance.suite.lab import Lab
from conformance.suite.parties import ALIAS, Client, Suite
from portula_testing.tls import Reply

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

CODE = Variant("code", dynamic=True)
HTML = {"Content-Type": "text/html"}
LANDED = Reply(200, HTML, b'<!doctype html><title>Suite</title><p id="submission_complete">Thank you')
WATCH = """<!doctype html><title>Suite</title><iframe id="op" src="%(frame)s"></iframe><script>
  var frame = document.getElementById("op");
  addEventListener("message", function (event) { location = "%(result)s?state=" + event.data; });
  frame.addEventListener("load", function () { frame.contentWindow.postMessage("%(message)s", "%(origin)s"); });
</script>"""


@pytest.fixture(scope="module")
def suite_pages(suite: Suite) -> Suite:
    """The suite, with the pages that people land on."""
    for name in ("callback", "post_logout_redirect", "session_result", "second_session_result"):
        suite.server.answer(f"{ALIAS}/{name}", LANDED)
    return suite


@pytest.fixture
def page(suite_pages: Suite) -> Iterator[Page]:
    """A page of Chromium that takes the certificates of both sides."""
    from playwright.sync_api import sync_playwright  # installed for the tests with the browser alone

    path = shutil.which("chromium")
    assert path, "chromium is missing; `make services` installs it"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        opened = chromium.new_context(ignore_https_errors=True).new_page()
        opened.set_default_timeout(15_000)
        yield opened
        chromium.close()


def sign_in(lab: Lab, page: Page, client: Client, entries: Entries, **changes: str) -> dict[str, str]:
    """Send the browser to the authorization endpoint, and return the parameters it comes back with."""
    sent = lab.flow(CODE, client).request(**changes)
    entries.visit(page, f"{lab.op.metadata['authorization_endpoint']}?{urlencode(sent)}")
    assert page.url.startswith(f"{lab.suite.callback}?")
    return dict(parse_qsl(urlsplit(page.url).query))


def sign_out(lab: Lab, page: Page, client: Client, entries: Entries) -> None:
    """Send the browser to the end-session endpoint, and see that it comes back once."""
    before = len(lab.suite.heard(lab.suite.post_logout))
    sent = {"client_id": client.client_id, "post_logout_redirect_uri": lab.suite.post_logout, "state": "s"}
    entries.visit(page, f"{lab.op.metadata['end_session_endpoint']}?{urlencode(sent)}")
    assert page.url == f"{lab.suite.post_logout}?state=s"
    assert len(lab.suite.heard(lab.suite.post_logout)) == before + 1


@pytest.mark.parametrize("number", [0, 1])
def test_a_static_client_signs_in_and_no_screenshot_is_taken(lab: Lab, page: Page, number: int) -> None:
    entries = Entries.of(lab)
    assert "code" in sign_in(lab, page, lab.statics[number], entries)
    assert entries.shots == []


@pytest.mark.parametrize("module", ["oidcc-prompt-login", "oidcc-max-age-1"])
def test_a_module_that_asks_people_again_has_the_login_page_taken(lab: Lab, page: Page, module: str) -> None:
    entries = Entries.of(lab, module)
    client = lab.statics[0]
    sign_in(lab, page, client, entries)
    entries.shots.clear()
    sign_in(lab, page, client, entries, prompt="login")
    assert entries.shots == ["Sign in"]


def test_only_these_modules_take_the_login_page_while_they_sign_in() -> None:
    document = json.loads(CONFIGURATION.read_text(encoding="utf-8"))
    taking = [
        name for name, entry in document["override"].items() if '"Sign in", "update' in json.dumps(entry)
    ]
    signing_in = [name for name in taking if "login-submit" in json.dumps(document["override"][name])]
    assert signing_in == ["oidcc-prompt-login", "oidcc-max-age-1"]
    assert '"Sign in", "update' not in json.dumps(document["browser"])


def test_the_page_after_signing_out_tells_the_app_and_goes_on_once(lab: Lab, page: Page) -> None:
    place = lab.suite.listen("frontchannel_logout")
    client = lab.register(
        CODE, frontchannel_logout_uri=place, post_logout_redirect_uris=[lab.suite.post_logout]
    )
    entries = Entries.of(lab)
    sign_in(lab, page, client, entries)
    sign_out(lab, page, client, entries)
    (told,) = lab.suite.heard(place)
    assert {name for name, _ in parse_qsl(told.query)} == {"iss", "sid"}


def test_the_pages_that_watch_a_session_are_visited(lab: Lab, page: Page) -> None:
    client = lab.register(CODE, post_logout_redirect_uris=[lab.suite.post_logout])
    entries = Entries.of(lab)
    state = sign_in(lab, page, client, entries)["session_state"]
    for prefix, answer in (("", "unchanged"), ("second_", "changed")):
        body = WATCH % {
            "frame": lab.op.metadata["check_session_iframe"],
            "message": f"{client.client_id} {state}",
            "origin": lab.op.issuer.removesuffix("/o"),
            "result": f"{lab.suite.base}/{prefix}session_result",
        }
        url = lab.suite.server.answer(f"{ALIAS}/{prefix}session_verify", Reply(200, HTML, body.encode()))
        entries.visit(page, url)
        assert page.url == f"{lab.suite.base}/{prefix}session_result?state={answer}"
        if not prefix:
            sign_out(lab, page, client, entries)
