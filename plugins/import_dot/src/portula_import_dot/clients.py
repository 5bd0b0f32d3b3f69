"""What an application of django-oauth-toolkit is as a client here, and how its secret is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.plugin import SELF_REGISTERED, Application, is_native_client

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import CheckedClient, SecretHasher
    from portula_import_dot.dump import ClientFields

GRANT_TYPES = {
    "authorization-code": ("authorization_code", "refresh_token"),
    "openid-hybrid": ("authorization_code", "implicit", "refresh_token"),
    "password": ("password", "refresh_token"),
    "client-credentials": ("client_credentials",),
    "urn:ietf:params:oauth:grant-type:device_code": (
        "urn:ietf:params:oauth:grant-type:device_code",
        "refresh_token",
    ),
}
"""Grant types by the one that an application has; there it may refresh without being registered for it."""
SETTINGS = {
    "password": "PASSWORD_GRANT_ENABLED",
    "implicit": "IMPLICIT_GRANT_ENABLED",
    "openid-hybrid": "IMPLICIT_GRANT_ENABLED",
}
"""Settings that are off by default, by the grant type of an application that needs them."""
UNREAD = ("bcrypt", "bcrypt_sha256", "md5", "sha1", "unsalted_md5", "unsalted_sha1", "crypt")
"""Algorithms of Django that are not compared with."""


class RowRefused(Exception):
    """A row cannot be taken over; the message says why, and holds no secret."""


def setting(provider: Provider, name: str) -> Any:
    """Return the value of a setting of another room; None where no room has it."""
    found = next((each for each in provider.all_settings.declarations() if each.name == name), None)
    return None if found is None else getattr(provider.settings(found.model), name)


def missing_setting(provider: Provider, fields: ClientFields) -> str | None:
    """Return the setting that an application needs and that is off."""
    name = SETTINGS.get(fields.authorization_grant_type)
    return None if name is None or setting(provider, name) else name


def prepare_client(provider: Provider, fields: ClientFields) -> CheckedClient:
    """Return an application as a client about which every rule was heard; nothing is written.

    Raises:
        RowRefused: its secret cannot be kept.
        InvalidClientMetadata: a rule for clients refuses it.
    """
    redirect_uris = tuple(fields.redirect_uris.split())
    grant = fields.authorization_grant_type
    client = Application(
        client_id=fields.client_id,
        name=fields.name,
        client_type=fields.client_type,
        grant_types=GRANT_TYPES.get(grant, (grant,)),
        redirect_uris=redirect_uris,
        post_logout_redirect_uris=tuple(fields.post_logout_redirect_uris.split()),
        allowed_origins=tuple(fields.allowed_origins.split()),
        application_type="native" if is_native_client(fields.client_type, redirect_uris) else "web",
        skip_authorization=fields.skip_authorization,
        algorithm=fields.algorithm,
        user=fields.user,
        metadata={SELF_REGISTERED: True} if fields.registration_source == "dcr" else {},
    )
    if fields.client_type == "public":  # it has a secret there, which proves nothing
        return provider.clients.prepare(client, make_secret=False)
    hasher, secret = provider.hooks.ask(Plugin.portula_secret_hasher), fields.client_secret
    if not secret:
        raise RowRefused("it is confidential and has no secret")
    if _is_hashed(hasher, fields):
        kept = foreign_form(hasher, secret)
    elif fields.algorithm.startswith("HS"):
        return provider.clients.prepare(client, secret=secret, hash_secret=False)
    else:
        kept = hasher.hash_by_length(secret)
    return provider.clients.prepare(replace(client, secret_hashes=(kept,)), make_secret=False)


def _is_hashed(hasher: SecretHasher, fields: ClientFields) -> bool:
    """Say whether a secret is hashed: it looks so, or the application says so; there the first counts more."""
    secret = fields.client_secret
    looks = hasher.reads_foreign(secret) or secret.partition("$")[0] in UNREAD
    return looks or fields.hash_client_secret is True


def foreign_form(hasher: SecretHasher, stored: str) -> str:
    """Return what Django stored of a secret or a password, if it can be compared with.

    Raises:
        RowRefused: it cannot; only the name of an algorithm is told.
    """
    if hasher.reads_foreign(stored):
        return stored
    algorithm, dollar, _ = stored.partition("$")
    if dollar and algorithm in UNREAD:
        raise RowRefused(f"{algorithm} is not compared with here")
    raise RowRefused("its secret is not of a form that is compared with here, or would cost too much")
