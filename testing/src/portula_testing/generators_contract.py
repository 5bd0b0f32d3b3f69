"""The contracts of the slots that make values: client identifiers, client secrets, tokens.

Subclass ClientIdContract, ClientSecretContract or TokenGeneratorContract and override its fixture `generator`.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from portula.plugin import (
    Application,
    HashGenerator,
    OAuthRequest,
    TokenExchange,
    TokenGenerator,
    refresh_generator,
)
from portula_testing.attacks import BITS, SAMPLES, bits_of, drawn_under_one_seed

TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""RFC 6750 §2.1, b64token."""

MAX_TOKEN_CHARACTERS = 4096
"""Servers refuse header lines not much longer than this."""

THREADS = 8


class GeneratorContract:
    """What is true of client identifiers and client secrets alike.

    Example:
        class TestMyClientIds(ClientIdContract):
            @pytest.fixture
            def generator(self):
                return MyClientIds()
    """

    @pytest.fixture
    def generator(self) -> HashGenerator:
        """Return the generator. Override it."""
        raise NotImplementedError

    def test_a_value_is_printable_ascii(self, generator: HashGenerator) -> None:
        for _ in range(SAMPLES):
            value = generator.hash()
            assert type(value) is str
            assert 1 <= len(value) <= 255
            assert all("!" <= character <= "~" for character in value), value

    def test_no_value_comes_twice(self, generator: HashGenerator) -> None:
        values = [generator.hash() for _ in range(SAMPLES)]
        assert len(set(values)) == len(values)

    def test_no_value_comes_twice_in_parallel(self, generator: HashGenerator) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            values = list(pool.map(lambda _: generator.hash(), range(SAMPLES)))
        assert len(set(values)) == len(values)

    def test_a_seed_and_a_clock_set_back_repeat_no_value(
        self, generator: HashGenerator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        drawn = drawn_under_one_seed(monkeypatch, generator.hash)
        assert len(set(drawn)) == len(drawn)


class ClientIdContract(GeneratorContract):
    """What is true of every generator of client identifiers."""

    def test_a_client_id_survives_http_basic(self, generator: HashGenerator) -> None:
        """RFC 7617 §2: a user-id has no colon."""
        assert not any(":" in generator.hash() for _ in range(SAMPLES))


class ClientSecretContract(GeneratorContract):
    """What is true of every generator of client secrets."""

    def test_a_secret_cannot_be_guessed(self, generator: HashGenerator) -> None:
        assert bits_of([generator.hash() for _ in range(SAMPLES)]) >= BITS


class TokenGeneratorContract:
    """What is true of every generator of access tokens or refresh tokens.

    Example:
        class TestMyTokens(TokenGeneratorContract):
            @pytest.fixture
            def generator(self):
                return my_token
    """

    @pytest.fixture
    def generator(self) -> TokenGenerator:
        """Return the generator. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def request_of_a_client(self) -> OAuthRequest:
        """Return the request that the generator is called with."""
        request = OAuthRequest("/o/token/", "POST", [("grant_type", "authorization_code")])
        request.client = Application(client_id="contract")
        request.client_id, request.user, request.scopes = "contract", "ann", ["read"]
        request.expires_in = 3600
        validator = SimpleNamespace(keep_subject=lambda _: None)
        provider = SimpleNamespace(now=lambda: 1_700_000_000, realm="", validator=validator)
        request.exchange = TokenExchange(provider=provider, request=request)  # type: ignore[arg-type]
        return request

    @pytest.fixture
    def draw(self, generator: TokenGenerator, request_of_a_client: OAuthRequest) -> list[str]:
        """Return many tokens, half of them drawn as refresh tokens are."""
        refresh = refresh_generator(generator)
        return [
            *(generator(request_of_a_client) for _ in range(SAMPLES)),
            *(refresh(request_of_a_client) for _ in range(SAMPLES)),
        ]

    def test_a_token_can_be_sent_as_a_bearer_token(self, draw: list[str]) -> None:
        for token in draw:
            assert type(token) is str
            assert TOKEN.fullmatch(token), token
            assert len(token) <= MAX_TOKEN_CHARACTERS

    def test_no_token_comes_twice_for_one_request(self, draw: list[str]) -> None:
        assert len(set(draw)) == len(draw)

    def test_no_token_comes_twice_in_parallel(
        self, generator: TokenGenerator, request_of_a_client: OAuthRequest
    ) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            values = list(pool.map(lambda _: generator(request_of_a_client), range(SAMPLES)))
        assert len(set(values)) == len(values)

    def test_a_token_cannot_be_guessed(self, draw: list[str]) -> None:
        assert bits_of(draw[:SAMPLES]) >= BITS
        assert bits_of(draw[SAMPLES:]) >= BITS

    def test_a_seed_and_a_clock_set_back_repeat_no_token(
        self,
        generator: TokenGenerator,
        request_of_a_client: OAuthRequest,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        drawn = drawn_under_one_seed(monkeypatch, lambda: generator(request_of_a_client))
        assert len(set(drawn)) == len(drawn)
