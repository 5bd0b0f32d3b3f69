"""Clients of the Model Context Protocol that are web pages: what they read of answers (Fetch standard, CORS)."""

import json

import pytest
from security.driving import HOST, Party, bearer
from security.house import House
from support.client_world import PARTY, World

CALLBACKS = ["http://localhost:6274/oauth/callback", "https://tool.example/callback"]
METADATA = [
    "/.well-known/oauth-protected-resource/resource",
    "/.well-known/oauth-authorization-server/o",
    "/o/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration/o",
    "/o/.well-known/openid-configuration",
    "/o/.well-known/jwks.json",
]
FORM = ["/o/token/", "/o/revoke_token/"]
EVIL = "https://evil.example"


@pytest.fixture(scope="module")
def house():
    return House(
        OIDC_ENABLED=True,
        PROFILE="mcp",
        PROTECTED_RESOURCES={f"{HOST}/resource": {}},
        DCR_ENABLED=True,
        DCR_REGISTRATION_MODE="open",
    )


class Page:
    """A page of some origin, by the rules of a browser."""

    def __init__(self, house, origin):
        self.door, self.origin = house.door(), origin

    def readable(self, answer):
        return answer.headers.get("Access-Control-Allow-Origin") in ("*", self.origin)

    def asks_first(self, path, method, headers):
        """Say whether the preflight lets a request with these headers be sent."""
        asked = {
            "Origin": self.origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": ", ".join(headers),
        }
        answer = self.door.open(path, method="OPTIONS", headers=asked)
        allowed = answer.headers.get("Access-Control-Allow-Headers", "").lower().split(", ")
        methods = answer.headers.get("Access-Control-Allow-Methods", "").split(", ")
        return self.readable(answer) and method in methods and set(headers) <= set(allowed)

    def post(self, path, data, **headers):
        return self.door.open(path, method="POST", data=data, headers={"Origin": self.origin, **headers})

    def register(self, callback):
        document = {
            "client_name": "A page",
            "redirect_uris": [callback],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }
        answer = self.post("/o/register/", json.dumps(document), **{"Content-Type": "application/json"})
        assert answer.status_code == 201, answer.text
        assert self.readable(answer)
        return Party(answer.json["client_id"], None, callback)


def origin_of(callback):
    return "/".join(callback.split("/")[:3])


@pytest.mark.parametrize("origin", [*map(origin_of, CALLBACKS), EVIL])
@pytest.mark.parametrize("path", METADATA)
def test_any_page_reads_metadata(house, path, origin):
    page = Page(house, origin)
    assert page.asks_first(path, "GET", ["mcp-protocol-version"])
    answer = page.door.open(path, headers={"Origin": origin, "MCP-Protocol-Version": "2026-07-28"})
    assert answer.status_code == 200
    assert page.readable(answer)


@pytest.mark.parametrize("callback", CALLBACKS)
def test_a_page_registers_and_gets_tokens(house, callback):
    page = Page(house, origin_of(callback))
    for path in (*FORM, "/o/register/"):
        assert page.asks_first(path, "POST", ["authorization", "content-type", "mcp-protocol-version"])
    party = page.register(callback)
    browser = house.browser()
    code, verifier = browser.code(party)
    assert not any("Access-Control" in name for seen in browser.seen for name in seen.headers.keys())  # noqa: SIM118
    form = {"client_id": party.client_id, "grant_type": "authorization_code", "code": code}
    tokens = page.post("/o/token/", {**form, "redirect_uri": callback, "code_verifier": verifier})
    assert tokens.status_code == 200, tokens.text
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens.json["refresh_token"]}
    again = page.post("/o/token/", {"client_id": party.client_id, **refresh})
    spent = page.post("/o/token/", {"client_id": party.client_id, **refresh})
    assert (again.status_code, spent.status_code) == (200, 400)
    revoked = page.post(
        "/o/revoke_token/", {"client_id": party.client_id, "token": again.json["access_token"]}
    )
    assert revoked.status_code == 200
    assert all(map(page.readable, (tokens, again, spent, revoked)))
    assert house.door().resource(again.json["access_token"]).status_code == 401


def test_no_other_page_reads_tokens(house):
    party = Page(house, origin_of(CALLBACKS[0])).register(CALLBACKS[0])
    code, _ = house.browser().code(party)
    form = {"client_id": party.client_id, "grant_type": "authorization_code", "code": code}
    others = (EVIL, "http://localhost:6275", "https://localhost:6274", "http://localhost", "null")
    for origin in others:
        page = Page(house, origin)
        for path in FORM:
            assert not page.readable(page.post(path, {**form, "token": "x", "code_verifier": "x" * 43}))


def test_a_page_manages_its_registration(house):
    page = Page(house, origin_of(CALLBACKS[1]))
    document = json.dumps({"redirect_uris": [CALLBACKS[1]], "token_endpoint_auth_method": "none"})
    made = page.post("/o/register/", document, **{"Content-Type": "application/json"}).json
    place = made["registration_client_uri"].removeprefix(HOST)
    for method in ("GET", "DELETE"):
        assert page.asks_first(place, method, ["authorization"])
        headers = {"Origin": page.origin, **bearer(made["registration_access_token"])}
        assert page.readable(page.door.open(place, method=method, headers=headers))


def test_a_page_that_is_known_by_a_document_reads_its_tokens():
    world = World(PROFILE="mcp", PROTECTED_RESOURCES={f"{HOST}/resource": {}})
    code, verifier = world.house.browser().code(PARTY)
    form = {"client_id": PARTY.client_id, "grant_type": "authorization_code", "code": code}
    form |= {"redirect_uri": PARTY.redirect_uri, "code_verifier": verifier}
    for origin, status in ((EVIL, 200), (origin_of(PARTY.redirect_uri), 400)):
        page = Page(world.house, origin)
        answer = page.post("/o/token/", form)
        assert (answer.status_code, page.readable(answer)) == (status, origin != EVIL)


@pytest.mark.parametrize("mode", ["initial_access_token", "open"])
def test_registration_by_pages_is_for_where_everybody_may(mode):
    house = House(
        PROFILE="mcp",
        PROTECTED_RESOURCES={f"{HOST}/resource": {}},
        DCR_ENABLED=True,
        DCR_REGISTRATION_MODE=mode,
    )
    assert Page(house, EVIL).asks_first("/o/register/", "POST", ["content-type"]) == (mode == "open")
