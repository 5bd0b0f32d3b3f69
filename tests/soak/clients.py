"""Clients that get codes, redeem, refresh, introspect and revoke at both nodes, and hold each answer to the last."""

import base64
import hashlib
import random
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from urllib.parse import urlsplit

import httpx
from support.browser import Browser, sent_back

from soak.ledger import Family
from soak.nodes import CALLBACK, PASSWORD, USER

HOME = "http://127.0.0.1:1"
GRACE_SECONDS = 3
"""Within which a refresh token is sent again: the provider's grace is 10, and clocks go wrong by two."""
TRIES = 90
MOST_FAMILIES = 60
"""Authorizations that one client keeps."""


class _Balancer(httpx.HTTPTransport):
    """Leads requests for the provider's own host to a node."""

    def __init__(self, node):
        super().__init__()
        self.node = node

    def handle_request(self, request):
        request.url = request.url.copy_with(port=urlsplit(self.node.url).port)
        answer = super().handle_request(request)
        request.url = request.url.copy_with(port=1)
        return answer


class _NoAnswer(Exception):
    """A page was not answered, or by 503."""


class Asking:
    """Sends requests of one registered client, and tells the ledger how they ended."""

    def __init__(self, nodes, party, ledger, rng):
        self.nodes = nodes
        self.ledger = ledger
        self.rng = rng
        self.http = httpx.Client(auth=party, timeout=30, trust_env=False)

    def node(self):
        return self.rng.choice(self.nodes)

    def ask(self, endpoint, node=None, **data):
        """Return an answer; None where there was none, or 503, so that nobody knows what became of the request."""
        node = node or self.node()
        began, response = time.monotonic(), None
        with suppress(httpx.TransportError):
            response = self.http.post(f"{node.url}/o/{endpoint}/", data=data)
        name = data.get("grant_type", endpoint)
        self.ledger.answered(node.number, name, response, time.monotonic() - began)
        return None if response is None or response.status_code >= 500 else response

    def insist(self, endpoint, stop, **data):
        """Ask until there is an answer; return it, and whether an outcome before it is unknown."""
        doubt = False
        for _ in range(TRIES):
            response = self.ask(endpoint, **data)
            if response is not None:
                return response, doubt
            doubt = True
            if stop.wait(0.7):
                break
        return None, doubt


class ClientThread(threading.Thread):
    """One client program with the browser of its person."""

    def __init__(self, asking, party, stop, pause):
        super().__init__(daemon=True)
        self.asking, self.ledger, self.rng = asking, asking.ledger, asking.rng
        self.party, self.stopped, self.pause = party, stop, pause
        self.mine: list[Family] = []
        self.browser, self.balancer = None, None
        self.signed_in_at = 0.0

    def run(self):
        try:
            while not self.stopped.wait(self.rng.uniform(0.5, 1.5) * self.pause):
                self.step()
        except Exception as error:
            self.ledger.fault("client", f"{type(error).__name__}: {error}")
            raise
        finally:
            self.asking.http.close()

    def step(self):
        """Do one thing."""
        live = [family for family in self.mine if not family.revoked]
        if len(live) < 4 or (self.rng.random() < 0.2 and len(self.mine) < MOST_FAMILIES):
            self.authorize()
            return
        family = self.rng.choice(live)
        doings = (self.refresh, self.introspect, self.revoke, self.again, self.both, self.replay)
        (do,) = self.rng.choices(doings, (40, 40, 4, 6, 6, 4))
        do(family)

    # --- The person ---

    def authorize(self):
        """Get a code by browser, and redeem it."""
        verifier = secrets.token_urlsafe(48)
        try:
            code = self.code(verifier)
        except (httpx.TransportError, _NoAnswer):
            return
        if code:
            self.redeem(Family(code=code, verifier=verifier))

    def code(self, verifier):
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if self.browser is None or self.rng.random() < 0.03:
            self.browser = Browser(HOME)
            self.browser.http.close()
            self.balancer = _Balancer(self.asking.node())
            self.browser.http = httpx.Client(
                base_url=HOME, transport=self.balancer, timeout=30, trust_env=False
            )
            self.signed_in_at = 0.0
        self.balancer.node = self.asking.node()
        page = self._page(
            "authorize",
            self.browser.get,
            f"/o/authorize/?response_type=code&client_id={self.party[0]}&scope=openid+read&redirect_uri={CALLBACK}"
            f"&code_challenge={challenge}&code_challenge_method=S256",
        )
        if "login-submit" in page.text:
            if self.signed_in_at:
                self.ledger.fault("session", "a session that was acknowledged is unknown")
            page = self._page("login", self.browser.sign_in, USER, PASSWORD)
        if "consent-allow" in page.text:
            page = self._page("consent", self.browser.submit, "consent-allow")
        if "location" not in page.headers:
            self.ledger.fault("page", f"authorize: {page.status_code} {page.text[:2000]}")
            self.browser = None
            return None
        self.signed_in_at = time.monotonic()
        self.ledger.acknowledge("codes")
        return sent_back(page).get("code")

    def _page(self, name, visit, *words):
        began, page, node = time.monotonic(), None, self.balancer.node
        try:
            page = visit(*words)
        except httpx.TransportError:
            self.browser = None
        self.ledger.answered(node.number, name, page, time.monotonic() - began)
        if page is None or page.status_code >= 500:
            self.browser = None  # an unknown outcome: begin with another session
            raise _NoAnswer
        return page

    # --- The client ---

    def _took(self, family, response, what):
        """Keep the tokens of an answer."""
        told = response.json()
        family.before, family.refresh, family.access = (
            family.refresh,
            told["refresh_token"],
            told["access_token"],
        )
        family.rotated_at = time.monotonic()
        self.ledger.acknowledge(what)

    def _gone(self, family, doubt, what, response):
        """Note that a request was refused which an acknowledged token should have let through."""
        if not doubt:
            self.ledger.fault("lost", f"{what}: {response.status_code} {response.text[:200]}")
        if family in self.mine:
            self.mine.remove(family)
        self.ledger.forget(family)

    def redeem(self, family):
        response, doubt = self.asking.insist(
            "token",
            self.stopped,
            grant_type="authorization_code",
            code=family.code,
            code_verifier=family.verifier,
            redirect_uri=CALLBACK,
        )
        if response is None:
            self.ledger.forget(family)
        elif response.status_code == 200:
            self._took(family, response, "redeemed")
            self.mine.append(family)
            self.ledger.keep(family)
        else:
            self._gone(family, doubt, "a code", response)

    def refresh(self, family):
        given = {"grant_type": "refresh_token", "refresh_token": family.refresh}
        response, doubt = self.asking.insist("token", self.stopped, **given)
        if response is None:
            self._drop(family)
        elif response.status_code == 200:
            self._took(family, response, "refreshed")
        else:
            self._gone(family, doubt, "a refresh token", response)

    def _drop(self, family):
        self.mine.remove(family)
        self.ledger.forget(family)

    def introspect(self, family):
        response = self.asking.ask("introspect", token=family.access)
        if response is None:
            return
        self.ledger.acknowledge("introspected")
        if response.json().get("active") is not True:
            self.ledger.fault("lost", f"an access token: {response.status_code} {response.text[:100]}")
            self._drop(family)

    def revoke(self, family):
        response, _ = self.asking.insist("revoke_token", self.stopped, token=family.refresh)
        if response is None:
            self._drop(family)
            return
        family.revoked = True
        self.ledger.acknowledge("revoked")
        response = self.asking.ask("introspect", token=family.access)
        if response is not None and response.json() != {"active": False}:
            self.ledger.fault("revocation lost", response.text[:100])

    def again(self, family):
        """Send the refresh token before once more: within the grace it gives the same tokens."""
        if not family.before or time.monotonic() - family.rotated_at > GRACE_SECONDS:
            self.refresh(family)
        if (
            not family.before
            or time.monotonic() - family.rotated_at > GRACE_SECONDS
            or family not in self.mine
        ):
            return
        response = self.asking.ask("token", grant_type="refresh_token", refresh_token=family.before)
        if response is None:
            self._drop(family)
        elif response.status_code != 200:
            self._gone(family, time.monotonic() - family.rotated_at > GRACE_SECONDS, "in its grace", response)
        elif response.json()["refresh_token"] != family.refresh:
            self.ledger.fault("doubled", "a refresh token that was rotated gave another one")
        else:
            self.ledger.acknowledge("repeated")

    def both(self, family):
        """Refresh at both nodes at once: both get the same tokens."""
        given = {"grant_type": "refresh_token", "refresh_token": family.refresh}
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda node: self.asking.ask("token", node, **given), self.asking.nodes))
        there = [answer for answer in answers if answer is not None]
        good = [answer for answer in there if answer.status_code == 200]
        if len({answer.json()["refresh_token"] for answer in good}) > 1:
            self.ledger.fault("doubled", "a refresh token that was sent to both nodes gave two")
        if good and len(good) == len(there):
            self._took(family, good[0], "refreshed")
        elif there:
            self._gone(family, len(there) < 2, "a refresh token sent twice", there[0])
        else:
            self._drop(family)

    def replay(self, family):
        """Redeem a code again: that is refused, and ends the authorization (RFC 6749 §4.1.2)."""
        response, _ = self.asking.insist(
            "token",
            self.stopped,
            grant_type="authorization_code",
            code=family.code,
            code_verifier=family.verifier,
            redirect_uri=CALLBACK,
        )
        if response is None:
            self._drop(family)
        elif response.status_code == 200:
            self.ledger.fault("doubled", "a code was redeemed twice")
        else:
            family.revoked = True
            self.ledger.acknowledge("replays refused")


def judged(families, asking, nodes):
    """Ask every node about every authorization at the end; count what does not hold."""
    never = threading.Event()

    def judge(family):
        for node in nodes:
            response, _ = asking.insist("introspect", never, node=node, token=family.access)
            active = None if response is None else response.json().get("active")
            if active is None:
                asking.ledger.fault("no answer at the end", f"node {node.number}")
            elif active is family.revoked:
                kind = "revocation lost" if family.revoked else "lost"
                asking.ledger.fault(kind, f"at the end, node {node.number}: {response.text[:100]}")
        if not family.revoked:
            response, _ = asking.insist(
                "token", never, grant_type="refresh_token", refresh_token=family.refresh
            )
            if response is None or response.status_code != 200:
                asking.ledger.fault(
                    "lost", f"at the end, a refresh token: {response and response.text[:100]}"
                )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(judge, families))


def rng_of(seed, number):
    """Return the random numbers of one client, which a seed repeats."""
    return random.Random(f"{seed} {number}")
