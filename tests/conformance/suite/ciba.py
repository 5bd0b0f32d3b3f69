"""Clients of the plan FAPI-CIBA: what they send, and how they hear of an answer."""

import json
import re
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import httpx

from conformance.suite import checks
from conformance.suite.fapi import FapiLab, FapiVariant
from conformance.suite.fapi_client import FapiClient, Outcome
from conformance.suite.pages import Arrival, Page
from portula_testing.tls import ReceivedRequest, Reply

GRANT = "urn:openid:params:grant-type:ciba"
BACKCHANNEL, TOKEN = "backchannel_authentication_endpoint", "token_endpoint"
WAITING = ("authorization_pending", "slow_down")
BINDING_MESSAGE = "1234"
AUTH_REQ_ID = re.compile(r"[A-Za-z0-9._-]+")
"""CIBA Core §7.3."""
MAX_NOTIFICATION_TOKEN = 1024
PATIENCE_SECONDS = 20


class CibaClient(FapiClient):
    """A client that asks for a person who is elsewhere."""

    def __init__(self, lab: FapiLab, variant: FapiVariant, number: int) -> None:
        """Listen where it is told."""
        super().__init__(lab, variant, number)
        self.told_at = f"{lab.suite.base}/ciba-notification-endpoint"
        self.answer_notifications(Reply(204))

    def answer_notifications(self, *replies: Reply) -> None:
        """Answer the next notifications with these in turn, the last again and again."""
        self.suite.server.answer(self.told_at.removeprefix(self.suite.origin), *replies)

    def request(self, **changes: Any) -> dict[str, Any]:
        """Return what a request asks for (CIBA Core §7.1); None leaves a parameter out."""
        second = self.number == 2
        size = MAX_NOTIFICATION_TOKEN if second else 32
        parameters = {
            "scope": self.scope,
            self.own["hint_type"]: self.own["hint_value"],
            "binding_message": BINDING_MESSAGE,
            "acr_values": self.own.get("acr_value"),
            "requested_expiry": 300 if second else None,
            "client_notification_token": secrets.token_urlsafe(size)[:size] if self.pings else None,
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    @property
    def pings(self) -> bool:
        """Whether it is told that its person has decided."""
        return self.variant.mode == "ping"

    def ask(
        self,
        asked: Mapping[str, Any],
        *,
        beside: Mapping[str, str] | None = None,
        assertion: str | bool | None = True,
        **changes: Any,
    ) -> httpx.Response:
        """Send a signed request, and return what comes.

        Args:
            asked: what the request asks for.
            beside: parameters beside the signed request, or in its place.
            assertion: one that is sent in place of a fresh one, which is for this endpoint; None for none.
            changes: how the signed request is made; see `request_object`.
        """
        form = {"request": self.request_object(asked, **{"jti": secrets.token_urlsafe(16), **changes})}
        if assertion is True:
            assertion = self.assertion(aud=self.op.metadata[BACKCHANNEL])
        return self.post(BACKCHANNEL, {**form, **(beside or {})}, assertion=assertion)

    def begin(self, asked: Mapping[str, Any] | None = None, **how: Any) -> Outcome:
        """Send a request that is taken, and check the answer (CIBA Core §7.3); none that waits is as new."""
        self.op.clock.pass_by(1)
        asked = self.request() if asked is None else asked
        document = checks.json_answer(self.ask(asked, **how), 200)
        assert AUTH_REQ_ID.fullmatch(document["auth_req_id"])
        checks.unguessable(document["auth_req_id"])
        checks.expires_in(document["expires_in"])
        checks.expires_in(document["interval"])
        return Outcome(dict(asked), document, [])

    def grant_form(self, outcome: Outcome, **changes: Any) -> dict[str, Any]:
        """Return the form that gets the tokens; None leaves a parameter out."""
        form = {"grant_type": GRANT, "auth_req_id": outcome.response["auth_req_id"], **changes}
        return {name: value for name, value in form.items() if value is not None}

    def poll(self, outcome: Outcome, **how: Any) -> httpx.Response:
        """Ask for the tokens."""
        return self.post(TOKEN, self.grant_form(outcome), **how)

    def wait(self, outcome: Outcome) -> None:
        """Let the interval between two polls pass."""
        self.op.clock.pass_by(outcome.response["interval"])

    def check_waiting(self, outcome: Outcome) -> None:
        """Demand twice that nobody has decided yet."""
        for _ in range(2):
            checks.token_error(self.poll(outcome), *WAITING)
            self.wait(outcome)

    def decide(self, outcome: Outcome, action: str = "allow") -> None:
        """Have the person decide, and hear of it if the client is told; `action` is `allow` or `deny`."""
        url = self.configuration["automated_ciba_approval_url"]
        answer = self.op.http.post(url.format(**outcome.response, action=action))
        assert answer.status_code == 200, answer.text
        self.hear(outcome)

    def decide_on_page(self, outcome: Outcome) -> str:
        """Have the person allow the request on the page that shows what waits, and return the page that asked."""
        listed = self.person.go_through(self.browser, self.browser.open(f"{self.op.issuer}/ciba/"))
        assert isinstance(listed, Page)
        (newest, *_) = re.findall(r'href="([^"]*backchannel_request=[^"]*)"', listed.text)
        page = self.browser.open(urljoin(listed.url, newest))
        assert not isinstance(page, Arrival)
        self.person.go_through(self.browser, page)
        self.hear(outcome)
        return page.text

    def hear(self, outcome: Outcome) -> None:
        """Wait for the notification, and check it (CIBA Core §10.2); a client that polls gets none."""
        if not self.pings:
            return
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.heard(outcome) and time.monotonic() < deadline:
            time.sleep(0.02)
        (told,) = self.heard(outcome)
        assert (told.method, told.query) == ("POST", "")
        assert told.headers["content-type"].partition(";")[0] == "application/json"
        assert json.loads(told.body) == {"auth_req_id": outcome.response["auth_req_id"]}

    def heard(self, outcome: Outcome) -> list[ReceivedRequest]:
        """Return the notifications about a request."""
        token = f"Bearer {outcome.asked['client_notification_token']}"
        return [told for told in self.suite.heard(self.told_at) if told.headers.get("authorization") == token]

    def authorize(self, **changes: Any) -> Outcome:
        """Send a request, poll until the person has allowed it, and hear of that."""
        outcome = self.begin(self.request(**changes))
        self.check_waiting(outcome)
        self.decide(outcome)
        return outcome
