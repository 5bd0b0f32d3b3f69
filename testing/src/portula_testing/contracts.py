"""Every contract, for one import: what answers a slot is tested by subclassing the contract of that slot."""

from portula_testing.clock_contract import ClockContract
from portula_testing.consent_contract import ConsentContract
from portula_testing.fetcher_contract import FetcherContract
from portula_testing.generators_contract import (
    ClientIdContract,
    ClientSecretContract,
    GeneratorContract,
    TokenGeneratorContract,
)
from portula_testing.hasher_contract import SecretHasherContract
from portula_testing.jose_contract import JoseContract
from portula_testing.login_contract import LoginContract
from portula_testing.plans_contract import PlanContract
from portula_testing.realms_contract import RealmsContract
from portula_testing.scopes_contract import ScopesBackendContract
from portula_testing.sessions_contract import SessionsContract
from portula_testing.storage_contract import StorageContract
from portula_testing.walk_contract import WalkContract

__all__ = [
    "ClientIdContract",
    "ClientSecretContract",
    "ClockContract",
    "ConsentContract",
    "FetcherContract",
    "GeneratorContract",
    "JoseContract",
    "LoginContract",
    "PlanContract",
    "RealmsContract",
    "ScopesBackendContract",
    "SecretHasherContract",
    "SessionsContract",
    "StorageContract",
    "TokenGeneratorContract",
    "WalkContract",
]
