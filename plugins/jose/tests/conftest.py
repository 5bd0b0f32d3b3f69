import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from portula import Plugin
from portula_jose import signing_keys
from portula_testing.provider import Memory, MovableClock, make_provider


def pem_of(key, form=PrivateFormat.PKCS8):
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


def public_pem_of(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="session")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def pem(rsa_key):
    return pem_of(rsa_key)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Wait for keys that are made while others are read, however slow the machine is."""
    monkeypatch.setattr(signing_keys, "PATIENCE_SECONDS", 60)


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def make(clock):
    def make(*plugins, **settings):
        return make_provider("jose", "generators", *plugins, settings=settings, clock=clock)

    return make


@pytest.fixture
def configured(make, pem):
    """What answers the slot, with a key of the configuration."""
    return make(OIDC_RSA_PRIVATE_KEY=pem).hooks.ask(Plugin.portula_jose)


@pytest.fixture
def generated(make):
    """What answers the slot, with keys that it makes."""
    return make().hooks.ask(Plugin.portula_jose)


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def worker(memory, clock):
    """Return a function that starts one more worker on the same storage."""

    def start(*plugins, **settings):
        return make_provider("jose", memory, *plugins, settings=settings, clock=clock).hooks.ask(
            Plugin.portula_jose
        )

    return start
