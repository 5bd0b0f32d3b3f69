"""The contract of the slot `jose`. Subclass JoseContract and override its fixture `make`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from portula import Plugin, Provider
from portula.errors import JoseError, UntrustedToken
from portula.plugin import Application, Jose
from portula_testing.forgeries import alterations, key_confusions, psychic, self_made
from portula_testing.jose_form_contract import CLAIMS, EVERY, HMACS, TokenFormContract
from portula_testing.jws import (
    TokenKey,
    encode,
    signed_with_secret,
    taken_apart,
    unsigned_token,
    verified_with_secret,
    verify_token,
)

SECRET = "a secret that two parties share, long enough for HS512 to take it too"


class JoseContract(TokenFormContract):
    """What is true of everything that signs and verifies tokens for a provider.

    Example:
        class TestMyJose(JoseContract):
            @pytest.fixture
            def make(self):
                return lambda issuer: make_provider(
                    my_plugin, "generators", settings={"OIDC_ISS_ENDPOINT": issuer}
                )
    """

    @pytest.fixture
    def sealed_client(self, provider: Provider) -> Application:
        """Return a client whose secret is kept encrypted."""
        return provider.clients.create(Application(client_id=""), secret=SECRET, hash_secret=False)[0]

    @pytest.fixture
    def hashed_client(self, provider: Provider) -> Application:
        """Return a client whose secret is kept as a digest."""
        return provider.clients.create(Application(client_id=""), secret=SECRET)[0]

    # --- Signing ---

    def test_rs256_is_the_first_algorithm_and_none_is_symmetric(self, jose: Jose) -> None:
        """OpenID Connect Core §15.1."""
        algorithms = list(jose.signing_algorithms())
        assert algorithms[0] == "RS256"
        assert set(algorithms).isdisjoint({"none", *HMACS})

    def test_a_token_verifies_with_the_key_that_is_published_under_its_name(self, jose: Jose) -> None:
        """Verified without the code that signed it."""
        for algorithm in jose.signing_algorithms():
            token = jose.sign(CLAIMS, typ="JWT", algorithm=algorithm)
            key = self.published_keys(jose)[taken_apart(token)[0]["kid"]]
            assert verify_token(token, key)[1] == CLAIMS
            assert key.get("alg", algorithm) == algorithm

    def test_the_header_says_algorithm_name_and_type(self, jose: Jose) -> None:
        for algorithm in jose.signing_algorithms():
            header, _ = taken_apart(jose.sign({}, typ="at+jwt", algorithm=algorithm))
            assert {"alg": algorithm, "typ": "at+jwt"}.items() <= header.items()
            assert header.keys() == {"alg", "typ", "kid"}

    def test_what_cannot_be_signed_is_an_error(self, jose: Jose) -> None:
        for algorithm in ("none", "rs256", "", "RSA-OAEP", "HS256"):
            with pytest.raises(JoseError):
                jose.sign(CLAIMS, typ="JWT", algorithm=algorithm)
        with pytest.raises(JoseError):
            jose.sign({"exp": float("nan")}, typ="JWT")

    @pytest.mark.parametrize("algorithm", HMACS)
    def test_a_secret_that_can_be_read_signs(
        self, jose: Jose, sealed_client: Application, algorithm: str
    ) -> None:
        """OpenID Connect Core §10.1."""
        token = jose.sign(CLAIMS, typ="JWT", algorithm=algorithm, client=sealed_client)
        assert verified_with_secret(token, SECRET.encode())[1] == CLAIMS
        assert jose.verify_own(token, typ={"JWT"}, client=sealed_client).claims == CLAIMS

    @pytest.mark.parametrize("algorithm", HMACS)
    def test_a_hashed_secret_never_signs(
        self, jose: Jose, hashed_client: Application, algorithm: str
    ) -> None:
        """Attack S46: neither the secret, which is not there, nor what is stored in its place."""
        with pytest.raises(JoseError):
            jose.sign(CLAIMS, typ="JWT", algorithm=algorithm, client=hashed_client)
        stored = hashed_client.secret_hashes[0]
        spelled = [stored, stored.partition(":")[2], stored.rpartition("$")[2], "", SECRET]
        tokens = [(text, signed_with_secret(text.encode(), CLAIMS, algorithm)) for text in spelled]
        assert (
            self.accepted_forgeries(partial(jose.verify_own, typ={"JWT"}, client=hashed_client), tokens) == []
        )
        assert (
            self.accepted_forgeries(
                partial(jose.verify_of_client, client=hashed_client, algorithms=EVERY, typ={"JWT"}), tokens
            )
            == []
        )

    # --- Our own tokens ---

    def test_our_own_token_is_believed(self, jose: Jose) -> None:
        for algorithm in jose.signing_algorithms():
            token = jose.verify_own(jose.sign(CLAIMS, typ="JWT", algorithm=algorithm), typ={"JWT"})
            assert (token.claims, token.header["alg"]) == (CLAIMS, algorithm)

    @pytest.mark.parametrize("typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"])
    def test_a_type_is_compared_as_a_media_type(self, jose: Jose, typ: str) -> None:
        """RFC 7515 §4.1.9."""
        for signed, asked in ((typ, "at+jwt"), ("at+jwt", typ)):
            assert jose.verify_own(jose.sign(CLAIMS, typ=signed), typ={asked}).claims == CLAIMS

    @pytest.mark.parametrize("typ", ["JWT", "at+jwt", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", ""])
    def test_a_token_of_another_type_is_refused(self, jose: Jose, typ: str) -> None:
        """Attack S44: each kind is refused at the place of each other."""
        kinds = {"JWT", "at+jwt", "logout+jwt", "dpop+jwt", "oauth-authz-req+jwt", "secevent+jwt", ""}
        token = jose.sign(CLAIMS, typ=typ)
        assert jose.verify_own(token, typ={typ}).claims == CLAIMS
        with pytest.raises(UntrustedToken):
            jose.verify_own(token, typ=kinds - {typ})
        with pytest.raises(UntrustedToken):
            jose.verify_own(token, typ=set())

    def test_an_altered_token_is_refused(self, jose: Jose) -> None:
        for algorithm in jose.signing_algorithms():
            token = jose.sign(CLAIMS, typ="JWT", algorithm=algorithm)
            assert self.accepted_forgeries(partial(jose.verify_own, typ={"JWT"}), [*alterations(token)]) == []

    def test_a_token_signed_with_a_public_key_as_secret_is_refused(
        self, jose: Jose, sealed_client: Application
    ) -> None:
        """Attack S40."""
        for key in self.published_keys(jose).values():
            for client in (None, sealed_client):
                forged = [*key_confusions(key, CLAIMS)]
                assert (
                    self.accepted_forgeries(partial(jose.verify_own, typ={"JWT"}, client=client), forged)
                    == []
                )

    def test_a_key_that_the_token_brings_along_does_not_count(self, jose: Jose, ours: str) -> None:
        """Attack S41."""
        forged = [*self_made(taken_apart(ours)[0]["kid"], CLAIMS)]
        assert self.accepted_forgeries(partial(jose.verify_own, typ={"JWT"}), forged) == []

    def test_a_signature_of_zeros_is_refused(self, jose: Jose) -> None:
        forged = [forgery for kid in self.published_keys(jose) for forgery in psychic(kid, CLAIMS)]
        assert self.accepted_forgeries(partial(jose.verify_own, typ={"JWT"}), forged) == []

    def test_a_token_of_another_issuer_is_refused(self, jose: Jose, make: Callable[[str], Provider]) -> None:
        """Attack S76: although both share SECRET_KEYS."""
        other = make("https://elsewhere.example/o").hooks.ask(Plugin.portula_jose)
        names = other.signing_algorithms()
        foreign = [(name, other.sign(CLAIMS, typ="JWT", algorithm=name)) for name in names]
        assert self.accepted_forgeries(partial(jose.verify_own, typ={"JWT"}), foreign) == []

    def test_a_token_of_a_client_is_none_of_ours(
        self, jose: Jose, sealed_client: Application, hashed_client: Application
    ) -> None:
        token = jose.sign(CLAIMS, typ="JWT", algorithm="HS256", client=sealed_client)
        for client in (None, hashed_client, Application(client_id="other")):
            with pytest.raises(UntrustedToken):
                jose.verify_own(token, typ={"JWT"}, client=client)

    # --- Tokens of clients ---

    @pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "ES384", "EdDSA"])
    def test_a_client_is_believed_by_its_key(self, jose: Jose, algorithm: str) -> None:
        key = TokenKey(algorithm)
        for client in (
            self.client_with(jwks=key.jwks),
            self.client_with(jwks={"keys": [TokenKey(algorithm, "2").jwk, key.jwk]}),
        ):
            for token in (key.sign(CLAIMS), key.sign(CLAIMS, kid=None)):
                assert jose.verify_of_client(token, client, algorithms=EVERY, typ={"JWT"}).claims == CLAIMS

    @pytest.mark.parametrize("algorithm", HMACS)
    def test_a_client_is_believed_by_its_secret(
        self, jose: Jose, sealed_client: Application, algorithm: str
    ) -> None:
        token = signed_with_secret(SECRET.encode(), CLAIMS, algorithm)
        found = jose.verify_of_client(token, sealed_client, algorithms={algorithm}, typ={"JWT"})
        assert found.claims == CLAIMS

    def test_only_the_algorithms_of_the_use_count(self, jose: Jose, sealed_client: Application) -> None:
        """Attack S40."""
        key = TokenKey("RS256")
        for token, client, allowed in (
            (key.sign(CLAIMS), self.client_with(jwks=key.jwks), {"ES256", "PS256", "HS256", "none"}),
            (signed_with_secret(SECRET.encode(), CLAIMS), sealed_client, {"RS256", "HS384", "none"}),
            (unsigned_token(CLAIMS), sealed_client, set(EVERY)),
            (unsigned_token(CLAIMS, alg="NONE"), sealed_client, {"none"}),
        ):
            with pytest.raises(UntrustedToken):
                jose.verify_of_client(token, client, algorithms=allowed, typ={"JWT"})

    def test_an_unsigned_token_counts_where_none_is_allowed(self, jose: Jose) -> None:
        """OpenID Connect Core §6.1 lets request objects be unsigned."""
        client = self.client_with()
        token = unsigned_token(CLAIMS)
        assert jose.verify_of_client(token, client, algorithms={"none"}, typ={"JWT"}).claims == CLAIMS
        for wrong in (f"{token}AAAA", f"{token}{encode(b'x' * 256)}"):
            with pytest.raises(UntrustedToken):
                jose.verify_of_client(wrong, client, algorithms={"none"}, typ={"JWT"})

    def test_a_client_is_not_believed_by_another_key(self, jose: Jose) -> None:
        key = TokenKey("ES256")
        client = self.client_with(jwks=key.jwks)
        forged = [
            ("another key of that name", TokenKey("ES256").sign(CLAIMS)),
            ("no name", TokenKey("ES256").sign(CLAIMS, kid=None)),
            *alterations(key.sign(CLAIMS)),
            *key_confusions(key.jwk, CLAIMS),
            *self_made(key.kid, CLAIMS),
            *psychic(key.kid, CLAIMS),
        ]
        assert (
            self.accepted_forgeries(
                partial(jose.verify_of_client, client=client, algorithms=EVERY, typ={"JWT"}), forged
            )
            == []
        )

    def test_a_client_without_keys_is_not_believed(self, jose: Jose, hashed_client: Application) -> None:
        tokens = [("RS256", TokenKey("RS256").sign(CLAIMS)), ("HS256", signed_with_secret(b"x" * 64, CLAIMS))]
        for client in (hashed_client, self.client_with(), self.client_with(jwks={"keys": []})):
            assert (
                self.accepted_forgeries(
                    partial(jose.verify_of_client, client=client, algorithms=EVERY, typ={"JWT"}),
                    tokens,
                )
                == []
            )

    def test_a_key_is_used_only_for_what_it_says(self, jose: Jose) -> None:
        """RFC 7517 §4.2 to §4.4."""
        key = TokenKey("RS256")
        for members in (
            {"use": "enc"},
            {"key_ops": ["encrypt"]},
            {"alg": "PS256"},
            {"kid": "another"},
            {"kty": "EC"},
        ):
            client = self.client_with(jwks={"keys": [{**key.jwk, **members}]})
            with pytest.raises(UntrustedToken):
                jose.verify_of_client(key.sign(CLAIMS), client, algorithms=EVERY, typ={"JWT"})

    def test_a_type_of_a_client_counts(self, jose: Jose) -> None:
        """Attack S44."""
        key = TokenKey("ES256")
        client = self.client_with(jwks=key.jwks)
        jose.verify_of_client(key.sign(CLAIMS, typ=None), client, algorithms={"ES256"}, typ={"", "JWT"})
        for given, asked in (("dpop+jwt", {"JWT"}), (None, {"JWT"}), ("JWT", {"", "at+jwt"})):
            with pytest.raises(UntrustedToken):
                jose.verify_of_client(key.sign(CLAIMS, typ=given), client, algorithms={"ES256"}, typ=asked)
