"""Which requests have to be pushed, and what a pushed one may say that others may not (RFC 9126 §2.4, §5, §6)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from portula import hookimpl
from portula.errors import InvalidRequestError
from portula.plugin import AuthorizationExchange, ClientMember, Step
from portula_par.requests import is_pushed
from portula_par.settings import ParSettings

if TYPE_CHECKING:
    from portula import Provider

REQUIRED = "require_pushed_authorization_requests"


@hookimpl
def portula_client_metadata(provider: Provider) -> list[ClientMember]:
    """Return the member that holds a client to pushing its requests (RFC 9126 §6)."""
    if not provider.settings(ParSettings).PAR_ENABLED:
        return []
    return [
        ClientMember(
            REQUIRED,
            bool,
            label="Has to push its requests",
            hint="Authorization requests that were not pushed before (RFC 9126) are refused.",
        )
    ]


@hookimpl
def portula_validate_authorization_request(exchange: AuthorizationExchange) -> None:
    """Refuse what was not pushed where the server or the client says that all is (RFC 9126 §4).

    What no browser brings, such as the request of a device, has no response type, and cannot be pushed.

    Raises:
        InvalidRequestError: it was not.
    """
    if not exchange.response_type:
        return
    settings = exchange.provider.settings(ParSettings, exchange.client)
    of_client = exchange.client is not None and exchange.client.metadata.get(REQUIRED) is True
    required = settings.REQUIRE_PUSHED_AUTHORIZATION_REQUESTS or (settings.PAR_ENABLED and of_client)
    if required and not is_pushed(exchange):
        raise InvalidRequestError(description="Push the request to the server first (RFC 9126).")
    if settings.PAR_REDIRECT_URI_REQUIRED and "redirect_uri" not in dict(exchange.pairs):
        raise InvalidRequestError(description="redirect_uri is missing.")


def unregistered_redirect_uri(exchange: AuthorizationExchange) -> None:
    """Take the redirect URI that a confidential client pushed for the one it is registered with (RFC 9126 §2.4).

    Not of a client whose metadata fix its redirect URIs, as the document of a sector does (OpenID Connect Core §8.1).
    """
    client, sent = exchange.client, exchange.request.redirect_uri
    if client is None or client.client_type != "confidential" or sent is None or not is_pushed(exchange):
        return
    members = exchange.provider.client_members.values()
    fixed = any(member.fixes_redirect_uris and member.name in client.metadata for member in members)
    if sent not in client.redirect_uris and not fixed:
        exchange.request.client = replace(client, redirect_uris=(sent,))


@hookimpl
def portula_steps(provider: Provider) -> list[Step]:
    """Return the step for redirect URIs that nobody registered, where that is allowed."""
    settings = provider.settings(ParSettings)
    if not (settings.PAR_ENABLED and settings.PAR_ALLOW_UNREGISTERED_REDIRECT_URIS):
        return []
    return [
        Step(
            endpoint="authorize",
            name="unregistered_redirect_uri",
            run=unregistered_redirect_uri,
            after="parameters",
            reads=frozenset({"client", "request"}),
        )
    ]
