"""Rules on client metadata, on every write path (RFC 6749 §2, §3.1.2, RFC 9700 §2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidClientMetadata, MismatchingRedirectURIError
from portula.plugin import (
    IMPLICIT,
    grant_types_needed,
    nearest,
    origin_of,
    redirect_uri_matches,
    redirect_uri_problem,
    sorted_response_type,
    uri_scheme,
)
from portula_oauth2.grant import registrable_grant_types
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from portula.plugin import Application, AuthorizationServer, ClientRegistration

CLIENT_LINKS = ("client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri")
"""Addresses of a client that browsers are sent to or shown (RFC 7591 §2, OpenID Connect Registration §2)."""


@hookimpl
def portula_validate_client_registration(registration: ClientRegistration) -> None:
    """Refuse what may not be saved.

    Raises:
        InvalidClientMetadata: names the member and what is wrong.
    """
    _check_grant_types(registration.provider, registration.application)
    settings = registration.provider.settings(OAuth2Settings)
    for uri in (*registration.application.redirect_uris, *registration.application.post_logout_redirect_uris):
        problem = problem_of(uri, registration.application, settings)
        if problem:
            raise InvalidClientMetadata(f"redirect URI {uri!r} {problem}", "invalid_redirect_uri")
    for member, value in registration.application.metadata.items():
        if member.partition("#")[0] in CLIENT_LINKS and not _is_web_address(value):
            raise InvalidClientMetadata(f"{member} is not an http or https URL")
    for origin in registration.application.allowed_origins:
        if uri_scheme(origin) not in settings.ALLOWED_SCHEMES:
            raise InvalidClientMetadata(
                f"allowed origin {origin!r}: its scheme must be one of {', '.join(settings.ALLOWED_SCHEMES)} "
                "(ALLOWED_SCHEMES)"
            )
        if origin_of(origin, settings.ALLOWED_SCHEMES) != origin:
            raise InvalidClientMetadata(f"allowed origin {origin!r} is not scheme://host[:port]")


def problem_of(uri: str, application: Application, settings: OAuth2Settings) -> str | None:
    """Say why this client may not have this redirect URI, or None; asked when it is saved and when it is used."""
    schemes = application.get_allowed_schemes() or settings.ALLOWED_REDIRECT_URI_SCHEMES
    return redirect_uri_problem(uri, schemes, native=application.application_type == "native")


def port_may_differ(uri: str, application: Application, settings: OAuth2Settings) -> bool:
    """Say whether a redirect URI differs from a registered one by its port on loopback alone, and may (RFC 8252 §7.3).

    Raises:
        MismatchingRedirectURIError: it differs by that alone, and may not.
    """
    registered = application.redirect_uris
    if not any(redirect_uri_matches(known, uri, native=True, localhost=True) for known in registered):
        return False
    if application.application_type != "native":
        raise MismatchingRedirectURIError(
            description="Mismatching redirect URI: only native clients (application_type) may use any port."
        )
    if not settings.ALLOW_LOCALHOST_LOOPBACK:
        raise MismatchingRedirectURIError(
            description="Mismatching redirect URI: any port may be used on 127.0.0.1 and [::1], on localhost only "
            "with ALLOW_LOCALHOST_LOOPBACK = True."
        )
    return True


def _check_grant_types(provider: AuthorizationServer, application: Application) -> None:
    known = registrable_grant_types(provider)
    unknown = [name for name in application.grant_types if name not in known]
    if "password" in unknown:
        raise InvalidClientMetadata("grant type 'password' is off; PASSWORD_GRANT_ENABLED = True allows it")
    if unknown:
        raise InvalidClientMetadata(
            f"grant type {unknown[0]!r} is not one of {', '.join(sorted(known))}{nearest(unknown[0], known)}"
        )
    if application.allows_grant_type("authorization_code", IMPLICIT) and not application.redirect_uris:
        raise InvalidClientMetadata(
            "a client of the authorization endpoint needs a redirect URI (redirect_uris)",
            "invalid_redirect_uri",
        )
    for response_type in application.metadata.get("response_types", ()):
        name = sorted_response_type(response_type)
        if name not in provider.response_types:
            known = provider.response_types
            raise InvalidClientMetadata(
                f"response type {response_type!r} is not one of {', '.join(known)}{nearest(response_type, known)}"
            )
        missing = [need for need in grant_types_needed(name) if not application.allows_grant_type(need)]
        if missing:
            raise InvalidClientMetadata(
                f"response type {response_type!r} needs the grant type {min(missing)!r}"
            )
    if application.client_type == "public" and application.allows_grant_type("client_credentials"):
        raise InvalidClientMetadata("a public client cannot use client credentials (RFC 6749 §4.4)")


def _is_web_address(value: object) -> bool:
    """Keep javascript:, data: and their like off every page (attack S03)."""
    return isinstance(value, str) and origin_of(value) is not None
