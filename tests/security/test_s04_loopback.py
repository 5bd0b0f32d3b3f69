"""S04: any port for native clients on literal loopback addresses only; plain http nowhere else (RFC 8252 §7.3)."""

import pytest

from portula.errors import InvalidClientMetadata
from security.driving import answered

ADDRESSES = ["127.0.0.1", "[::1]"]


@pytest.fixture
def native(house):
    uris = tuple(f"http://{address}/cb" for address in ADDRESSES)
    return house.public_client(application_type="native", redirect_uris=uris)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("port", ["", ":1", ":8080", ":51004", ":65535"])
def test_a_native_client_listens_on_any_port(browser, native, address, port):
    uri = f"http://{address}{port}/cb"
    response = browser.authorize(native, redirect_uri=uri)
    assert response.location.startswith(f"{uri}?code=")


def test_the_port_of_the_request_counts_at_the_token_endpoint(browser, door, native):
    uri = "http://127.0.0.1:51004/cb"
    code, verifier = browser.code(native, redirect_uri=uri)
    other = door.redeem(native, code, verifier, redirect_uri="http://127.0.0.1:51005/cb")
    assert other.json["error"] == "invalid_grant"
    assert door.redeem(native, code, verifier, redirect_uri=uri).status_code == 200


def test_a_native_client_cannot_vary_a_port_elsewhere(house, browser):
    uris = ("https://client.example/cb", "http://localhost:8000/cb")
    client = house.public_client(application_type="native", redirect_uris=uris)
    for uri in ("https://client.example:8443/cb", "http://localhost:8001/cb", "http://localhost/cb"):
        assert browser.authorize(client, redirect_uri=uri).status_code == 400
    assert answered(browser.authorize(client, redirect_uri="http://localhost:8000/cb"))["code"]


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:8000/cb", "http://[::1]:8000/cb", "http://localhost:8000/cb"]
)
def test_any_client_may_have_an_exact_loopback_uri(house, browser, uri):
    client = house.client(redirect_uris=(uri,))
    assert answered(browser.authorize(client))["code"]
    assert browser.authorize(client, redirect_uri=uri.replace("8000", "8001")).status_code == 400


def test_without_http_among_the_schemes_no_loopback_uri_is_registered(make_house):
    house = make_house(ALLOWED_REDIRECT_URI_SCHEMES=["https"])
    with pytest.raises(InvalidClientMetadata, match="http"):
        house.client(redirect_uris=("http://127.0.0.1:8000/cb",))


@pytest.mark.parametrize(
    "host",
    [
        "client.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.2",
        "10.0.0.1",
        "0.0.0.0",
        "127.1",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "[::2]",
        "localhost.",
    ],
)
@pytest.mark.parametrize("application_type", ["web", "native"])
def test_plain_http_on_another_host_is_not_registered(house, host, application_type):
    with pytest.raises(InvalidClientMetadata):
        house.client(redirect_uris=(f"http://{host}/cb",), application_type=application_type)


def test_consent_for_a_native_client_is_asked_again_each_time(make_house):
    """RFC 8252 §8.6: nothing proves that it is the same app."""
    house = make_house(REQUEST_APPROVAL_PROMPT="auto")
    browser = house.browser()
    native = house.public_client(application_type="native", redirect_uris=("http://127.0.0.1/cb",))
    proven = house.client()
    for _ in range(2):
        assert browser.consent_page(native).status_code == 200
        assert browser.authorize(native).status_code == 302
    assert browser.authorize(proven).status_code == 302
    assert browser.ask(proven).status_code == 302
