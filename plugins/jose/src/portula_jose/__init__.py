"""Signs and verifies JSON Web Tokens, keeps the keys, and publishes their public parts.

Sources: RFC 7515 to 7519, 7638, 8037 and 8725, OpenID Connect Core §10.
It never believes a key or an algorithm that a token names by itself, and never shows a private key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import HookDeclarations
from portula_jose.administering import KeyRecords
from portula_jose.checks import portula_checks
from portula_jose.commands import keys_group
from portula_jose.hooks import JoseHooks, Signer
from portula_jose.jose import SigningRoom, own
from portula_jose.registration import portula_client_metadata, portula_validate_client_registration
from portula_jose.settings import JoseSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import click

    from portula import Provider
    from portula.plugin import Endpoint

__all__ = ["Signer", "portula_checks", "portula_client_metadata", "portula_validate_client_registration"]
__version__ = "0.1.0"


@hookimpl
def portula_declarations(provider: Provider) -> list[type[HookDeclarations]]:
    """The slot of the signer."""
    return [JoseHooks]


@hookimpl
def portula_settings(provider: Provider) -> list[type[JoseSettings]]:
    """OIDC_RSA_PRIVATE_KEY and its companions."""
    return [JoseSettings]


@hookimpl
def portula_jose(provider: Provider) -> SigningRoom:
    """Keys of the configuration, the storage or a signer."""
    return SigningRoom(provider)


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """None, but where keys come from is settled here, so that a contradiction shows at start."""
    jose = own(provider)
    if jose:
        jose.settle()
    return []


@hookimpl
def portula_readiness(provider: Provider) -> dict[str, Callable[[], object]]:
    """The keys: they can be read, or are held."""
    jose = own(provider)
    return {"keys": jose.published_keys} if jose else {}


@hookimpl
def portula_commands(provider: Provider) -> Sequence[click.Command]:
    """The group `keys`."""
    jose = own(provider)
    return [keys_group(provider, jose)] if jose else []


@hookimpl
def portula_admin_records(provider: Provider) -> list[KeyRecords]:
    """The keys, in the pages of administrators."""
    jose = own(provider)
    return [KeyRecords(jose)] if jose else []
