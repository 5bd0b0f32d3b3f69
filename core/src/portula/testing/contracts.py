"""Every contract, for one import: what answers a slot is tested by subclassing the contract of that slot."""

from portula.testing.clock_contract import ClockContract
from portula.testing.consent_contract import ConsentContract
from portula.testing.fetcher_contract import FetcherContract
from portula.testing.generators_contract import (
    ClientIdContract,
    ClientSecretContract,
    GeneratorContract,
    TokenGeneratorContract,
)
from portula.testing.hasher_contract import SecretHasherContract
from portula.testing.jose_contract import JoseContract
from portula.testing.login_contract import LoginContract
from portula.testing.scopes_contract import ScopesBackendContract
from portula.testing.sessions_contract import SessionsContract
from portula.testing.storage_contract import StorageContract

__all__ = [
    "ClientIdContract",
    "ClientSecretContract",
    "ClockContract",
    "ConsentContract",
    "FetcherContract",
    "GeneratorContract",
    "JoseContract",
    "LoginContract",
    "ScopesBackendContract",
    "SecretHasherContract",
    "SessionsContract",
    "StorageContract",
    "TokenGeneratorContract",
]
