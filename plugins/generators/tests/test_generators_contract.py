"""What this room makes and keeps holds to the contracts of its slots."""

import pytest

import portula_generators
from portula import Plugin
from portula_testing.contracts import (
    ClientIdContract,
    ClientSecretContract,
    SecretHasherContract,
    TokenGeneratorContract,
)
from portula_testing.provider import make_provider


@pytest.fixture(scope="module")
def hooks():
    return make_provider(portula_generators).hooks


class TestClientIds(ClientIdContract):
    @pytest.fixture
    def generator(self, hooks):
        return hooks.ask(Plugin.portula_client_id_generator)


class TestClientSecrets(ClientSecretContract):
    @pytest.fixture(params=[32, 128])
    def generator(self, request):
        settings = {"CLIENT_SECRET_GENERATOR_LENGTH": request.param}
        return make_provider(portula_generators, settings=settings).hooks.ask(
            Plugin.portula_client_secret_generator
        )


class TestAccessTokens(TokenGeneratorContract):
    @pytest.fixture
    def generator(self, hooks):
        return hooks.ask(Plugin.portula_access_token_generator)


class TestRefreshTokens(TokenGeneratorContract):
    @pytest.fixture
    def generator(self, hooks):
        return hooks.ask(Plugin.portula_refresh_token_generator)


class TestHasher(SecretHasherContract):
    @pytest.fixture
    def make_hasher(self):
        def make(*secret_keys):
            settings = {"SECRET_KEYS": secret_keys}
            return make_provider(portula_generators, settings=settings).hooks.ask(
                Plugin.portula_secret_hasher
            )

        return make
