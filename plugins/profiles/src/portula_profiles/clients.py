"""Rules of profiles on clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portula.plugin import Application, ProfileViolation, is_loopback_host, uri_host, uri_scheme
from portula_profiles.values import ALGORITHMS

METHODS = ("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth")


def not_allowed(field: str, value: object, allowed: str) -> ProfileViolation:
    """Return a member of client metadata that is not allowed."""
    return ProfileViolation(field=field, value=repr(value), allowed=allowed)


def oauth21_client(application: Application) -> Iterator[ProfileViolation]:
    """Yield what OAuth 2.1 does not allow: PKCE left out, access tokens in the front channel, passwords.

    The grant type `implicit` stays for ID tokens alone, where a client is registered for such response types.
    """
    named = application.metadata.get("response_types", ())
    with_token = [name for name in named if "token" in name.split()]
    yield from _pkce(application)
    yield from _grants(application, {"password"} if named and not with_token else {"implicit", "password"})
    for name in with_token:
        yield not_allowed("response_types", name, "none with an access token")


def fapi2_client(application: Application) -> Iterator[ProfileViolation]:
    """Return what FAPI 2.0 Security Profile §5.3.2, §5.3.3 and §5.4 do not allow."""
    return fapi_client(application, ALGORITHMS)


def fapi_client(application: Application, algorithms: tuple[str, ...]) -> Iterator[ProfileViolation]:
    """Yield what is not allowed to clients of high security, whose profile has these algorithms."""
    yield from _pkce(application)
    yield from _grants(application, {"implicit", "password"})
    if application.client_type != "confidential":
        yield not_allowed("client_type", application.client_type, "confidential")
    method = application.token_endpoint_auth_method
    if method not in METHODS:
        yield not_allowed("token_endpoint_auth_method", method, ", ".join(METHODS))
    for name in application.metadata.get("response_types", ()):
        if name != "code":
            yield not_allowed("response_types", name, "code")
    for uri in application.redirect_uris:
        if uri_scheme(uri) == "http" and not _on_the_device(application, uri):
            yield not_allowed("redirect_uris", uri, "https, or http on loopback for a native application")
    yield from _algorithms(application, algorithms)
    yield from _keys(application.metadata.get("jwks"))


def _pkce(application: Application) -> Iterator[ProfileViolation]:
    if application.require_pkce is False:
        yield not_allowed("require_pkce", False, "true, or left out")


def _grants(application: Application, refused: set[str]) -> Iterator[ProfileViolation]:
    for name in sorted(refused.intersection(application.grant_types)):
        yield not_allowed("grant_types", name, f"none of {', '.join(sorted(refused))}")


def _on_the_device(application: Application, uri: str) -> bool:
    return application.application_type == "native" and is_loopback_host(uri_host(uri))


def _algorithms(application: Application, allowed: tuple[str, ...]) -> Iterator[ProfileViolation]:
    """Look at whatever a client is registered to sign with, or to be answered with."""
    named = {"id_token_signed_response_alg": application.algorithm, **application.metadata}
    for field, value in named.items():
        if value and field.endswith(("_signing_alg", "_signed_response_alg")) and value not in allowed:
            yield not_allowed(field, value, ", ".join(allowed))


def _keys(jwks: Any) -> Iterator[ProfileViolation]:
    """Look at the names of a client's keys; their strength is looked at wherever keys are registered and used."""
    keys = jwks.get("keys", ()) if isinstance(jwks, dict) else ()
    kids = [key.get("kid") for key in keys if isinstance(key, dict)]
    if len(kids) > 1 and (None in kids or len(set(kids)) < len(kids)):
        yield not_allowed("jwks", f"{len(kids)} keys", "keys that each have a kid of their own")
