"""A client is registered for a method only with what that method needs."""

from dataclasses import replace

import pytest

from portula import Plugin
from portula.errors import InvalidClientMetadata
from portula.plugin import read_client_metadata
from portula_testing.jws import TokenKey


def why(work, *arguments, **named):
    with pytest.raises(InvalidClientMetadata) as caught:
        work(*arguments, **named)
    assert caught.value.error == "invalid_client_metadata"
    return str(caught.value)


def test_a_client_of_private_key_jwt_needs_keys(world, key):
    given = {"token_endpoint_auth_method": "private_key_jwt"}
    assert "jwks or jwks_uri" in why(world.client, **given)
    assert world.client(key)
    assert world.client(metadata={"jwks_uri": "https://client.example/jwks"}, **given)


def test_a_client_of_client_secret_jwt_needs_a_secret_that_can_be_read(world):
    message = why(world.client, token_endpoint_auth_method="client_secret_jwt")
    assert "--no-hash-client-secret" in message
    assert world.sealed_client()


@pytest.mark.parametrize(("algorithm", "size"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_is_as_long_as_its_algorithm_asks(make_world, algorithm, size):
    """RFC 7518 §3.2."""
    metadata = {"token_endpoint_auth_signing_alg": algorithm}
    world = make_world(CLIENT_SECRET_GENERATOR_LENGTH=size)
    assert world.sealed_client(metadata=metadata)
    if size > 32:
        shorter = make_world(CLIENT_SECRET_GENERATOR_LENGTH=size - 1)
        assert f"at least {size} bytes" in why(shorter.sealed_client, metadata=metadata)


def test_public_clients_have_none_of_these_methods(world, key):
    assert "confidential" in why(world.client, key, public=True)
    assert "confidential" in why(world.client, token_endpoint_auth_method="client_secret_jwt", public=True)


@pytest.mark.parametrize(
    ("method", "algorithm", "fits"),
    [
        ("private_key_jwt", "ES256", True),
        ("private_key_jwt", "RS512", False),
        ("private_key_jwt", "HS256", False),
        ("private_key_jwt", "none", False),
        (None, "ES256", True),
        (None, "HS256", True),
        (None, "none", False),
    ],
)
def test_the_algorithm_is_one_of_the_method(world, key, method, algorithm, fits):
    metadata = {"jwks": key.jwks, "token_endpoint_auth_signing_alg": algorithm}
    given = {"token_endpoint_auth_method": method, "metadata": metadata}
    if fits:
        assert world.client(**given)
    else:
        assert "token_endpoint_auth_signing_alg" in why(world.client, **given)


def test_the_members_are_read_from_client_metadata(world, key):
    members = {member.name: member for member in world.provider.hooks.collect(Plugin.portula_client_metadata)}
    document = {
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "client_assertion_audience": "issuer",
        "jwks": key.jwks,
    }
    found = read_client_metadata(members, document)
    assert found.pop("token_endpoint_auth_method") == "private_key_jwt"
    del document["token_endpoint_auth_method"]
    assert found == {"metadata": document}
    for wrong in ({"token_endpoint_auth_signing_alg": "none"}, {"client_assertion_audience": "anything"}):
        assert next(iter(wrong)) in why(read_client_metadata, members, wrong)


def test_a_client_that_loses_its_keys_loses_its_method(world, key):
    """The rules hold for every change."""
    client = world.record(world.client(key))
    assert "jwks" in why(world.provider.clients.save, replace(client, metadata={}))
    other = TokenKey("ES256")
    world.provider.clients.save(replace(client, metadata={"jwks": other.jwks}))
    assert world.token(other.sign(world.claims(client.client_id))).status_code == 200
    assert world.token(key.sign(world.claims(client.client_id))).status_code == 401
