"""S46: a secret that is kept as a hash signs nothing, and its hash is no key in its place (DOT#1737)."""

from functools import partial

import pytest
from click.testing import CliRunner

from portula import Plugin
from portula.errors import InvalidClientMetadata, JoseError
from portula.plugin import Application
from portula_testing.jws import signed_with_secret, verified_with_secret
from security.keyed import CLAIMS, HMACS, SECRET, believed, provider_with, sealed_client


@pytest.fixture(scope="module")
def signing_house(make_house):
    """A provider with every room, this one too."""
    return make_house(OIDC_ENABLED=True)


@pytest.mark.parametrize("algorithm", HMACS)
def test_a_client_with_a_hashed_secret_cannot_be_registered_for_it(signing_house, algorithm):
    for secret in (SECRET, None):
        with pytest.raises(InvalidClientMetadata, match="a hashed secret cannot sign"):
            signing_house.client(secret=secret, algorithm=algorithm)


MEMBERS = (
    "userinfo_signed_response_alg",
    "authorization_signed_response_alg",
    "introspection_signed_response_alg",
    "request_object_signing_alg",
)


@pytest.mark.parametrize("algorithm", HMACS)
@pytest.mark.parametrize("member", MEMBERS)
def test_nor_is_any_of_its_algorithms(signing_house, member, algorithm):
    with pytest.raises(InvalidClientMetadata):
        signing_house.client(metadata={member: algorithm})


def test_nor_on_the_command_line(signing_house):
    command = next(
        command
        for command in signing_house.provider.hooks.collect(Plugin.portula_commands)
        if command.name == "createapplication"
    )
    words = ["confidential", "client-credentials", "--algorithm", "HS256", "--json"]
    with signing_house.app.app_context():
        refused = CliRunner().invoke(command, words)
        made = CliRunner().invoke(command, [*words, "--no-hash-client-secret"])
    assert refused.exit_code == 1
    assert "a hashed secret cannot sign" in refused.output
    assert made.exit_code == 0, made.output


@pytest.mark.parametrize("algorithm", HMACS)
@pytest.mark.parametrize("way", ["chosen", "generated"])
def test_whatever_is_stored_is_no_key(way, algorithm):
    provider = provider_with()
    chosen = SECRET if way == "chosen" else None
    client, secret = provider.clients.create(Application(client_id=""), secret=chosen)
    with pytest.raises(JoseError):
        provider.hooks.ask(Plugin.portula_jose).sign(CLAIMS, typ="JWT", algorithm=algorithm, client=client)
    stored = client.secret_hashes[0]
    spelled = [secret, stored, stored.partition(":")[2], *stored.split("$"), ""]
    forged = [(text, signed_with_secret(text.encode(), CLAIMS, algorithm)) for text in spelled]
    jose = provider.hooks.ask(Plugin.portula_jose)
    for verify in (
        partial(jose.verify_own, client=client, typ={"JWT"}),
        partial(jose.verify_of_client, client=client, algorithms=HMACS, typ={"JWT"}),
    ):
        assert believed(verify, forged) == []


@pytest.mark.parametrize("algorithm", HMACS)
def test_a_sealed_secret_signs_and_its_seal_does_not(algorithm):
    provider = provider_with()
    client, jose = sealed_client(provider), provider.hooks.ask(Plugin.portula_jose)
    token = jose.sign(CLAIMS, typ="JWT", algorithm=algorithm, client=client)
    assert verified_with_secret(token, SECRET.encode())[1] == CLAIMS
    stored = client.secret_hashes[0]
    forged = [(text, signed_with_secret(text.encode(), CLAIMS, algorithm)) for text in (stored, stored[7:])]
    assert believed(partial(jose.verify_own, client=client, typ={"JWT"}), forged) == []


def test_a_public_client_has_no_secret_that_signs(signing_house):
    with pytest.raises(InvalidClientMetadata, match="a public client has no secret"):
        signing_house.public_client(algorithm="HS256")
