"""Which redirect URIs are registered, chosen and compared (RFC 6749 §3.1.2 and §4.1.3, RFC 8252 §7)."""

import pytest

from portula import Plugin
from portula.errors import InvalidClientMetadata
from portula.plugin import Application, ClientRegistration
from portula_testing.writing import change_in

ONE, TWO = "https://client.example/cb", "https://client.example/other"
LOOPBACK = "http://127.0.0.1:8080/cb"


# --- ALLOWED_REDIRECT_URI_SCHEMES ---


@pytest.mark.parametrize(
    ("schemes", "uri", "fine"),
    [
        (["http", "https"], ONE, True),
        (["http", "https"], LOOPBACK, True),
        (["http", "https"], "http://localhost/cb", True),
        (["http", "https"], "http://client.example/cb", False),
        (["http", "https"], "myapp://cb", False),
        (["https"], LOOPBACK, False),
        (["https", "myapp"], "myapp://cb", True),
        (["HTTPS"], ONE, True),
    ],
)
def test_allowed_redirect_uri_schemes_decides_what_is_registered(make, schemes, uri, fine):
    world = make(ALLOWED_REDIRECT_URI_SCHEMES=schemes)
    if fine:
        client = world.client(redirect_uris=(uri,))
        assert world.ask(client, redirect_uri=uri).status_code == 200
    else:
        with pytest.raises(InvalidClientMetadata, match="redirect URI"):
            world.client(redirect_uris=(uri,))


@pytest.mark.parametrize("asked", [{"redirect_uri": LOOPBACK}, {"redirect_uri": None}])
def test_a_scheme_that_is_no_longer_allowed_is_no_longer_redirected_to(make, asked):
    world = make(ALLOWED_REDIRECT_URI_SCHEMES=["https"])
    client = world.client()
    change_in(world.provider.storage, Application, {"client_id": client.client_id}, redirect_uris=(LOOPBACK,))
    response = world.ask(client, **asked)
    assert (response.status_code, response.location) == (400, None)


def test_a_native_client_may_use_a_scheme_of_its_own_without_a_setting(world):
    uri = "com.example.app:/cb"
    client = world.public(application_type="native", redirect_uris=(uri,))
    response = world.authorize(client, redirect_uri=uri)
    assert response.location.startswith(f"{uri}?code=")
    with pytest.raises(InvalidClientMetadata, match="has the scheme"):
        world.public(redirect_uris=(uri,))


def test_a_client_class_may_bring_schemes_of_its_own(make):
    from dataclasses import dataclass

    @dataclass(frozen=True, kw_only=True)
    class Lax(Application):
        def get_allowed_schemes(self):
            return ("myapp",)

    world = make()
    provider = world.provider

    def judge(uri):
        client = Lax(client_id="lax", redirect_uris=(uri,))
        registration = ClientRegistration(provider=provider, application=client)
        provider.hooks.hear(Plugin.portula_validate_client_registration, registration)

    judge("myapp://cb")
    with pytest.raises(InvalidClientMetadata, match="allowed: myapp"):
        judge(ONE)


# --- The default ---


def test_the_only_registered_uri_is_the_default(world):
    client = world.client()
    response = world.authorize(client, redirect_uri=None)
    assert response.location.startswith(f"{ONE}?code=")


def test_of_several_registered_uris_one_must_be_named(world):
    client = world.client(redirect_uris=(ONE, TWO))
    response = world.ask(client, redirect_uri=None)
    assert (response.status_code, response.location) == (400, None)
    assert world.authorize(client, redirect_uri=TWO).location.startswith(f"{TWO}?code=")


def test_a_client_of_the_code_grant_needs_a_uri(world):
    with pytest.raises(InvalidClientMetadata, match="needs a redirect URI"):
        world.client(redirect_uris=())
    world.client(redirect_uris=(), grant_types=("client_credentials",))


# --- At the token endpoint ---


def test_what_the_authorization_request_named_must_come_again(world, refused):
    client = world.client(redirect_uris=(ONE, TWO))
    for wrong in (None, TWO, f"{ONE}/", ONE.upper()):
        code, verifier = world.code(client, redirect_uri=ONE)
        response = world.redeem(client, code, verifier, redirect_uri=wrong)
        assert refused(response) == "invalid_grant"
        assert world.redeem(client, code, verifier, redirect_uri=ONE).status_code == 200


def test_named_once_it_must_be_named_again_even_where_there_is_only_one(world, refused):
    client = world.client()
    code, verifier = world.code(client, redirect_uri=ONE)
    assert refused(world.redeem(client, code, verifier, redirect_uri=None)) == "invalid_grant"


@pytest.mark.parametrize("again", [None, ONE])
def test_left_out_at_first_it_may_be_left_out_again(world, again):
    client = world.client()
    code, verifier = world.code(client, redirect_uri=None)
    assert world.redeem(client, code, verifier, redirect_uri=again).status_code == 200


def test_left_out_at_first_another_one_is_refused(world, refused):
    client = world.client()
    code, verifier = world.code(client, redirect_uri=None)
    assert refused(world.redeem(client, code, verifier, redirect_uri=TWO)) == "invalid_grant"


def test_a_native_client_gets_its_code_at_the_port_it_listens_on(world, refused):
    client = world.public(application_type="native", redirect_uris=("http://127.0.0.1/cb",))
    for port in (49152, 1):
        here, elsewhere = f"http://127.0.0.1:{port}/cb", f"http://127.0.0.1:{port + 1}/cb"
        code, verifier = world.code(client, redirect_uri=here)
        assert refused(world.redeem(client, code, verifier, redirect_uri=elsewhere)) == "invalid_grant"
        assert world.redeem(client, code, verifier, redirect_uri=here).status_code == 200
