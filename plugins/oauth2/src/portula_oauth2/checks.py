"""Findings of `portula check` about what RFC 9700 advises against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.plugin import IMPLICIT, Application, Finding, Level, in_front_channel, unused_overrides
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from portula import Provider

CLIENTS_MOST = 10_000
"""How many clients are compared: a check runs at each start of `portula serve`."""
CLIENTS_NAMED = 10
"""How many clients a finding names; it counts the others."""

USUAL_CODE_SECONDS = 60
"""The default: time for one redirect and one request."""

LONG_ACCESS_TOKEN_SECONDS = 36000
"""django-oauth-toolkit's default; a stolen bearer token works for as long."""


@hookimpl
def portula_checks(provider: Provider) -> list[Finding]:
    """Return the findings about the settings of this room."""
    settings = provider.settings(OAuth2Settings)
    return [
        *_about_pkce(settings),
        *_about_front_channel(provider),
        *_about_grants(settings),
        *_about_lifetimes(settings),
        *_about_questions(provider),
        *_about_clients(provider, settings),
    ]


def _about_clients(provider: Provider, settings: OAuth2Settings) -> Iterator[Finding]:
    """Compare the clients with the lists of what is accepted, where there is one."""
    lists = (settings.OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED, settings.OIDC_RESPONSE_TYPES_SUPPORTED)
    if lists == (None, None):
        return
    clients = list(provider.clients.iterate(CLIENTS_MOST))
    barred = [client for client in clients if not _may_authenticate(provider, client)]
    if barred:
        yield Finding(
            "oauth2.client-auth-methods",
            Level.WARNING,
            f"OIDC_TOKEN_ENDPOINT_AUTH_METHODS_SUPPORTED excludes how clients authenticate: {_list_names(barred)}.",
            "Add the method, `none` for public clients, or leave the setting out.",
            "RFC 6749 §2.3",
        )
    idle = [client for client in clients if not _may_ask(provider, client)]
    if idle:
        yield Finding(
            "oauth2.client-response-types",
            Level.WARNING,
            f"OIDC_RESPONSE_TYPES_SUPPORTED excludes every response type of these clients: {_list_names(idle)}.",
            "Add the response type, with IMPLICIT_GRANT_ENABLED if it has an access token, or leave the setting out.",
            "RFC 6749 §3.1.1",
        )


def _list_names(clients: list[Application]) -> str:
    others = len(clients) - CLIENTS_NAMED
    names = ", ".join(client.client_id for client in clients[:CLIENTS_NAMED])
    return f"{names} and {others} more" if others > 0 else names


def _may_authenticate(provider: Provider, client: Application) -> bool:
    accepted = set(provider.client_auth_methods)
    if client.client_type == "public":
        return "none" in accepted
    method = client.token_endpoint_auth_method
    return method in accepted if method else bool(accepted - {"none"})


def _may_ask(provider: Provider, client: Application) -> bool:
    names = provider.response_types
    by_grant = {
        "authorization_code": any("code" in name.split() for name in names),
        IMPLICIT: any(map(in_front_channel, names)),
    }
    asking = [by_grant[grant] for grant in client.grant_types if grant in by_grant]
    return all(asking)


def _about_questions(provider: Provider) -> Iterator[Finding]:
    for name, instead in unused_overrides(type(provider.validator)).items():
        yield Finding(
            f"oauth2.unasked-{name.replace('_', '-')}",
            Level.WARNING,
            f"The validator class answers {name}, which nobody asks: {instead}.",
            "Decide it there, and remove the method from OAUTH2_VALIDATOR_CLASS.",
            "",
        )


def _about_pkce(settings: OAuth2Settings) -> Iterator[Finding]:
    if settings.PKCE_REQUIRED == "or_nonce":
        yield Finding(
            "oauth2.pkce",
            Level.INFO,
            "Confidential clients may send a nonce in place of PKCE; it protects only those that check it.",
            "Set PKCE_REQUIRED = True; a client that cannot do PKCE has require_pkce=False of its own.",
            "RFC 9700 §2.1.1",
        )
    elif settings.PKCE_REQUIRED is not True:
        yield Finding(
            "oauth2.pkce",
            Level.WARNING,
            "Some confidential clients may use the code flow without PKCE.",
            "Set PKCE_REQUIRED = True; a client that cannot do PKCE has require_pkce=False of its own.",
            "RFC 9700 §2.1.1",
        )
    if "plain" in settings.CODE_CHALLENGE_METHODS:
        yield Finding(
            "oauth2.pkce-plain",
            Level.WARNING,
            "The code_challenge_method plain is allowed; who reads the authorization request can redeem the code.",
            'Set CODE_CHALLENGE_METHODS = ["S256"].',
            "RFC 9700 §2.1.1",
        )


def _about_front_channel(provider: Provider) -> Iterator[Finding]:
    named = [name for name in provider.response_types if "token" in name.split()]
    if named:
        yield Finding(
            "oauth2.implicit",
            Level.WARNING,
            f"Access tokens are sent in redirects, where browsers and proxies keep them: {', '.join(named)}.",
            "Set IMPLICIT_GRANT_ENABLED = False, or leave these out of OIDC_RESPONSE_TYPES_SUPPORTED.",
            "RFC 9700 §2.1.2",
        )


def _about_grants(settings: OAuth2Settings) -> Iterator[Finding]:
    if settings.PASSWORD_GRANT_ENABLED:
        yield Finding(
            "oauth2.password-grant",
            Level.WARNING,
            "Clients may collect passwords and trade them for tokens.",
            "Move these clients to the authorization code flow and set PASSWORD_GRANT_ENABLED = False.",
            "RFC 9700 §2.4",
        )
    if settings.ROTATE_REFRESH_TOKEN is False:
        yield Finding(
            "oauth2.refresh-rotation",
            Level.INFO,
            "Confidential clients keep one refresh token, so that a stolen one is not noticed.",
            "Set ROTATE_REFRESH_TOKEN = True.",
            "RFC 9700 §2.2.2, §4.14.2",
        )
    elif settings.REFRESH_TOKEN_GRACE_PERIOD_SECONDS == 0:
        yield Finding(
            "oauth2.refresh-grace",
            Level.INFO,
            "A client that refreshes in two workers at once, or loses the answer, has to ask its person again.",
            "Set REFRESH_TOKEN_GRACE_PERIOD_SECONDS = 10: within these seconds the same tokens are given again.",
            "RFC 9700 §4.14.2",
        )


def _about_lifetimes(settings: OAuth2Settings) -> Iterator[Finding]:
    code = settings.AUTHORIZATION_CODE_EXPIRE_SECONDS
    if isinstance(code, int) and code > USUAL_CODE_SECONDS:
        yield Finding(
            "oauth2.code-lifetime",
            Level.WARNING,
            f"A code may be redeemed for {code} seconds.",
            f"Set AUTHORIZATION_CODE_EXPIRE_SECONDS to {USUAL_CODE_SECONDS} or less.",
            "RFC 6749 §4.1.2, RFC 9700 §4.5",
        )
    setting = settings.ACCESS_TOKEN_EXPIRE_SECONDS
    seconds = 0 if callable(setting) else settings.access_seconds(None)
    if seconds > LONG_ACCESS_TOKEN_SECONDS:
        yield Finding(
            "oauth2.access-token-lifetime",
            Level.WARNING,
            f"An access token works for {seconds} seconds, for whoever holds it.",
            "Shorten ACCESS_TOKEN_EXPIRE_SECONDS; clients refresh.",
            "RFC 9700 §2.2.1, §4.10",
        )
    if settings.REFRESH_TOKEN_EXPIRE_SECONDS is None:
        yield Finding(
            "oauth2.refresh-token-lifetime",
            Level.INFO,
            "Refresh tokens that are not used never expire.",
            "Set REFRESH_TOKEN_EXPIRE_SECONDS, e.g. to 30 days.",
            "RFC 9700 §4.14.2",
        )
