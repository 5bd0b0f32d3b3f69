"""The demands of an authentication request on the person (OpenID Connect Core §3.1.2.1, §3.1.2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from portula import Plugin, hookimpl
from portula.errors import InvalidRequestError, LoginRequired, OAuth2Error, UntrustedToken
from portula.plugin import Demands, OAuthRequest, exchange_of, is_encrypted, issuer_of
from portula_oidc.acr import reached_classes
from portula_oidc.claims import ROOM, scopes_of_claims, within_scopes
from portula_oidc.requested_claims import RequestedClaims, asked_of
from portula_oidc.settings import OIDCSettings, is_on

if TYPE_CHECKING:
    from portula.plugin import AuthorizationExchange, AuthorizationServer, Interaction

ID_TOKEN_TYPES = ("", "JWT")
ID_TOKEN_CLAIMS = frozenset({"iss", "sub", "aud", "exp", "iat"})
"""Those that every ID token has (Core §2)."""


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
    requested = asked_of(exchange.request)
    if requested is None:
        return
    claims = within_scopes(exchange, requested.claims)
    facts = {"nonce": requested.nonce, "claims": claims, "acr_values": list(requested.acr_values)}
    exchange.facts[ROOM] = {name: value for name, value in facts.items() if value}


@hookimpl
def portula_interaction_demands(interaction: Interaction) -> Demands | None:
    """Say whether to sign in again, to ask again, or to show nothing.

    Raises:
        OAuth2Error: who signed in is not whom the request is about, or did not sign in as it needs.
    """
    requested = asked_of(interaction.request) if is_on(interaction.provider) else None
    if requested is None:
        return None
    again = not requested.prompt.isdisjoint({"login", "select_account"})
    if not again and requested.max_age is not None:
        again = (
            interaction.user is None
            or requested.max_age == 0
            or interaction.provider.now() - interaction.user.auth_time > requested.max_age
        )
    meant = _requested_subjects(interaction.provider, interaction.request, requested)
    if interaction.user is not None and not _is_among_all(interaction, meant):
        if interaction.fresh:
            raise LoginRequired(description="Somebody else signed in.", request=interaction.request)
        again = True
    demanded = _demanded_acr(interaction, requested)
    if interaction.user is not None and not _acr_suffices(
        interaction.provider, demanded, interaction.user.amr
    ):
        if interaction.fresh:
            raise UnmetAuthenticationRequirementsError(request=interaction.request)
        again = True
    return Demands(
        login=again and not interaction.fresh,
        consent="consent" in requested.prompt,
        silent="none" in requested.prompt,
        hints=_hints(interaction.provider, requested, demanded),
        permissions=_permissions(interaction),
    )


def _permissions(interaction: Interaction) -> frozenset[str]:
    """Return the scopes that stand for the claims which are asked for by name."""
    scope_of = scopes_of_claims(interaction.provider)
    claims = exchange_of(interaction.request).facts.get(ROOM, {}).get("claims", {})
    return frozenset(scope_of[name] for place in claims.values() for name in place if name in scope_of)


def _demanded_acr(interaction: Interaction, requested: RequestedClaims) -> list[list[str]]:
    """Return lists of classes, of each of which the person has to reach one.

    An essential claim is a demand (Core §5.5.1.1), and with ACR_VALUES_ESSENTIAL the parameter `acr_values` is (RFC
    9470 §5). `default_acr_values` of a client are wishes.
    """
    essential = interaction.provider.settings(OIDCSettings).ACR_VALUES_ESSENTIAL
    named = (interaction.request.acr_values or "").split() if essential else []
    claim = requested.claim("id_token", "acr")
    values = [claim["value"]] if "value" in claim else claim.get("values") or []
    in_claims = list(map(str, values)) if claim.get("essential") else []
    return [classes for classes in (named, in_claims) if classes]


def _hints(
    provider: AuthorizationServer, requested: RequestedClaims, demanded: Sequence[Sequence[str]]
) -> dict[str, str]:
    """Return what the login page may like to know: also how, and how lately, the person has to have signed in.

    Of the classes that are named, those are told that sign-ins here may reach and that meet every demand.
    """
    hints = dict(requested.hints)
    if requested.prompt:
        hints["prompt"] = " ".join(sorted(requested.prompt))
    if requested.max_age is not None:
        hints["max_age"] = str(requested.max_age)
    known, named = provider.settings(OIDCSettings).ACR_VALUES, chain(*demanded or [requested.acr_values])
    classes = [
        name
        for name in dict.fromkeys(named)
        if name in known and _acr_suffices(provider, demanded, known[name])
    ]
    return {**hints, "acr_values": " ".join(classes)} if classes else hints


def _is_among_all(interaction: Interaction, meant: Sequence[Sequence[object]]) -> bool:
    """Say whether who is signed in, as the client knows them, is one of each of these lists."""
    provider, request, user = interaction.provider, interaction.request, interaction.user
    if user is None or not meant:
        return not meant
    known_as = provider.validator.subject_for(user.subject, request.client)
    return all(known_as in subjects for subjects in meant)


def _requested_subjects(
    provider: AuthorizationServer, request: OAuthRequest, requested: RequestedClaims
) -> list[Sequence[object]]:
    """Return lists of subjects, of each of which the person has to be one (Core §3.1.2.2, attack S16).

    The id_token_hint names one, and so may the claim `sub`, by `value` or by `values`. What is no text is nobody's.
    """
    claim = requested.claim("id_token", "sub")
    meant: list[Sequence[object]] = [[claim["value"]]] if claim.get("value") is not None else []
    if "values" in claim:
        meant.append(claim["values"])
    if requested.id_token_hint is not None:
        meant.append([_hinted_subject(provider, request, requested.id_token_hint)])
    return meant


def _hinted_subject(provider: AuthorizationServer, request: OAuthRequest, token: str) -> str:
    """Return the subject of an id_token_hint. Other JWTs that this server signs lack claims that every ID token has.

    An ID token that was encrypted for the client has to be decrypted by it, and may be encrypted anew for this server
    (OpenID Connect Core §3.1.2.1).
    """
    jose = provider.hooks.ask(Plugin.portula_jose)
    claims: Mapping[str, Any]
    try:
        signed = jose.decrypt(token, request.client) if is_encrypted(token) else token
        claims = jose.verify_own(signed, typ=ID_TOKEN_TYPES, client=request.client).claims
    except UntrustedToken:
        claims = {}
    if not claims.keys() >= ID_TOKEN_CLAIMS:
        encrypted = ", or is encrypted for somebody else" if is_encrypted(token) else ""
        raise InvalidRequestError(
            description=f"id_token_hint is no ID token of this server{encrypted}.", request=request
        )
    if claims["iss"] != issuer_of(request):
        raise InvalidRequestError(description="id_token_hint is of another issuer.", request=request)
    return str(claims["sub"])


def _acr_suffices(
    provider: AuthorizationServer, demanded: Sequence[Sequence[str]], amr: Sequence[str]
) -> bool:
    """Say whether these methods meet every demand; what is merely wished for cannot fail."""
    known = reached_classes(provider, amr)
    return not any(set(known).isdisjoint(classes) for classes in demanded)
