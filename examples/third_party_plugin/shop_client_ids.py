"""Client identifiers that begin with the name of the shop."""

import secrets

from portula import Provider, hookimpl
from portula.plugin import HashGenerator


class ShopIds(HashGenerator):
    def hash(self) -> str:
        return f"shop-{secrets.token_hex(16)}"


@hookimpl
def portula_client_id_generator(provider: Provider) -> ShopIds:
    return ShopIds()
