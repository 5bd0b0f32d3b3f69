"""This room holds to the contract of its slot, whichever place its keys come from."""

from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.fitting import stubbed

from portula import hookimpl
from portula_jose.hooks import Signer
from portula_testing.contracts import JoseContract
from portula_testing.jws import TokenKey, raw_signature
from portula_testing.provider import Memory, make_provider


@pytest.fixture(scope="module")
def stored():
    """A storage that all tests here share, so that its keys are made once."""
    return Memory()


class TestGeneratedKeys(JoseContract):
    @pytest.fixture
    def make(self, stored):
        def make(issuer):
            return make_provider("jose", "generators", stored, settings={"OIDC_ISS_ENDPOINT": issuer})

        return make


@cache
def pem_of(issuer):
    """A key takes long to make, and is the same to every test."""
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class TestConfiguredKey(JoseContract):
    @pytest.fixture
    def make(self):
        def make(issuer):
            settings = {"OIDC_ISS_ENDPOINT": issuer, "OIDC_RSA_PRIVATE_KEY": pem_of(issuer)}
            return make_provider("jose", "generators", settings=settings)

        return make


class Device(stubbed(Signer)):
    """Signs elsewhere, as a key management service does."""

    def __init__(self):
        self.held = {name: TokenKey(name, f"device-{name}") for name in ("RS256", "ES256", "EdDSA")}

    @hookimpl
    def portula_signer(self, provider):
        return self

    def keys(self):
        return [key.jwk for key in self.held.values()]

    def sign(self, kid, algorithm, data):
        key = self.held[algorithm]
        assert kid == key.kid
        return raw_signature(key.private, algorithm, data)


@cache
def device_of(issuer):
    return Device()


class TestSigner(JoseContract):
    @pytest.fixture
    def make(self):
        def make(issuer):
            return make_provider(
                "jose", "generators", device_of(issuer), settings={"OIDC_ISS_ENDPOINT": issuer}
            )

        return make
