"""The settings whose value replaces a class or a generator, and how each replacement is seen from outside."""

import sys
from pathlib import Path
from typing import NamedTuple

from security.driving import PASSWORD

from portula.plugin import AccessToken, Grant, RefreshToken

DISTRIBUTION = Path(__file__).parent / "plugins" / "dists" / "replaces_all"
MODULE = "portula_replaces_all"

if str(DISTRIBUTION) not in sys.path:
    sys.path.append(str(DISTRIBUTION))  # so that settings can name its classes without its being installed


class Replaced(NamedTuple):
    """One setting, its slot, the name in the distribution's module, and the room that answers by default."""

    setting: str
    slot: str
    name: str
    default: str


REPLACED = [
    Replaced("CLIENT_ID_GENERATOR_CLASS", "client_id_generator", "ClientIds", "generators"),
    Replaced("CLIENT_SECRET_GENERATOR_CLASS", "client_secret_generator", "ClientSecrets", "generators"),
    Replaced("ACCESS_TOKEN_GENERATOR", "access_token_generator", "access_token", "generators"),
    Replaced("REFRESH_TOKEN_GENERATOR", "refresh_token_generator", "refresh_token", "generators"),
    Replaced("SCOPES_BACKEND_CLASS", "scopes_backend", "Scopes", "scopes_settings"),
    Replaced("OAUTH2_VALIDATOR_CLASS", "validator_class", "Validator", "oauth2"),
    Replaced("OAUTH2_SERVER_CLASS", "server_class", "OwnServer", "oauth2"),
    Replaced("OAUTH2_BACKEND_CLASS", "backend_class", "OwnBackend", "oauth2"),
    Replaced("APPLICATION_MODEL", "application_model", "Client", "storage_sql"),
    Replaced("GRANT_MODEL", "grant_model", "Code", "storage_sql"),
    Replaced("ACCESS_TOKEN_MODEL", "access_token_model", "OwnAccessToken", "storage_sql"),
    Replaced("REFRESH_TOKEN_MODEL", "refresh_token_model", "OwnRefreshToken", "storage_sql"),
    Replaced("ID_TOKEN_MODEL", "id_token_model", "OwnIDToken", "storage_sql"),
    Replaced("APPLICATION_ADMIN_CLASS", "application_admin_class", "Clients", "admin"),
    Replaced("ACCESS_TOKEN_ADMIN_CLASS", "access_token_admin_class", "AccessTokens", "admin"),
    Replaced("REFRESH_TOKEN_ADMIN_CLASS", "refresh_token_admin_class", "RefreshTokens", "admin"),
    Replaced("GRANT_ADMIN_CLASS", "grant_admin_class", "Codes", "admin"),
    Replaced("ID_TOKEN_ADMIN_CLASS", "id_token_admin_class", "IDTokens", "admin"),
]
"""Sixteen documented settings, and the two for ID tokens."""


def asked(house, party, **fields):
    """Ask for a token by client credentials."""
    return house.door().token(party, grant_type="client_credentials", **fields)


def stored(house, cls):
    """Return the class of what a store returns for a record class, after a sign-in."""
    house.tokens(house.client(), scope="read")
    return type(house.provider.storage.select(cls)[0])


def page(house, kind):
    """Return a page of the admin, opened by an administrator."""
    house.users.create("root", PASSWORD, is_admin=True)
    browser = house.browser()
    browser.sign_in("root")
    return browser.get(f"/o/admin/{kind}/").text


SEEN = {
    "client_id_generator": lambda house: house.client().client_id.startswith("own-"),
    "client_secret_generator": lambda house: house.client().secret.startswith("own-"),
    "access_token_generator": lambda house: (
        asked(house, house.client()).json["access_token"][:7] == "own-at-"
    ),
    "refresh_token_generator": lambda house: (
        house.tokens(house.client(), scope="read")["refresh_token"][:7] == "own-rt-"
    ),
    "scopes_backend": lambda house: asked(house, house.client(), scope="own").status_code == 200,
    "validator_class": lambda house: asked(house, house.client()).json["expires_in"] == 36001,
    "server_class": lambda house: asked(house, house.client()).headers.get("X-Server") == "own",
    "backend_class": lambda house: asked(house, house.client()).headers.get("X-Backend") == "own",
    "application_model": lambda house: asked(house, house.client(name="closed")).status_code == 401,
    "grant_model": lambda house: stored(house, Grant).__name__ == "Code",
    "access_token_model": lambda house: stored(house, AccessToken).__name__ == "OwnAccessToken",
    "refresh_token_model": lambda house: stored(house, RefreshToken).__name__ == "OwnRefreshToken",
    "id_token_model": lambda house: (
        "OwnIDToken" in [record.cls.__name__ for record in house.provider.records]
    ),
    "application_admin_class": lambda house: "Own clients" in page(house, "application"),
    "access_token_admin_class": lambda house: "Own access tokens" in page(house, "access-token"),
    "refresh_token_admin_class": lambda house: "Own refresh tokens" in page(house, "refresh-token"),
    "grant_admin_class": lambda house: "Own codes" in page(house, "grant"),
    "id_token_admin_class": lambda house: "Own ID tokens" in page(house, "id-token"),
}
"""Says of a house whether the replacement is in use, by slot."""
