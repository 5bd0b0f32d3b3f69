"""The profile `mcp` for single clients of a server that has none, and people who are asked about trusted clients."""

import pytest
from security.driving import HOST, answered, error_of
from security.house import House

from portula.errors import InvalidClientMetadata
from portula.plugin import Application

SERVER = f"{HOST}/resource"
LOOSE = {
    "CIMD_ENABLED": True,
    "PROTECTED_RESOURCES": {SERVER: {"scopes": ["read"]}, "https://other.example/mcp": {}},
    "REQUEST_APPROVAL_PROMPT": "auto",
    "ACCESS_TOKEN_EXPIRE_SECONDS": 36000,
    "PKCE_REQUIRED": False,
    "REFRESH_TOKEN_EXPIRE_SECONDS": None,
}
HELD = {"profile": "mcp"}


@pytest.fixture(scope="module")
def loose():
    """A house whose settings are all below the profile."""
    return House(**LOOSE)


@pytest.fixture
def parties(loose):
    """A client that is held to the profile, and one that is not."""
    return loose.public_client(metadata=HELD), loose.public_client()


def is_asked(browser, party, **parameters):
    return "consent-allow" in browser.consent_page(party, **parameters).text


def test_tokens_of_the_client_alone_are_short_and_for_one_server(loose, parties):
    held, free = parties
    first, other = loose.tokens(held), loose.tokens(free)
    assert (first["expires_in"], other["expires_in"]) == (3600, 36000)
    assert loose.door().resource(first["access_token"]).status_code == 200
    elsewhere = loose.tokens(held, resource="https://other.example/mcp")["access_token"]
    assert loose.door().resource(elsewhere).status_code == 401


def test_pkce_is_needed_of_the_client_alone(loose):
    held, free = loose.client(metadata=HELD), loose.client()
    assert answered(loose.browser().ask(held))["error"] == "invalid_request"
    assert loose.browser().ask(free).status_code == 302
    assert "login" in loose.browser().ask(free).location


def test_people_are_asked_each_time_of_the_client_alone(loose):
    held, free = loose.client(metadata=HELD), loose.client()
    browser = loose.browser()
    for party in (held, free):
        assert "code" in answered(browser.authorize(party))
    assert is_asked(browser, held)
    assert not is_asked(browser, free)


def test_refresh_tokens_of_the_client_alone_end(loose, parties):
    first, other = (loose.tokens(party)["refresh_token"] for party in parties)
    assert loose.door().refresh(parties[0], first).status_code == 200
    last = loose.tokens(parties[0])["refresh_token"]
    loose.clock.forward(30 * 24 * 3600 + 1)
    assert error_of(loose.door().refresh(parties[0], last)) == "invalid_grant"
    assert loose.door().refresh(parties[1], other).status_code == 200


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("redirect_uris", {"redirect_uris": ("http://app.example/cb",)}),
        ("grant_types", {"grant_types": ("implicit",)}),
        ("grant_types", {"grant_types": ("authorization_code", "password")}),
        ("require_pkce", {"require_pkce": False}),
        ("skip_authorization", {"skip_authorization": True}),
    ],
)
def test_a_client_below_it_is_not_registered(loose, field, fields):
    with pytest.raises(InvalidClientMetadata, match=f"{field}"):
        loose.client(metadata=HELD, **fields)


@pytest.mark.parametrize("missing", [{"PROTECTED_RESOURCES": {}}, {"CIMD_ENABLED": False}])
def test_a_client_needs_what_the_profile_needs_of_the_server(missing):
    house = House(**{**LOOSE, **missing})
    with pytest.raises(InvalidClientMetadata, match="mcp without"):
        house.client(metadata=HELD)


# --- Trust ---


def test_a_client_that_was_trusted_before_gets_nothing(tmp_path):
    before = House(folder=tmp_path)
    party = before.client(skip_authorization=True)
    assert before.tokens(party)
    before.close()
    house = House(folder=tmp_path, PROFILE="mcp", PROTECTED_RESOURCES={SERVER: {}})
    try:
        page = house.browser().consent_page(party)
        assert page.status_code == 400
        assert "Location" not in page.headers
        house.change(party, skip_authorization=False)
        assert is_asked(house.browser(), party)
    finally:
        house.close()


class AlwaysTrusted(Application):
    @property
    def skip_authorization(self):
        return True


class TrustedByRequest(Application):
    def skip_authorization(self, request):
        return request.client.client_id == self.client_id


@pytest.mark.parametrize("model", [AlwaysTrusted, TrustedByRequest])
@pytest.mark.parametrize("held", ["server", "client", "nobody"])
def test_a_class_that_computes_trust_does_not_pass_the_person_by(model, held):
    own = {"PROFILE": "mcp", "PROTECTED_RESOURCES": {SERVER: {}}} if held == "server" else LOOSE
    house = House(APPLICATION_MODEL=model, OIDC_ENABLED=True, **own)
    party, browser = house.client(metadata=HELD if held == "client" else {}), house.browser()
    for _ in range(2):
        assert is_asked(browser, party) == (held != "nobody")
    silent = answered(browser.consent_page(party, scope="openid", prompt="none"))
    assert silent.get("error") == (None if held == "nobody" else "consent_required")
