"""Who may use any port on loopback, and how a client hears that it may not (RFC 8252 §7.3, §8.3)."""

import pytest

HINT = "ALLOW_LOCALHOST_LOOPBACK"


@pytest.fixture(scope="module")
def lenient(make):
    return make(ALLOW_LOCALHOST_LOOPBACK=True)


def native(world, *uris):
    return world.public(application_type="native", redirect_uris=uris)


@pytest.mark.parametrize("registered", ["http://localhost/callback", "http://localhost:3000/callback"])
@pytest.mark.parametrize("port", ["", ":51234", ":3000"])
def test_a_setting_lets_native_clients_use_any_port_on_localhost(lenient, sent, registered, port):
    uri = f"http://localhost{port}/callback"
    client = native(lenient, registered)
    code, verifier = lenient.code(client, redirect_uri=uri)
    assert lenient.redeem(client, code, verifier, redirect_uri=uri).status_code == 200


def test_without_it_the_error_names_the_setting(world):
    response = world.ask(
        native(world, "http://localhost/callback"), redirect_uri="http://localhost:51234/callback"
    )
    assert (response.status_code, response.location) == (400, None)
    assert HINT in response.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_client_that_is_not_native_is_told_so(lenient, host):
    client = lenient.public(redirect_uris=(f"http://{host}/callback",))
    response = lenient.ask(client, redirect_uri=f"http://{host}:51234/callback")
    assert response.status_code == 400
    assert "only native clients" in response.text


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:51234/other",
        "https://localhost:51234/callback",
        "http://localhost:51234@evil.example/callback",
        "http://localhost.evil.example:51234/callback",
        "http://localhost:65536/callback",
        "http://LOCALHOST:51234/callback",
        "http://127.0.0.1:51234/callback",
    ],
)
def test_nothing_but_the_port_may_differ(lenient, uri):
    response = lenient.ask(native(lenient, "http://localhost/callback"), redirect_uri=uri)
    assert (response.status_code, response.location) == (400, None)
    assert HINT not in response.text
