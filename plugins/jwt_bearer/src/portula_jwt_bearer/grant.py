"""The grant type: an assertion of a trusted issuer is redeemed in the name of a person (RFC 7523 §2.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import override

from portula import OAuth2Validator, Plugin, hookimpl
from portula.errors import (
    HookFailed,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
    StorageDown,
)
from portula.plugin import Application, ExtensionGrant, may_have_scope
from portula_jwt_bearer.assertions import Assertions, RefusedAssertion
from portula_jwt_bearer.hooks import JwtBearerHooks
from portula_jwt_bearer.settings import JwtBearerSettings, TrustedIssuer

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import GrantFactory, TokenExchange

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class JwtBearerGrant(ExtensionGrant):
    """Redeems an assertion, once."""

    confidential = True  # RFC 7521 §4.1: an assertion that was stolen would be enough

    def __init__(self, validator: OAuth2Validator) -> None:
        """Take the validator, and ask who knows the subjects."""
        super().__init__(validator)
        provider = validator.provider
        self._assertions = Assertions(provider)
        self._resolve = provider.hooks.ask(JwtBearerHooks.portula_jwt_bearer_subject)
        self._privileged = provider.settings(JwtBearerSettings).JWT_BEARER_ALLOW_PRIVILEGED_SUBJECTS

    @override
    def check(self, exchange: TokenExchange) -> None:
        """Judge the assertion, then whom it is about, then the scope."""
        client = cast("Application", exchange.client)
        assertion = exchange.parameter("assertion")
        if assertion is None:
            raise InvalidRequestError(description="Missing assertion parameter.")
        try:
            claims, trusted, kind = self._assertions.judge(assertion, client, exchange)
            exchange.request.user = self._person(claims, client, exchange)
        except RefusedAssertion as refused:
            exchange.reason = f"the assertion is refused: {refused}"
            raise InvalidGrantError(description="The assertion does not count here.") from refused
        claimed = None if kind is None else self._scopes_of(claims, client, exchange)
        exchange.request.scopes = self._scopes(trusted, claimed, client, exchange)

    def _person(self, claims: Mapping[str, Any], client: Application, exchange: TokenExchange) -> str:
        """Return the subject of the person whom an assertion is about."""
        try:
            subject = self._resolve(claims, client, exchange.request)
        except (OAuth2Error, StorageDown):
            raise
        except Exception as error:
            raise HookFailed(f"the subject resolver failed: {type(error).__name__}") from error
        if subject is None:
            raise RefusedAssertion("sub is nobody here")
        if not isinstance(subject, str):
            raise HookFailed(f"the subject resolver returns a {type(subject).__name__}, and no text")
        person = self.validator.active_person(subject)
        if person is None:
            raise RefusedAssertion("the person is gone or disabled")
        if person.is_admin and not self._privileged:
            raise RefusedAssertion("the person administers this provider")
        return person.subject

    def _scopes_of(
        self, claims: Mapping[str, Any], client: Application, exchange: TokenExchange
    ) -> Sequence[str]:
        """Return the scopes that an assertion gives: what it says, or the client's default (RFC 6749 §3.3)."""
        return str(claims["scope"]).split() if "scope" in claims else self._default(client, exchange)

    def _default(self, client: Application, exchange: TokenExchange) -> list[str]:
        return list(self.validator.get_default_scopes(client.client_id, exchange.request))

    def _scopes(
        self,
        trusted: TrustedIssuer,
        claimed: Sequence[str] | None,
        client: Application,
        exchange: TokenExchange,
    ) -> list[str]:
        """Return the scopes of the request; or what the assertion gives, else the client's default, as far as may be.

        Args:
            trusted: what the issuer is trusted with.
            claimed: what the assertion gives at the most; None for no limit.
            client: who asks.
            exchange: the request.

        Raises:
            InvalidScopeError: none are left, or the request names others.
        """
        limits = [set(limit) for limit in (trusted.scopes, claimed) if limit is not None]
        scopes = list(exchange.scope)
        if not limits:
            return scopes
        if not scopes:
            offered = self._default(client, exchange) if claimed is None else claimed
            scopes = [
                scope
                for scope in dict.fromkeys(offered)
                if all(scope in limit for limit in limits) and may_have_scope(exchange, scope)
            ]
        if not scopes or not all(set(scopes) <= limit for limit in limits):
            raise InvalidScopeError(description="Assertions of this issuer do not give these scopes.")
        return scopes


@hookimpl
def portula_metadata(provider: Provider) -> dict[str, Any]:
    """Return the profiles of the types that issuers are trusted with, where the grant type is offered."""
    if not _is_offered(provider):
        return {}
    types = provider.hooks.collect(JwtBearerHooks.portula_assertion_types)
    issuers = provider.settings(JwtBearerSettings).JWT_BEARER_TRUSTED_ISSUERS.values()
    named = {each.lower() for trusted in issuers for each in trusted.types}
    profiles = {kind.profile for name, kind in types.items() if name in named}
    return {"authorization_grant_profiles_supported": sorted(profiles)}


@hookimpl
def portula_grant_types(provider: Provider) -> Mapping[str, GrantFactory]:
    """Return the grant type, where it is enabled and JWTs can be verified."""
    return {GRANT_TYPE: JwtBearerGrant} if _is_offered(provider) else {}


def _is_offered(provider: Provider) -> bool:
    verified = provider.hooks.ruling(Plugin.portula_jose).answer is not None
    return verified and provider.settings(JwtBearerSettings).JWT_BEARER_GRANT_ENABLED
