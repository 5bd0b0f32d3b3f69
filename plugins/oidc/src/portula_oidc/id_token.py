"""ID tokens (OpenID Connect Core §2, §3.1.3.6, §3.2.2.10, §3.3.2.11, §12.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from portula import OAuth2Validator, Plugin, hookimpl
from portula.plugin import Exchange, OAuthRequest, in_front_channel, issuer_of
from portula_oidc.acr import acr_of
from portula_oidc.claims import ROOM, person_of
from portula_oidc.hooks import IDTokenClaims, OIDCHooks
from portula_oidc.registration import ID_TOKEN
from portula_oidc.requested_claims import OPENID
from portula_oidc.settings import WITH_SCOPE_CLAIMS, OIDCSettings, is_on

if TYPE_CHECKING:
    from portula.plugin import Application, AuthorizationServer, IntrospectionResponse


class IDTokenQuestions(OAuth2Validator):
    """The ID token that goes with an answer, for requests with the scope openid about a person."""

    def get_id_token(
        self, token: Mapping[str, Any], token_handler: object, request: OAuthRequest
    ) -> str | None:
        """Return the ID token, encrypted for a client that is registered so.

        `token` is the answer that it goes with, whose members it is bound to.
        """
        if OPENID not in (request.scopes or ()) or request.user is None or request.client is None:
            return None
        claims = {**self._protocol_claims(request), **self._bindings(token, request)}
        place_claims = self._person_claims(token, token_handler, request)
        person_claims = IDTokenClaims(
            provider=self.provider,
            request=request,
            user=person_of(self.provider, request),
            claims={**place_claims, **claims},
        )
        complete = self.provider.hooks.enrich(OIDCHooks.portula_id_token_claims, person_claims)
        signed = self.finalize_id_token(complete, token, token_handler, request)
        return ID_TOKEN.encrypt(self.provider, request.client, signed)

    def finalize_id_token(
        self,
        id_token: dict[str, Any],
        token: Mapping[str, Any],
        token_handler: object,
        request: OAuthRequest,
    ) -> str:
        """Sign the claims as the client is registered (`algorithm`, id_token_signed_response_alg)."""
        return self.provider.hooks.ask(Plugin.portula_jose).sign(
            id_token, typ="JWT", algorithm=_algorithm(self.provider, request), client=request.client
        )

    def acr_for(self, exchange: Exchange) -> str | None:
        """Return the class that the request wanted most of those reached, else the strongest (`acr`)."""
        amr = exchange.authorization.amr if exchange.authorization else ()
        return acr_of(self.provider, amr, _wanted_acr(exchange.facts.get(ROOM, {})))

    def _protocol_claims(self, request: OAuthRequest) -> dict[str, Any]:
        provider, now, client = self.provider, self.provider.now(), request.client
        exchange = self.exchange_of(request)
        authorization, facts = exchange.authorization, exchange.facts.get(ROOM, {})
        client_id = client.client_id if client else ""
        amr = list(authorization.amr) if authorization else []
        claims = {
            "iss": issuer_of(request),
            "sub": exchange.known_as,
            "aud": client_id,
            "azp": client_id,
            "exp": now + provider.settings(OIDCSettings).ID_TOKEN_EXPIRE_SECONDS,
            "iat": now,
            "auth_time": authorization.auth_time if authorization else None,
            "amr": amr or None,
            "acr": provider.validator.acr_for(exchange),
            "sid": _sid(exchange),
            # §12.2: a refreshed ID token should have none.
            "nonce": None if request.grant_type == "refresh_token" else facts.get("nonce"),
        }
        return {name: value for name, value in claims.items() if value is not None}

    def _bindings(self, token: Mapping[str, Any], request: OAuthRequest) -> dict[str, str]:
        """Return at_hash, c_hash and, in the front channel, s_hash: with the hash of the algorithm (attack S43)."""
        bound = {"at_hash": token.get("access_token"), "c_hash": token.get("code")}
        if in_front_channel(request.response_type or ""):
            bound["s_hash"] = request.state
        half, algorithm = (
            self.provider.hooks.ask(Plugin.portula_jose).half_digest,
            _algorithm(self.provider, request),
        )
        return {name: half(value, algorithm) for name, value in bound.items() if value}

    def _person_claims(
        self, token: Mapping[str, Any], token_handler: object, request: OAuthRequest
    ) -> dict[str, Any]:
        """Return the claims about the person that belong here rather than at userinfo (§5.4, §5.5)."""
        own = request.client.metadata.get(WITH_SCOPE_CLAIMS) if request.client else None
        everything = self.provider.settings(OIDCSettings).ID_TOKEN_WITH_SCOPE_CLAIMS if own is None else own
        if not everything and request.response_type != "id_token":
            scopes, request.scopes = request.scopes, [OPENID]
        else:
            scopes = request.scopes
        try:
            questions: Any = self
            claims: dict[str, Any] = questions.get_oidc_claims(token, token_handler, request, "id_token")
        finally:
            request.scopes = scopes
        return claims


def _sid(exchange: Exchange) -> str | None:
    """Return the identifier by which the client knows the login session (Back-Channel Logout §2.1)."""
    if exchange.authorization is None or exchange.authorization.sid is None or exchange.client is None:
        return None
    return exchange.provider.validator.sid_for(exchange.authorization.sid, exchange.client.client_id)


def _algorithm(provider: AuthorizationServer, request: OAuthRequest) -> str:
    client = cast("Application", request.client)
    return client.algorithm or provider.hooks.ask(Plugin.portula_jose).default_algorithm(client)


@hookimpl
def portula_introspection_response(answer: IntrospectionResponse) -> dict[str, Any]:
    """Say when the person of a token signed in, and by which class (RFC 9470 §6.2)."""
    authorization = answer.authorization
    if authorization is None or authorization.auth_time is None or not is_on(answer.provider):
        return {}
    acr = acr_of(answer.provider, authorization.amr, _wanted_acr(authorization.facts.get(ROOM, {})))
    return {"auth_time": authorization.auth_time, **({"acr": acr} if acr else {})}


def _wanted_acr(facts: Mapping[str, Any]) -> list[str]:
    """Return the classes asked for, by the `claims` parameter or by `acr_values`."""
    claim = facts.get("claims", {}).get("id_token", {}).get("acr") or {}
    values = [claim["value"]] if "value" in claim else claim.get("values", ())
    return [*map(str, values), *facts.get("acr_values", ())]
