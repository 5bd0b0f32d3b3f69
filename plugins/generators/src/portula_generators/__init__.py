"""Makes client identifiers, client secrets and tokens, and keeps secrets as digests.

Sources: RFC 6749 §10.10 (entropy), RFC 6750 §2.1 (characters), RFC 9106 (argon2id).
It never uses a predictable source, and never keeps or shows a secret that was given to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import RefreshTokens
from portula_generators.checks import portula_checks
from portula_generators.hasher import Hasher
from portula_generators.settings import GeneratorSettings
from portula_generators.values import ClientIdGenerator, ClientSecretGenerator, random_token

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import TokenGenerator

__all__ = ["portula_checks"]
__version__ = "0.1.0"


@hookimpl
def portula_settings(provider: Provider) -> list[type[GeneratorSettings]]:
    """Import strings and lengths."""
    return [GeneratorSettings]


@hookimpl
def portula_client_id_generator(provider: Provider) -> ClientIdGenerator:
    """Random identifiers."""
    return ClientIdGenerator()


@hookimpl
def portula_client_secret_generator(provider: Provider) -> ClientSecretGenerator:
    """Random secrets of CLIENT_SECRET_GENERATOR_LENGTH characters."""
    return ClientSecretGenerator(provider.settings(GeneratorSettings).CLIENT_SECRET_GENERATOR_LENGTH)


@hookimpl
def portula_access_token_generator(provider: Provider) -> TokenGenerator:
    """Opaque random tokens."""
    return random_token


@hookimpl
def portula_refresh_token_generator(provider: Provider) -> TokenGenerator:
    """Tokens that name their authorization, so that nothing is kept of those that were rotated."""
    return RefreshTokens(provider.keys)


@hookimpl
def portula_secret_hasher(provider: Provider) -> Hasher:
    """Keyed digests for generated secrets, argon2id for chosen ones."""
    return Hasher(
        provider.keys.across_issuers, provider.settings(GeneratorSettings).CLIENT_SECRET_HASH_PROFILE
    )
