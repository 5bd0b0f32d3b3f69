"""The default OAUTH2_SERVER_CLASS: oauthlib's interface over the lists of steps and the grant types of all plugins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from oauthlib.oauth2 import FatalClientError, OAuth2Error
from oauthlib.oauth2.rfc6749 import utils

from portula.flow.authorization import AUTHORIZATION_ANSWER_STEPS, AUTHORIZATION_STEPS
from portula.flow.exchange import AuthorizationExchange, Exchange, TokenExchange
from portula.flow.grant_hooks import GrantHooks
from portula.flow.grants import GrantType
from portula.flow.issue import Issue
from portula.flow.memo import Memo
from portula.flow.messages import OAuthRequest
from portula.flow.refresh_tokens import refresh_generator
from portula.flow.revocation import REVOCATION_STEPS
from portula.flow.steps import Step, Steps
from portula.flow.token import TOKEN_STEPS
from portula.host.answers import problem_of
from portula.model.errors import AuthorizationRefused, BrokenPlugin

if TYPE_CHECKING:
    from portula.flow.grants import GrantFactory
    from portula.flow.validator import OAuth2Validator
    from portula.host.hooks import Hooks
    from portula.model.sources import PluginSource

Body = Sequence[tuple[str, str]] | Mapping[str, str] | None
Result = tuple[Mapping[str, Any], str | None, int]
_JSON = {"Content-Type": "application/json"}


class Server:
    """Runs the steps of an endpoint; a grant or response type that nobody contributes is refused."""

    def __init__(
        self,
        request_validator: OAuth2Validator,
        token_expires_in: int | Callable[[Any], int] | None = None,
        token_generator: Callable[..., str] | None = None,
        refresh_token_generator: Callable[..., str] | None = None,
    ) -> None:
        """Take what oauthlib's Server takes; grant types come from the provider's hooks."""
        hooks = request_validator.provider.hooks
        self.request_validator = request_validator
        self.memo = cast("OAuth2Validator", Memo(request_validator))
        self.token_generator = token_generator or hooks.ask(GrantHooks.portula_access_token_generator)
        self.refresh_token_generator = refresh_token_generator or refresh_generator(
            hooks.ask(GrantHooks.portula_refresh_token_generator)
        )
        self._token_formats = hooks.collect(GrantHooks.portula_token_formats)
        self._lifetime = token_expires_in or request_validator.access_token_lifetime
        self.grant_types = {
            name: _grant(source, name, make, request_validator)
            for source, (name, make) in hooks.entries(GrantHooks.portula_grant_types)
        }
        contributed = hooks.collect(GrantHooks.portula_response_types)
        enabled = request_validator.enabled_response_types(contributed)
        self.response_types = {name: contributed[name](request_validator) for name in enabled}
        self._provider = request_validator.provider

    def lifetime(self, request: Any) -> int:
        """Return the seconds an access token of this request lives."""
        return self._lifetime(request) if callable(self._lifetime) else self._lifetime

    def access_token(self, exchange: Exchange, issue: Issue) -> str:
        """Return the value of an access token, in the format that the issue names.

        Raises:
            KeyError: nobody contributes this format.
        """
        if not issue.format:
            return self.token_generator(exchange.request)
        return self._token_formats[issue.format](exchange)

    def create_token_response(
        self,
        uri: str,
        http_method: str = "POST",
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        credentials: Any = None,
    ) -> Result:
        """Answer a token request (RFC 6749 §3.2): run the steps of its grant type.

        Raises:
            OAuth2Error: a step refuses.
        """
        exchange = self._exchange(uri, http_method, body, headers, credentials)
        self._provider.steps(TOKEN_STEPS).run(exchange)
        return _JSON, exchange.body, 200

    def create_revocation_response(
        self,
        uri: str,
        http_method: str = "POST",
        body: Body = None,
        headers: Mapping[str, str] | None = None,
        credentials: Any = None,
    ) -> Result:
        """Answer a revocation request (RFC 7009 §2); success is an empty answer."""
        self._provider.steps(REVOCATION_STEPS).run(
            self._exchange(uri, http_method, body, headers, credentials)
        )
        return {}, None, 200

    def _exchange(
        self, uri: str, http_method: str, body: Body, headers: Mapping[str, str] | None, credentials: Any
    ) -> TokenExchange:
        request = OAuthRequest(uri, http_method, body, headers)
        given = credentials.get("exchange") if isinstance(credentials, dict) else None
        exchange = given or TokenExchange(provider=self._provider, request=request)
        exchange.request, exchange.server = request, self
        request.exchange = exchange
        return cast("TokenExchange", exchange)

    def issue(self, exchange: TokenExchange) -> None:
        """Issue tokens for an exchange that was judged elsewhere: run the steps from `authorization` on.

        Its request names client, subject and scopes; where it has no `issue`, also a known grant type.
        No ID token goes along.

        Raises:
            OAuth2Error: a plugin refuses.
        """
        exchange.server = self
        self._provider.steps(TOKEN_STEPS).run_from("authorization", exchange)

    def judge(self, exchange: AuthorizationExchange) -> None:
        """Judge an authorization request (RFC 6749 §4.1.1).

        Raises:
            FatalClientError: nothing may be sent to the redirect URI.
            AuthorizationRefused: the error is sent to the redirect URI.
        """
        exchange.request.scopes = utils.scope_to_list(exchange.request.scope)
        self._towards_client(AUTHORIZATION_STEPS, exchange)

    def answer(self, exchange: AuthorizationExchange) -> None:
        """Answer an authorization request that its person allowed; the answer stands on the exchange.

        Raises:
            AuthorizationRefused: the error is sent to the redirect URI.
        """
        self._towards_client(AUTHORIZATION_ANSWER_STEPS, exchange)

    def _towards_client(self, steps: Steps[AuthorizationExchange], exchange: AuthorizationExchange) -> None:
        try:
            self._provider.steps(steps).run(exchange)
        except OAuth2Error as error:
            if exchange.redirect_uri is None or isinstance(error, FatalClientError):
                raise
            raise AuthorizationRefused(error, exchange) from error


def contributed_steps(hooks: Hooks) -> list[Step]:
    """Return the steps that plugins insert into the lists of endpoints, each with its plugin."""
    found = hooks.contributions(GrantHooks.portula_steps)
    return [replace(step, source=source) for source, steps in found for step in steps]


def formats_without_our_server(hooks: Hooks) -> list[str]:
    """Return findings on token formats that a server class which makes tokens by itself does not know."""
    return [
        f"OAUTH2_SERVER_CLASS: it makes tokens in no format {name!r} of {source}"
        for source, contributed in hooks.contributions(GrantHooks.portula_token_formats)
        for name in contributed
    ]


def _grant(source: PluginSource, name: str, make: GrantFactory, validator: OAuth2Validator) -> GrantType:
    """Make the grant type that a plugin contributes.

    Raises:
        BrokenPlugin: it cannot be made, or what is made is none.
    """
    what = f"{source}: portula_grant_types: what makes {name!r}"
    try:
        made = make(validator)
    except Exception as error:
        raise BrokenPlugin(f"{what} failed: {type(error).__name__}: {error}") from error
    problem = problem_of(made, GrantType)
    if problem:
        raise BrokenPlugin(f"{what} makes {problem}")
    return made
