"""What a client of the Model Context Protocol meets: known by a document, bound to a server, asked each time."""

import pytest
from security.driving import HOST, answered, error_of
from security.house import House
from support.client_documents import URL
from support.client_world import PARTY, World, ask

from portula.errors import ConfigError, InvalidClientMetadata

SERVER, OTHER = f"{HOST}/resource", "https://other.example/mcp"


@pytest.fixture(scope="module")
def world():
    return World(PROFILE="mcp", PROTECTED_RESOURCES={SERVER: {"scopes": ["read"]}, OTHER: {}})


def test_its_defaults_are_in_force(world):
    value = world.house.provider.all_settings.value
    assert value("ACCESS_TOKEN_EXPIRE_SECONDS") == 3600
    assert value("RESOURCE_INDICATORS_DEFAULT") == SERVER
    assert value("REQUEST_APPROVAL_PROMPT") == "force"


def test_a_client_finds_all_from_the_challenge(world):
    challenge = world.door.open("/resource").headers["WWW-Authenticate"]
    place = challenge.partition('resource_metadata="')[2].partition('"')[0].removeprefix(HOST)
    document = world.door.open(place).json
    assert document["resource"] == SERVER
    assert document["scopes_supported"] == ["read"]
    assert "offline_access" not in document["scopes_supported"]


@pytest.mark.parametrize(("resource", "status"), [(SERVER, 200), (None, 200), (OTHER, 401)])
def test_a_token_is_for_one_server(world, resource, status):
    tokens = world.tokens(scope="read", **({"resource": resource} if resource else {}))
    assert tokens["expires_in"] <= 3600
    assert world.door.resource(tokens["access_token"]).status_code == status


def test_a_resource_that_nobody_knows_is_refused(world):
    answer = ask(world.house.browser(), scope="read", resource="https://evil.example/mcp")
    assert answered(answer)["error"] == "invalid_target"


def test_refresh_tokens_of_public_clients_are_replaced(world):
    first = world.tokens(scope="read")["refresh_token"]
    second = world.door.refresh(PARTY, first).json["refresh_token"]
    assert second != first
    assert error_of(world.door.refresh(PARTY, first)) == "invalid_grant"


def test_the_person_is_asked_each_time(world):
    """Clients that are registered too."""
    browser, party = world.house.browser(), world.house.public_client()
    assert "code" in answered(browser.authorize(party))
    for asking in (party, PARTY):
        assert "consent-allow" in ask(browser, asking).text


def test_a_redirect_by_http_is_for_the_own_computer(world):
    with pytest.raises(InvalidClientMetadata, match="https, or http on loopback"):
        world.house.client(redirect_uris=("http://app.example/cb",))
    world.publish(f"{URL}.own", redirect_uris=["http://localhost/cb"])
    assert world.find(f"{URL}.own") is not None


@pytest.mark.parametrize(
    "missing", [{}, {"PLUGINS_BLOCKED": ["protected_resource"]}, {"PLUGINS_BLOCKED": ["cimd"]}]
)
def test_what_it_needs_has_to_be_there(missing):
    with pytest.raises(ConfigError, match="mcp"):
        House(discover=True, PROFILE="mcp", **missing)


@pytest.mark.parametrize("issuer", ["", "http://127.0.0.1:5000/o"])
def test_in_development_loopback_does(issuer):
    house = House(
        PROFILE="mcp", OIDC_ISS_ENDPOINT=issuer, PROTECTED_RESOURCES={"http://127.0.0.1:5000/mcp": {}}
    )
    assert house.door().open("/.well-known/oauth-protected-resource/mcp").status_code == 200
