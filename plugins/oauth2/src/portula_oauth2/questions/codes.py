"""Authorization codes and PKCE (RFC 6749 §4.1, RFC 7636)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import OAuth2Validator
from portula.errors import InvalidGrantError, RecordReplayed, UnsupportedCodeChallengeMethodError
from portula.plugin import (
    TO_AUTHORIZATION,
    Application,
    Grant,
    OAuthRequest,
    is_of_removed_client,
    is_revoked,
)
from portula_oauth2.keeping import keep_until
from portula_oauth2.scopes import OPENID, still_allowed
from portula_oauth2.settings import OAuth2Settings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_PURPOSE = "authorization code"


class CodeQuestions(OAuth2Validator):
    """A code belongs to one client, one redirect URI and one challenge, and is redeemed once."""

    @property
    def code_challenge_methods(self) -> Collection[str]:
        """CODE_CHALLENGE_METHODS."""
        return self.provider.settings(OAuth2Settings).CODE_CHALLENGE_METHODS

    def is_pkce_required(self, client_id: str, request: OAuthRequest) -> bool:
        """Ask the client first; public clients have no choice (RFC 9700 §2.1.1)."""
        client = request.client
        if client is not None and client.client_type == "public":
            return True
        if client is not None and client.require_pkce is not None:
            return client.require_pkce
        required = self.provider.settings(OAuth2Settings, client).PKCE_REQUIRED
        if callable(required):
            return bool(required(client_id))
        if required == "or_nonce":
            openid = OPENID in (request.scopes or ()) and OPENID in self.provider.scope_texts
            return not (openid and request.nonce)
        return required is True

    def save_authorization_code(self, client_id: str, code: Mapping[str, str], request: OAuthRequest) -> None:
        """Plan to keep a code as its digest, with all it is bound to."""
        provider, now, exchange = self.provider, self.provider.now(), self.exchange_of(request)
        if request.client is None or request.user is None:
            raise InvalidGrantError(description="A code needs a client and a person.")
        methods = provider.settings(OAuth2Settings, request.client).CODE_CHALLENGE_METHODS
        if request.code_challenge and request.code_challenge_method not in methods:
            raise UnsupportedCodeChallengeMethodError(request=request)  # oauthlib's own server allows plain
        authorization = exchange.authorization or exchange.begin()
        expires_at = now + provider.settings(OAuth2Settings, request.client).code_seconds(request)
        exchange.plan.add(
            Grant(
                digest=provider.keys.digest(_PURPOSE, code["code"]),
                authorization=authorization.id,
                client_id=request.client.client_id,
                subject=request.user,
                scope=" ".join(request.scopes or ()),
                issued_at=now,
                expires_at=expires_at,
                redirect_uri=None if request.using_default_redirect_uri else request.redirect_uri,
                code_challenge=request.code_challenge,
                code_challenge_method=request.code_challenge_method if request.code_challenge else None,
            )
        )
        keep_until(exchange, expires_at)

    def validate_code(self, client_id: str, code: str, client: Application, request: OAuthRequest) -> bool:
        """Find a live code of this client. Another client's attempt changes nothing (attack S22).

        Raises:
            RecordReplayed: this client redeems it a second time.
        """
        provider, exchange = self.provider, self.exchange_of(request)
        found = provider.people.find_along(
            Grant, TO_AUTHORIZATION, digest=provider.keys.digests(_PURPOSE, code)
        )
        if found is None or found[0].client_id != client.client_id:
            exchange.reason = "unknown code" if found is None else "the code of another client"
            return False
        grant, authorization = found
        if grant.taken_at is not None:
            exchange.reason = "the code was used before"
            raise RecordReplayed(grant)
        if grant.expires_at <= provider.now() or authorization is None or is_revoked(provider, authorization):
            exchange.reason = "the code has expired, or its authorization is revoked"
            return False
        if is_of_removed_client(client, authorization.issued_at):
            exchange.reason = "the code is of a client that had the name before"
            return False
        exchange.person = provider.validator.active_person(grant.subject)
        if exchange.person is None:
            exchange.reason = "the person is disabled or gone"
            return False
        exchange.code = grant
        exchange.resume(authorization)
        request.user, request.scopes = grant.subject, still_allowed(provider, grant.scope, request)
        return True

    def get_code_challenge(self, code: str, request: OAuthRequest) -> str | None:
        """Return the challenge. A missing verifier, and one without a challenge, are refused (RFC 9700 §4.8.2)."""
        challenge = self._code(request).code_challenge
        if (challenge is None) != (request.code_verifier is None):
            raise InvalidGrantError(
                description="code_verifier is missing."
                if challenge
                else "The code was issued without code_challenge."
            )
        return challenge

    def get_code_challenge_method(self, code: str, request: OAuthRequest) -> str | None:
        """Return how the challenge was made."""
        return self._code(request).code_challenge_method

    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Application, request: OAuthRequest
    ) -> bool:
        """Compare with the URI of the authorization request, else with the client's only one."""
        if redirect_uri != (self._code(request).redirect_uri or client.default_redirect_uri):
            raise InvalidGrantError(description="redirect_uri differs from the authorization request.")
        return True

    def invalidate_authorization_code(self, client_id: str, code: str, request: OAuthRequest) -> None:
        """Nothing is left to do: the plan that kept the token has taken the code."""

    def _code(self, request: OAuthRequest) -> Grant:
        code = self.exchange_of(request).code
        if code is None:
            raise InvalidGrantError
        return code
