"""What clients do that ask for people who are elsewhere, and those people (OpenID Connect CIBA)."""

import json
import secrets

from security.driving import HOST

from portula import hookimpl
from portula.errors import FetchFailed
from portula.plugin import Fetcher as BaseFetcher
from portula.plugin import FetchResponse

GRANT = "urn:openid:params:grant-type:ciba"
PATH = "/o/bc-authorize/"
NOTIFICATIONS = "https://till.example/told"


def till(house, **fields):
    """Register a client that may ask."""
    return house.client(
        **{"name": "A till", "grant_types": (GRANT, "refresh_token"), "redirect_uris": (), **fields}
    )


def asked(house, party, door=None, **form):
    """Ask for a person, and return the answer; None leaves a parameter out."""
    given = {"scope": "openid read", "login_hint": "ann", **form}
    given = {name: value for name, value in given.items() if value is not None}
    here = {"REMOTE_ADDR": "127.0.0.1"}
    return (door or house.door()).post(PATH, {**party.body, **given}, party.auth, environ_base=here)


def begun(house, party, **form):
    """Ask for a person, and return the members of the answer."""
    answer = asked(house, party, **form)
    assert answer.status_code == 200, answer.text
    return answer.json


def poll(house, party, members, door=None, **form):
    """Ask for the tokens."""
    door = door or house.door()
    return door.token(party, grant_type=GRANT, auth_req_id=members["auth_req_id"], **form)


def pages(browser):
    """Return where the requests are that the page of a person who is signed in shows, the newest first."""
    listed = browser.get("/o/ciba/")
    assert listed.status_code == 200, listed.text
    found = [part.partition('"')[0] for part in listed.text.split('href="')[1:]]
    return [url for url in found if "backchannel_request=" in url]


def opened(browser):
    """Open the newest request that waits for the person who is signed in."""
    return browser.get(pages(browser)[0])


def decided(browser, button="consent-allow"):
    """Answer the newest request, and return the page behind it."""
    sent = browser.submit(opened(browser), button)
    assert sent.status_code == 303, sent.text
    return browser.get(sent.location)


def object_claims(house, party, **changed):
    """Return the claims of a signed request; None leaves one out."""
    now = int(house.clock.time)
    given = {
        "iss": party.client_id,
        "aud": f"{HOST}/o",
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "jti": secrets.token_hex(8),
        "scope": "openid read",
        "login_hint": "ann",
        **changed,
    }
    return {name: value for name, value in given.items() if value is not None}


class Receiver(BaseFetcher):
    """Where clients are told: keeps what was sent, and answers by `status`."""

    def __init__(self, status=204):
        self.status, self.heard = status, []

    @hookimpl
    def portula_fetcher(self, provider):
        return self

    def get(self, url, *, accept, max_bytes=65536):
        raise FetchFailed("nothing is here")

    def post(self, url, body, *, headers=None, max_bytes=65536):
        self.heard.append((url, json.loads(body), dict(headers)))
        if self.status >= 300:
            raise FetchFailed(f"answers {self.status}", status=self.status)
        return FetchResponse(self.status, "", b"")
