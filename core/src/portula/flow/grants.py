"""Grant types: what stands between an authenticated client and its token. oauthlib judges those of RFC 6749."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from oauthlib.oauth2.rfc6749 import errors, grant_types

from portula.flow.exchange import AuthorizationExchange, Exchange, TokenExchange, exchange_of
from portula.flow.memo import Memo
from portula.flow.pkce import well_formed
from portula.flow.validator import OAuth2Validator
from portula.model.records import Authorization

if TYPE_CHECKING:
    from portula.flow.messages import OAuthRequest
    from portula.model.records import Application

for _name in (
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "resource_owner_password_credentials",
):
    # At DEBUG oauthlib writes codes and tokens as they are (attack S58); its other levels stay.
    logging.getLogger(f"oauthlib.oauth2.rfc6749.grant_types.{_name}").addFilter(
        lambda record: record.levelno > logging.DEBUG
    )


class GrantType:
    """A grant type of the token endpoint, by the name under which it is contributed.

    The client is authenticated, and registered for the name, before `judge` is called.
    """

    refreshable: ClassVar[bool] = True
    """Whether a refresh token may go with its access token."""
    confidential: ClassVar[bool] = False
    """Whether public clients are refused, at registration and here: anybody could act in the name of one."""
    with_id_token: ClassVar[bool] = False
    """Whether an ID token goes with its access token, when a person allowed the scope openid."""

    def __init__(self, validator: OAuth2Validator) -> None:
        """Take the validator; called once a provider, at start."""
        self.validator = validator

    def judge(self, exchange: TokenExchange) -> None:
        """Refuse the request by raising an OAuth2Error, or set whom and what the token is for on `exchange.request`.

        `request.user` is the person's subject, None for the client itself; `request.scopes` the scopes of the token.

        Raises:
            OAuth2Error: the request is refused.
        """
        raise NotImplementedError

    def judge_scope(self, exchange: TokenExchange) -> None:
        """Take the scopes of the request, or the client's default, if the client may have them (RFC 6749 §3.3).

        Raises:
            InvalidScopeError: it may not.
        """
        judge_scope(exchange, self.validator)


def judge_scope(exchange: Exchange, validator: OAuth2Validator) -> None:
    """Take the scopes of the request, or the client's default, if the client may have them (RFC 6749 §3.3).

    Raises:
        InvalidScopeError: it may not.
    """
    request = exchange.request
    client_id = request.client_id or ""
    request.scopes = request.scopes or list(validator.get_default_scopes(client_id, request))
    client = cast("Application", request.client)
    if not validator.validate_scopes(client_id, list(request.scopes or ()), client, request):
        raise errors.InvalidScopeError(request=request)


GrantFactory = Callable[[OAuth2Validator], GrantType]
"""Makes a grant type for a validator: the class itself. Called once a provider, at start."""


class ExtensionGrant(GrantType):
    """A grant type of a plugin's own (RFC 6749 §4.5): override `check`."""

    refreshable = False

    def judge(self, exchange: TokenExchange) -> None:
        """Check the request, then its scope."""
        self.check(exchange)
        self.judge_scope(exchange)

    def check(self, exchange: TokenExchange) -> None:
        """Raise an OAuth2Error, usually invalid_grant, or let pass.

        What it redeems is for somebody and for some scopes: it sets `exchange.request.user` and, narrowed to
        `exchange.scope` if that is not empty, `exchange.request.scopes`. Scopes that neither it nor the request
        names are the client's default (RFC 6749 §3.3).

        Raises:
            NotImplementedError: a grant without a check of its own lets nobody pass.
        """
        raise NotImplementedError

    def redeem(self, exchange: TokenExchange, authorization_id: str) -> None:
        """Go on under an authorization that a person gave before, for its subject and all of its scope.

        A revocation that comes at the same moment wins.

        Raises:
            InvalidGrantError: it is gone, revoked or another client's.
        """
        given = exchange.provider.storage.find(Authorization, id=authorization_id)
        client = cast("Application", exchange.client)
        if given is None or given.revoked_at is not None or given.client_id != client.client_id:
            raise errors.InvalidGrantError(request=exchange.request)
        exchange.plan.change(given, given={"revoked_at": None}, expires_at=given.expires_at)
        exchange.resume(given)
        exchange.request.user, exchange.request.scopes = given.subject, given.scope.split()


class _OAuthlibGrant(GrantType):
    """A grant type that oauthlib judges, through its public `validate_token_request`."""

    stock: ClassVar[type[Any]]

    def __init__(self, validator: OAuth2Validator) -> None:
        """Put the memo in front of the validator."""
        super().__init__(validator)
        self._grant = self.stock(Memo(validator))

    def judge(self, exchange: TokenExchange) -> None:
        """Let oauthlib judge the request; what it finds stands on the request."""
        self._grant.validate_token_request(exchange.request)


class AuthorizationCodeGrant(_OAuthlibGrant):
    """Authorization code with PKCE (RFC 6749 §4.1, RFC 7636)."""

    stock = grant_types.AuthorizationCodeGrant
    with_id_token = True

    def judge(self, exchange: TokenExchange) -> None:
        """Check the form of a verifier, which oauthlib does not, and let oauthlib judge the rest (RFC 7636 §4.1)."""
        verifier = exchange.parameter("code_verifier")
        if verifier is not None and not well_formed(verifier):
            raise errors.InvalidGrantError(
                description="code_verifier is malformed.", request=exchange.request
            )
        super().judge(exchange)


class RefreshTokenGrant(_OAuthlibGrant):
    """Refreshing an access token (RFC 6749 §6)."""

    stock = grant_types.RefreshTokenGrant
    with_id_token = True


class ClientCredentialsGrant(_OAuthlibGrant):
    """Client credentials (RFC 6749 §4.4)."""

    stock = grant_types.ClientCredentialsGrant
    refreshable = False


class PasswordGrant(_OAuthlibGrant):
    """Resource owner password credentials (RFC 6749 §4.3); RFC 9700 §2.4 forbids it to all but legacy clients."""

    stock = grant_types.ResourceOwnerPasswordCredentialsGrant


_JUDGED_BEFORE = "https://judged-before.invalid/"


def _restore_redirect_uri(request: OAuthRequest) -> dict[str, Any]:
    request.redirect_uri = cast("AuthorizationExchange", exchange_of(request)).redirect_uri
    return {}


class ResponseType:
    """A response type of the authorization endpoint, by the name under which it is contributed.

    What its words name is made: a `code`, an access `token`, an `id_token` (OAuth 2.0 Multiple Response Types §3, §5).
    """

    def __init__(self, validator: OAuth2Validator) -> None:
        """Put the memo in front of the validator; called once a provider, at start."""
        memo = Memo(validator)
        self._code = grant_types.AuthorizationCodeGrant(memo, pre_auth=[_restore_redirect_uri])
        self._implicit = grant_types.ImplicitGrant(memo, pre_auth=[_restore_redirect_uri])
        self._implicit.response_types = ["token", "id_token"]

    def judge(self, exchange: AuthorizationExchange) -> None:
        """Let oauthlib judge the request by the rules for its words; with a code in the answer, those for codes hold.

        A step has judged the redirect URI by then. oauthlib would parse it, and refuse some that clients registered,
        so it is shown another until it has done that.

        Raises:
            OAuth2Error: the client may not, PKCE is missing, or a scope is refused.
        """
        request, sent = exchange.request, exchange.request.using_default_redirect_uri
        grant = self._code if "code" in exchange.words else self._implicit
        exchange.memo[("default_redirect_uri",)], request.redirect_uri = _JUDGED_BEFORE, None
        try:
            grant.validate_authorization_request(request)
        finally:
            request.redirect_uri, request.using_default_redirect_uri = exchange.redirect_uri, sent

    def parameters(self, exchange: AuthorizationExchange) -> dict[str, str]:
        """Return what the answer carries beside tokens: a code, where the words name one."""
        return {"code": secrets.token_urlsafe(32)} if "code" in exchange.words else {}


ResponseTypeFactory = Callable[[OAuth2Validator], ResponseType]
"""Makes a response type for a validator: the class itself. Called once a provider, at start."""
