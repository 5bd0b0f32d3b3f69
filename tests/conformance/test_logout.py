"""The modules of the four plans of logout."""

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from conformance.plans import module
from conformance.suite import checks, tokens
from conformance.suite.flows import Flow, Result, Variant
from conformance.suite.lab import Lab
from conformance.suite.pages import Arrival, Browser, Page
from conformance.suite.parties import Client

EVENT = "http://schemas.openid.net/event/backchannel-logout"
PATIENCE_SECONDS = 20


@dataclass
class SigningOut:
    """Somebody who signed in for a client, and is sent to the end-session endpoint."""

    lab: Lab
    flow: Flow
    first: Result
    state: str

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """Return the parameters of a request that succeeds; None leaves one out."""
        full = {
            "id_token_hint": self.first.raw_id_token,
            "post_logout_redirect_uri": self.lab.suite.post_logout,
            "state": self.state,
            **changes,
        }
        return {name: value for name, value in full.items() if value is not None}

    def go(self, sent: Mapping[str, str]) -> Page | Arrival:
        """Visit the endpoint, and confirm if asked to."""
        browser = self.flow.browser
        browser.seen.clear()
        at = browser.open(f"{self.lab.op.metadata['end_session_endpoint']}?{urlencode(sent)}")
        if isinstance(at, Page) and "logout-confirm" in at.buttons:
            at = browser.press(at, "logout-confirm")
        return at

    def back(self, sent: Mapping[str, str]) -> None:
        """Sign out and come back, with the state and nothing else."""
        landed = self.go(sent)
        assert isinstance(landed, Arrival), landed
        assert landed.method == "GET"
        assert landed.path == self.lab.suite.post_logout
        assert landed.query == {name: sent[name] for name in ("state",) if name in sent}
        assert not landed.fragment

    def over(self) -> None:
        """Demand that nobody is signed in any more."""
        self.flow.refused(self.flow.request(prompt="none"), *checks.UI_ERRORS)

    def stays(self, sent: Mapping[str, str]) -> Page:
        """Sign out as far as that goes, and end on a page of the provider."""
        page = self.go(sent)
        assert isinstance(page, Page), page
        return page


def _signed_in(lab: Lab, variant: Variant, browser: Browser, **metadata: object) -> SigningOut:
    if variant.dynamic:
        metadata["post_logout_redirect_uris"] = [lab.suite.post_logout]
    flow = lab.flow(variant, lab.client(variant, **metadata), browser)
    return SigningOut(lab, flow, flow.run(), secrets.token_urlsafe(96))


# --- RP-initiated ---


@module("oidcc-rp-initiated-logout")
def test_oidcc_rp_initiated_logout(lab: Lab, name: str, variant: Variant, browser: Browser) -> None:
    leaving = _signed_in(lab, variant, browser)
    assert len(leaving.state) == 128
    leaving.back(leaving.parameters())
    leaving.over()


@module("oidcc-rp-initiated-logout-no-state")
def test_oidcc_rp_initiated_logout_no_state(lab: Lab, name: str, variant: Variant, browser: Browser) -> None:
    leaving = _signed_in(lab, variant, browser)
    leaving.back(leaving.parameters(state=None))
    leaving.over()


@module(
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri",
)
def test_oidcc_rp_initiated_logout_to_an_unregistered_uri(
    lab: Lab, name: str, variant: Variant, browser: Browser
) -> None:
    leaving = _signed_in(lab, variant, browser)
    bad = f"{lab.suite.post_logout}{'?foo=bar' if 'query' in name else secrets.token_hex(5)}"
    page = leaving.stays(leaving.parameters(post_logout_redirect_uri=bad))
    assert page.status == 400


@module(
    "oidcc-rp-initiated-logout-modified-id-token-hint",
    "oidcc-rp-initiated-logout-bad-id-token-hint",
    "oidcc-rp-initiated-logout-no-id-token-hint",
)
def test_oidcc_rp_initiated_logout_without_a_hint_of_ours(
    lab: Lab, name: str, variant: Variant, browser: Browser
) -> None:
    leaving = _signed_in(lab, variant, browser)
    header, claims = (read(leaving.first.raw_id_token) for read in (tokens.header_of, tokens.claims_of))
    hints = {
        "modified": tokens.unsigned(claims),
        "bad": tokens.sign(claims, lab.other_key, kid=header["kid"]),
        "no": None,
    }
    hint = hints[name.removeprefix("oidcc-rp-initiated-logout-").partition("-")[0]]
    leaving.stays(leaving.parameters(id_token_hint=hint))


@module(
    "oidcc-rp-initiated-logout-no-params",
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri",
    "oidcc-rp-initiated-logout-only-state",
)
def test_oidcc_rp_initiated_logout_that_ends_on_a_page(
    lab: Lab, name: str, variant: Variant, browser: Browser
) -> None:
    leaving = _signed_in(lab, variant, browser)
    sent = {
        "no-params": {},
        "no-post-logout-redirect-uri": leaving.parameters(post_logout_redirect_uri=None),
        "only-state": {"state": leaving.state},
    }
    page = leaving.stays(sent[name.removeprefix("oidcc-rp-initiated-logout-")])
    assert page.status == 200
    assert "signed out" in page.text
    assert not page.buttons
    leaving.over()


# --- Back channel ---


@module("oidcc-backchannel-rp-initiated-logout")
def test_oidcc_backchannel_rp_initiated_logout(
    lab: Lab, name: str, variant: Variant, browser: Browser
) -> None:
    place = lab.suite.listen("backchannel_logout")
    leaving = _signed_in(
        lab, variant, browser, backchannel_logout_uri=place, backchannel_logout_session_required=True
    )
    leaving.back(leaving.parameters())
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not lab.suite.heard(place) and time.monotonic() < deadline:
        time.sleep(0.02)
    (asked,) = lab.suite.heard(place)
    assert asked.method == "POST"
    assert asked.query == ""
    assert asked.headers["content-type"].partition(";")[0] == "application/x-www-form-urlencoded"
    ((member, token),) = parse_qsl(asked.body.decode(), strict_parsing=True)
    assert member == "logout_token"
    _check_logout_token(lab, leaving.flow.client, leaving.first, token)
    leaving.over()


def _check_logout_token(lab: Lab, client: Client, first: Result, token: str) -> None:
    """Back-Channel Logout §2.4 and §2.6."""
    header, claims = tokens.header_of(token), lab.op.verified(token)
    assert header["alg"] == tokens.header_of(first.raw_id_token)["alg"]
    assert header.get("typ") in (None, "logout+jwt", "JWT")
    assert claims["iss"] == lab.op.issuer
    assert claims["aud"] in (client.client_id, [client.client_id])
    assert abs(claims["iat"] - lab.op.clock.now()) <= checks.SKEW_SECONDS
    assert claims["exp"] > claims["iat"]
    assert claims["jti"]
    assert claims["events"] == {EVENT: {}}
    assert claims["sid"] == first.id_token["sid"]
    assert claims.get("sub", first.id_token["sub"]) == first.id_token["sub"]
    assert "nonce" not in claims


# --- Front channel ---


@module("oidcc-frontchannel-rp-initiated-logout")
def test_oidcc_frontchannel_rp_initiated_logout(
    lab: Lab, name: str, variant: Variant, browser: Browser
) -> None:
    place = lab.suite.listen("frontchannel_logout")
    leaving = _signed_in(
        lab, variant, browser, frontchannel_logout_uri=place, frontchannel_logout_session_required=True
    )
    leaving.back(leaving.parameters())
    (asked,) = lab.suite.heard(place)
    assert asked.method == "GET"
    found = dict(parse_qsl(asked.query, strict_parsing=True))
    assert found == {"iss": lab.op.issuer, "sid": leaving.first.id_token["sid"]}
    leaving.over()


# --- Session management ---


@module("oidcc-session-management-rp-initiated-logout")
def test_oidcc_session_management_rp_initiated_logout(
    lab: Lab, name: str, variant: Variant, browser: Browser
) -> None:
    leaving = _signed_in(lab, variant, browser)
    state = leaving.first.response["session_state"]
    assert " " not in state
    assert _session(lab, leaving.flow, state) == "unchanged"
    leaving.back(leaving.parameters())
    assert _session(lab, leaving.flow, state) == "changed"


def _session(lab: Lab, flow: Flow, session_state: str) -> str:
    """Do what the script of check_session_iframe does (Session Management §3.2), with any cookie that it may read.

    That the script itself does it is shown in a real browser, with oidc-client-ts.
    """
    digest, _, salt = session_state.rpartition(".")
    assert lab.op.http.get(lab.op.metadata["check_session_iframe"]).status_code == 200
    readable = [
        cookie.value
        for cookie in flow.browser.http.cookies.jar
        if not cookie.has_nonstandard_attr("HttpOnly")
    ]
    words = (f"{flow.client.client_id} {lab.suite.origin} {state} {salt}" for state in readable)
    known = digest in {hashlib.sha256(text.encode()).hexdigest() for text in words}
    return "unchanged" if known else "changed"
