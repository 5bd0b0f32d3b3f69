"""What every answer to the slot `jose` does with the form of tokens, digests and published keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import pytest

from portula import Plugin, Provider
from portula.errors import UntrustedToken
from portula.plugin import Application, Jose, Message
from portula_testing.forgeries import MALFORMED, REFUSED_HEADERS
from portula_testing.jws import TokenKey, encode

CLAIMS = {
    "iss": "https://id.example/o",
    "sub": "ann",
    "n": 1.5,
    "list": ["é", None, True],
    "deep": {"a": {"b": 1}},
}
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}
HASHES = {"256": "sha256", "384": "sha384", "512": "sha512", "EdDSA": "sha512"}
HMACS = ("HS256", "HS384", "HS512")
EVERY = ("RS256", "PS256", "ES256", "ES384", "EdDSA", *HMACS)
ASKING = Message("GET", "/o/.well-known/jwks.json")


class TokenFormContract:
    """The part of JoseContract about reading, digests and publication."""

    @pytest.fixture
    def make(self) -> Callable[[str], Provider]:
        """Return a function that makes a provider of an issuer, with plugin and secret hasher in it. Override it."""
        raise NotImplementedError

    @pytest.fixture
    def provider(self, make: Callable[[str], Provider]) -> Provider:
        """Return a provider."""
        return make("https://id.example/o")

    @pytest.fixture
    def jose(self, provider: Provider) -> Jose:
        """Return what answers the slot."""
        return provider.hooks.ask(Plugin.portula_jose)

    @pytest.fixture
    def ours(self, jose: Jose) -> str:
        """Return a token of the provider's own."""
        return jose.sign(CLAIMS, typ="JWT")

    @staticmethod
    def published_keys(jose: Jose) -> dict[str, dict[str, Any]]:
        """Return the published keys by name."""
        keys: list[dict[str, Any]] = json.loads(jose.publish(ASKING).body)["keys"]
        return {key["kid"]: key for key in keys}

    @staticmethod
    def client_with(**metadata: Any) -> Application:
        """Return a client with keys."""
        return Application(client_id="keyed", metadata=metadata)

    @staticmethod
    def accepted_forgeries(verify: Callable[[str], object], tokens: Iterable[tuple[str, str]]) -> list[str]:
        """Return which of these tokens, given with what is wrong with them, are not refused."""
        found = []
        for name, token in tokens:
            try:
                verify(token)
            except UntrustedToken:
                continue
            found.append(name)
        return found

    # --- Reading ---

    def test_reading_believes_nothing_and_tells_everything(self, jose: Jose, ours: str) -> None:
        assert jose.read(ours).claims == CLAIMS
        foreign = TokenKey("ES512").sign({"iss": "them"})
        assert jose.read(foreign).claims == {"iss": "them"}
        assert jose.read(foreign).header["alg"] == "ES512"

    def test_what_is_no_token_is_refused_and_nothing_else_happens(self, jose: Jose) -> None:
        """Attacks S14 and S42."""
        client = self.client_with(jwks=TokenKey("ES256").jwks)
        given = [(token[:80], token) for token in MALFORMED]
        anything = {"JWT", ""}
        for verify in (
            jose.read,
            partial(jose.verify_own, typ=anything),
            partial(jose.verify_of_client, client=client, algorithms={*EVERY, "none"}, typ=anything),
        ):
            assert self.accepted_forgeries(verify, given) == []

    def test_a_header_that_nobody_may_ignore_is_refused(self, jose: Jose) -> None:
        """Attack S42: although the signature is right."""
        key = TokenKey("RS256")
        verify = partial(
            jose.verify_of_client,
            client=self.client_with(jwks=key.jwks),
            algorithms={*EVERY, "none"},
            typ={"JWT"},
        )
        verify(key.sign(CLAIMS))
        given = [(name, key.sign(CLAIMS, **header)) for name, header in REFUSED_HEADERS.items()]
        assert self.accepted_forgeries(verify, given) == []

    def test_an_error_holds_nothing_of_the_token(self, jose: Jose) -> None:
        """Attack S58."""
        key, secret = TokenKey("ES256", "name-of-a-key"), "told-in-confidence"
        token = key.sign({"sub": secret}, typ=secret)
        client = self.client_with(jwks=TokenKey("ES256").jwks)
        for typ in (secret, "JWT"):
            for verify in (
                partial(jose.verify_own, typ={typ}),
                partial(jose.verify_of_client, client=client, algorithms=EVERY, typ={typ}),
            ):
                with pytest.raises(UntrustedToken) as caught:
                    verify(token)
                assert not any(word in str(caught.value) for word in (secret, key.kid, *token.split(".")))
        assert secret not in repr(jose.read(key.sign({"sub": secret})))

    # --- Digests and keys ---

    def test_half_a_digest_is_made_with_the_hash_of_the_algorithm(self, jose: Jose) -> None:
        """Attack S43; the example is that of OpenID Connect Core §A.3."""
        example = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
        assert jose.half_digest(example, "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"
        for algorithm in (*EVERY, *jose.signing_algorithms()):
            made = hashlib.new(HASHES[algorithm if algorithm == "EdDSA" else algorithm[2:]], b"code").digest()
            assert jose.half_digest("code", algorithm) == encode(made[: len(made) // 2])

    def test_no_private_member_is_published(self, jose: Jose) -> None:
        """Attack S48."""
        keys = self.published_keys(jose)
        assert len(keys) >= 1
        for key in keys.values():
            assert key.keys().isdisjoint(PRIVATE), sorted(key)
            assert key["kty"] in {"RSA", "EC", "OKP"}
            assert key.get("use", "sig") in {"sig", "enc"}

    def test_the_published_keys_may_be_cached(self, jose: Jose) -> None:
        """RFC 9111."""
        answer = jose.publish(ASKING)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert answer.status == 200
        assert headers["content-type"] in {"application/json", "application/jwk-set+json"}
        assert "max-age=" in headers["cache-control"]
        asked_again = jose.publish(Message("GET", ASKING.path, headers={"if-none-match": headers["etag"]}))
        assert (asked_again.status, asked_again.body) == (304, b"")
        other = jose.publish(Message("GET", ASKING.path, headers={"if-none-match": '"other"'}))
        assert (other.status, other.body) == (200, answer.body)

    def test_every_algorithm_has_its_key_published(self, jose: Jose) -> None:
        kinds: Mapping[str, tuple[str, object]] = {
            "RS256": ("RSA", None),
            "PS256": ("RSA", None),
            "ES256": ("EC", "P-256"),
            "ES384": ("EC", "P-384"),
            "EdDSA": ("OKP", "Ed25519"),
        }
        found = {(key["kty"], key.get("crv")) for key in self.published_keys(jose).values()}
        assert {kinds[name] for name in jose.signing_algorithms() if name in kinds} <= found
