"""What an authentication request demands of the person (OpenID Connect Core §3.1.2.1, §3.1.2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import Plugin, hookimpl
from portula.errors import InvalidRequestError, LoginRequired, OAuth2Error, UntrustedToken
from portula.plugin import Authenticated, Demands, OAuthRequest, issuer_of
from portula_oidc.acr import reached
from portula_oidc.claims import ROOM, SCOPE_OF
from portula_oidc.requested_claims import RequestedClaims, asked_of
from portula_oidc.settings import is_on

if TYPE_CHECKING:
    from portula.plugin import AuthorizationExchange, AuthorizationServer, Interaction

ID_TOKEN_TYPES = ("", "JWT")


class UnmetAuthenticationRequirementsError(OAuth2Error):  # type: ignore[misc]
    """No sign-in here reaches what the client cannot do without (OpenID Connect Unmet Authentication Requirements)."""

    error = "unmet_authentication_requirements"


@hookimpl
def portula_validate_authorization_request(exchange: AuthorizationExchange) -> None:
    """Read the parameters, and keep what tokens will depend on.

    Raises:
        InvalidRequestError: a parameter is malformed or missing.
    """
    if not is_on(exchange.provider):
        return
    asked = asked_of(exchange.request)
    if asked is None:
        return
    kept = {"nonce": asked.nonce, "claims": asked.claims, "acr_values": list(asked.acr_values)}
    exchange.facts[ROOM] = {name: value for name, value in kept.items() if value}


@hookimpl
def portula_interaction_demands(interaction: Interaction) -> Demands | None:
    """Say whether to sign in again, to ask again, or to show nothing.

    Raises:
        OAuth2Error: who signed in is not whom the request is about, or did not sign in as it needs.
    """
    asked = asked_of(interaction.request) if is_on(interaction.provider) else None
    if asked is None:
        return None
    again = not asked.prompt.isdisjoint({"login", "select_account"})
    if not again and asked.max_age is not None:
        again = (
            interaction.user is None
            or asked.max_age == 0
            or interaction.provider.now() - interaction.user.auth_time > asked.max_age
        )
    meant = _meant(interaction.provider, interaction.request, asked)
    if (
        meant is not None
        and interaction.user is not None
        and _known_as(interaction.provider, interaction.request, interaction.user) != meant
    ):
        if interaction.fresh:
            raise LoginRequired(description="Somebody else signed in.", request=interaction.request)
        again = True
    if interaction.user is not None and not _acr_suffices(interaction.provider, asked, interaction.user):
        if interaction.fresh:
            raise UnmetAuthenticationRequirementsError(request=interaction.request)
        again = True
    login = again and not interaction.fresh
    hints = {**asked.hints, "prompt": " ".join(sorted(asked.prompt))} if asked.prompt else asked.hints
    return Demands(
        login=login,
        consent="consent" in asked.prompt,
        silent="none" in asked.prompt,
        hints=hints,
        permissions=frozenset(
            SCOPE_OF[name] for place in asked.claims.values() for name in place if name in SCOPE_OF
        ),
    )


def _known_as(provider: AuthorizationServer, request: OAuthRequest, user: Authenticated) -> str:
    return provider.validator.subject_for(user.subject, request.client)


def _meant(provider: AuthorizationServer, request: OAuthRequest, asked: RequestedClaims) -> str | None:
    """Return the subject that the request is about, by id_token_hint or by a value of the claim `sub` (attack S16)."""
    meant = asked.claim("id_token", "sub").get("value")
    if asked.id_token_hint is None:
        return meant if isinstance(meant, str) else None
    try:
        hint = provider.hooks.ask(Plugin.portula_jose).verify_own(
            asked.id_token_hint, typ=ID_TOKEN_TYPES, client=request.client
        )
    except UntrustedToken:
        raise InvalidRequestError(
            description="id_token_hint is no ID token of this server.", request=request
        ) from None
    if hint.claims.get("iss") != issuer_of(request):
        raise InvalidRequestError(description="id_token_hint is of another issuer.", request=request)
    return str(hint.claims.get("sub"))


def _acr_suffices(provider: AuthorizationServer, asked: RequestedClaims, user: Authenticated) -> bool:
    """Say whether an essential acr is reached (Core §5.5.1.1); what is merely wished for cannot fail."""
    wanted = asked.claim("id_token", "acr")
    if not wanted.get("essential"):
        return True
    values = [wanted["value"]] if "value" in wanted else wanted.get("values")
    return not values or not set(reached(provider, user.amr)).isdisjoint(map(str, values))
