"""Claims about a person: which scope stands for which (OpenID Connect Core §5.1, §5.4), and what may be told."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from portula import OAuth2Validator
from portula.errors import InvalidTokenError
from portula.plugin import OAuthRequest, exchange_of, json_problem, may_have_scope

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, Exchange, User

SCOPES: dict[str, str] = {
    "openid": "Know who you are",
    "profile": "See your name and profile",
    "email": "See your e-mail address",
    "address": "See your postal address",
    "phone": "See your phone number",
}
"""Scopes of Core §5.4, with what a consent page says of them."""

SCOPE_OF: dict[str, str] = {
    **dict.fromkeys(
        (
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ),
        "profile",
    ),
    "email": "email",
    "email_verified": "email",
    "address": "address",
    "phone_number": "phone",
    "phone_number_verified": "phone",
}
"""The scope that stands for each standard claim."""

ROOM = "oidc"
"""Name under which what an authentication request asked for is kept with codes and tokens."""

PROTOCOL_CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid")
"""Claims that are told of tokens and sign-ins; no person has them."""


class ClaimQuestions(OAuth2Validator):
    """What is told of a person, under the names that django-oauth-toolkit's validator has for it.

    A deployment's validator class adds claims in `get_additional_claims`, and says in `oidc_claim_scope` which scope
    each needs; one that is not in there is told always. Where it is None, those that the class adds are told alone.
    """

    oidc_claim_scope: Mapping[str, str] | None = SCOPE_OF

    def get_additional_claims(self, request: OAuthRequest) -> Mapping[str, Any]:
        """Return further claims about `request.user`: values, or callables that are given the request.

        A deployment's own may take no request, if it returns callables; then the metadata names its claims.
        """
        return {}

    @cached_property
    def scope_of_claims(self) -> Mapping[str, str]:
        """The scope that each claim needs."""
        return self.oidc_claim_scope or {}

    @cached_property
    def claims_without_request(self) -> Mapping[str, Any] | None:
        """What `get_additional_claims` of the deployment returns; None where it takes a request."""
        additional: Callable[..., Mapping[str, Any]] = self.get_additional_claims
        return None if inspect.signature(additional).parameters else additional()

    def get_claim_dict(self, request: OAuthRequest) -> dict[str, Any]:
        """Return every claim that could be told, whatever was asked for."""
        person = person_of(self.provider, request)
        known = {name: value for name, value in person.claims.items() if name in self.scope_of_claims}
        further = self.claims_without_request
        return {**known, **(self.get_additional_claims(request) if further is None else further)}

    def get_oidc_claims(
        self, token: object, token_handler: object, request: OAuthRequest, place: str = "userinfo"
    ) -> dict[str, Any]:
        """Return the claims that the granted scopes and the `claims` parameter stand for.

        `place` is where they will be told, `userinfo` or `id_token`.

        Raises:
            TypeError: a claim of the validator class has a value that JSON has not; the message names it.
        """
        requested = self._claims_by_name(request).get(place, {})
        scopes = request.scopes or ()
        values = {}
        for name, value in self.get_claim_dict(request).items():
            scope = self.scope_of_claims.get(name)
            if scope is None or scope in scopes or name in requested:
                values[name] = value(request) if callable(value) else value
        claims = {
            name: value for name, value in values.items() if value is not None and name not in PROTOCOL_CLAIMS
        }
        problem = json_problem(claims)
        if problem:
            raise TypeError(f"claims of {type(self).__name__} cannot be written as JSON: {problem}")
        return claims

    def _claims_by_name(self, request: OAuthRequest) -> Mapping[str, Mapping[str, Any]]:
        """Return the claims that the person allowed the client by name: not another one that exchanged its token.

        Of a scope that the client has lost since, none is told.
        """
        exchange, client = self.exchange_of(request), request.client
        if exchange.authorization and client and exchange.authorization.client_id != client.client_id:
            return {}
        claims: Mapping[str, Mapping[str, Any]] = exchange.facts.get(ROOM, {}).get("claims", {})
        return within_scopes(exchange, claims) if claims else claims

    def get_userinfo_claims(self, request: OAuthRequest) -> dict[str, Any] | str:
        """Return the claims of userinfo (Core §5.3.2); plugins add theirs, and they are signed, after that."""
        return {"sub": self.exchange_of(request).known_as, **self.get_oidc_claims(None, None, request)}


def person_of(provider: AuthorizationServer, request: OAuthRequest) -> User:
    """Return the person that a request is about.

    Raises:
        InvalidTokenError: they are gone, or may not be spoken for.
    """
    exchange = exchange_of(request, provider)
    if exchange.person is None and request.user is not None:
        exchange.person = provider.validator.active_person(request.user)
    if exchange.person is None or exchange.person.subject != request.user:
        raise InvalidTokenError(request=request)
    return exchange.person


def within_scopes(exchange: Exchange, claims: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the claims that are asked for, without those whose scope the client may not ask for now (Core §5.5)."""
    scope_of = scopes_of_claims(exchange.provider)
    needed = {scope_of[name] for place in claims.values() for name in place if name in scope_of}
    barred = {scope for scope in needed.difference(exchange.scope) if not may_have_scope(exchange, scope)}
    return {
        place: {name: wanted for name, wanted in members.items() if scope_of.get(name) not in barred}
        for place, members in claims.items()
    }


def scopes_of_claims(provider: AuthorizationServer) -> Mapping[str, str]:
    """Return the scope that each claim needs, as the validator class of the deployment says."""
    validator: Any = provider.validator
    scope_of: Mapping[str, str] = validator.scope_of_claims
    return scope_of
