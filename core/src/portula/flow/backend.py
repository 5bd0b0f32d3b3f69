"""The default OAUTH2_BACKEND_CLASS: HTTP messages to the oauthlib server, and its results to answers."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749 import errors

from portula.flow import authorization as authorizing
from portula.flow import foreign, revocation
from portula.flow.client_cache import ClientChanged
from portula.flow.event_hooks import EventHooks
from portula.flow.events import TokenRefused
from portula.flow.exchange import AuthorizationExchange, Exchange, TokenExchange
from portula.flow.foreign import working_on
from portula.flow.messages import ISSUER, OAuthRequest, Pairs, RepeatedParameter
from portula.flow.refusals import tell_refusal
from portula.flow.responses import (
    error_parameters,
    failed_answer,
    from_oauthlib,
    server_error_of,
    token_error,
)
from portula.flow.server import Server
from portula.host.hooks import RuleFailed
from portula.model.errors import AuthorizationRefused, Conflict, DuplicateRecord, RecordReplayed
from portula.model.failures import log_failure
from portula.model.http import Answer, Message
from portula.model.plans import Plan
from portula.model.uris import is_below

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.validator import OAuth2Validator
    from portula.model.people import AuthenticatedUser

AUTHORIZATION = "the authorization request"
FAULTS = (errors.ServerError, errors.TemporarilyUnavailableError, RuleFailed)


class Backend:
    """The methods of django-oauth-toolkit's OAuthLibCore, taking our HTTP message, or the exchange about it.

    Subclass to change one of them; works over any class with the interface of oauthlib's Server.
    """

    def __init__(self, provider: AuthorizationServer, server: Any, validator: OAuth2Validator) -> None:
        """Take the provider, its server and its validator."""
        self.provider = provider
        self.server = server
        self.validator = validator

    # --- Authorization endpoint ---

    def validate_authorization_request(
        self, pairs: Pairs, issuer: str, presented: Pairs | None = None
    ) -> AuthorizationExchange:
        """Judge an authorization request (RFC 6749 §4.1.1): the first list of `portula.flow.authorization`.

        Args:
            pairs: its parameters.
            issuer: by whose name it is answered.
            presented: the parameters as the client sent them, where `pairs` were found elsewhere by them before.

        Raises:
            FatalClientError: for an error page; nothing may be sent to the redirect URI.
            AuthorizationRefused: for `error_response`.
        """
        exchange = self._authorization_exchange(pairs, issuer, pairs if presented is None else presented)
        try:
            if self._ours is not None:
                self._ours.judge(exchange)
            else:
                foreign.judge(self.server, exchange)
        except (AuthorizationRefused, OAuth2Error):
            self.provider.client_cache.confirm(exchange.client)
            raise
        except Exception as failure:
            if exchange.redirect_uri is None:
                raise
            raise AuthorizationRefused(server_error_of(failure, AUTHORIZATION), exchange) from failure
        return exchange

    def refuse_repeated(self, error: RepeatedParameter, issuer: str) -> None:
        """Refuse an authorization request with parameters that stand more than once (RFC 6749 §3.1, §4.1.2.1).

        Where client and redirect URI are not both said once, or lie where nobody looks for them now, nothing happens.

        Raises:
            AuthorizationRefused: for `error_response`, which goes by the other parameters.
        """
        once = dict(error.pairs).keys()
        if not error.repeated.isdisjoint({"client_id", "redirect_uri"}):
            return
        if "redirect_uri" not in once and not (once | error.repeated).isdisjoint({"request", "request_uri"}):
            return
        exchange = self._authorization_exchange(error.pairs, issuer, error.pairs)
        refusal: errors.OAuth2Error = error
        try:
            with suppress(errors.OAuth2Error):
                authorizing.client(exchange)
                authorizing.redirect_uri(exchange)
                if self._ours is not None:
                    authorizing.response_type(exchange)
                    authorizing.response_mode(exchange)
            self.provider.client_cache.confirm(exchange.client)
        except ClientChanged:
            raise
        except Exception as failure:
            if exchange.redirect_uri is None:
                raise
            refusal = server_error_of(failure, AUTHORIZATION)
        if exchange.redirect_uri is not None:
            raise AuthorizationRefused(refusal, exchange) from error

    def create_authorization_response(
        self,
        authorization: AuthorizationExchange,
        user: AuthenticatedUser,
        scopes: tuple[str, ...],
        issuer: str,
    ) -> Answer:
        """Answer an authorization request that the person allowed (RFC 6749 §4.1.2): the second list.

        What its plan holds already, such as the end of an interaction, is applied with it.

        Raises:
            AuthorizationRefused: for `error_response`.
            FatalClientError: for an error page.
            RecordReplayed, Conflict, DuplicateRecord: what the plan changes is not as it was read; nothing is changed.
        """
        authorization.login, authorization.issuer = user, issuer
        authorization.request.scopes = list(scopes)
        try:
            if self._ours is not None:
                self._ours.answer(authorization)
            else:
                foreign.answer(self.server, authorization)
        except (AuthorizationRefused, Conflict, DuplicateRecord, OAuth2Error, RecordReplayed):
            raise
        except Exception as failure:
            raise AuthorizationRefused(server_error_of(failure, AUTHORIZATION), authorization) from failure
        return cast("Answer", authorization.answer)

    def error_response(self, refused: AuthorizationRefused, issuer: str) -> Answer:
        """Send an error to the redirect URI of a request that named a known client and a registered URI."""
        refused.exchange.issuer = issuer
        return authorizing.respond(refused.exchange, error_parameters(refused.error))

    def denied_response(self, authorization: AuthorizationExchange, issuer: str) -> Answer:
        """Send access_denied: the person said no; what is to be applied before stands in the plan."""
        authorizing.consume(authorization)
        denied = errors.AccessDeniedError(description="The resource owner denied the request.")
        return self.error_response(AuthorizationRefused(denied, authorization), issuer)

    def end_request(self, refused: AuthorizationRefused) -> None:
        """Let what the parameters came by serve no second time, once an error answers the request (RFC 9126 §4).

        A request that met a fault of ours may be sent again.

        Raises:
            FatalClientError: it was answered before; nothing may be sent to the redirect URI.
        """
        exchange = refused.exchange
        if not exchange.is_resolved or isinstance(refused.error, FAULTS):
            return
        exchange.plan = Plan()
        try:
            authorizing.consume(exchange)
            self.provider.storage.apply(exchange.plan)
        except errors.FatalClientError:
            raise
        except OAuth2Error:
            return  # it serves no more
        except (Conflict, RecordReplayed):
            raise errors.InvalidRequestFatalError(description="The request was answered before.") from None
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "a refused request may be sent again, until its time ends")

    def _authorization_exchange(self, pairs: Pairs, issuer: str, presented: Pairs) -> AuthorizationExchange:
        request = OAuthRequest(f"{issuer}/authorize", "GET", pairs, {ISSUER: issuer})
        exchange = AuthorizationExchange(
            provider=self.provider,
            request=request,
            issuer=issuer,
            pairs=pairs,
            presented=presented,
            server=self._ours,
        )
        request.exchange = exchange
        return exchange

    @property
    def _ours(self) -> Server | None:
        return self.server if isinstance(self.server, Server) else None

    # --- Machine endpoints ---

    def create_token_response(self, message: Message) -> Answer:
        """Answer a token request (RFC 6749 §3.2): the list of `portula.flow.token`."""
        return self.provider.client_cache.answer(lambda: self._token_response(message))

    def _token_response(self, message: Message) -> Answer:
        exchange = TokenExchange.of(self.provider, message)
        try:
            exchange.read_form()
            with working_on(exchange if self._ours is None else None):
                headers, body, status = self.server.create_token_response(
                    *_arguments(exchange), self._credentials(exchange)
                )
            answer = from_oauthlib(headers, body, status)
            if status < 300:
                return answer.with_headers(exchange.headers)
        except RecordReplayed as replay:
            self._end_replay(exchange, replay.record)
            exchange.is_told = True
            answer = token_error(errors.InvalidGrantError())
        except ClientChanged:
            raise
        except OAuth2Error as error:
            self.provider.client_cache.confirm(exchange.client)
            answer = token_error(error)
        except Exception as failure:  # noqa: BLE001 - it is logged
            log_failure(failure, "the token request is refused")
            answer = failed_answer(failure)
        self._tell_refusal(exchange, answer)
        return answer.with_headers(exchange.headers)

    def _end_replay(self, exchange: TokenExchange, record: object) -> None:
        """Revoke what grew from a record that its client presents again, also where the client cannot be read again.

        Raises:
            ClientChanged: the client is not as it was found; the request is answered anew.
        """
        try:
            self.provider.client_cache.confirm(exchange.client)
        except ClientChanged:
            raise
        except Exception as failure:  # noqa: BLE001 - it is logged, and the revocation is due
            log_failure(failure, "a client that replays is not read again")
        self.validator.revoke_authorization_of(record)

    def create_revocation_response(self, message: Message) -> Answer:
        """Answer a revocation request (RFC 7009 §2): the list of `portula.flow.revocation`."""
        return self.provider.client_cache.answer(lambda: self._revocation_response(message))

    def _revocation_response(self, message: Message) -> Answer:
        exchange = TokenExchange.of(self.provider, message)
        try:
            exchange.read_form()
            if self._ours is not None:
                result = self.server.create_revocation_response(
                    *_arguments(exchange), self._credentials(exchange)
                )
            else:
                with working_on(exchange):
                    result = self.server.create_revocation_response(*_arguments(exchange))
                for run in (revocation.apply, revocation.tell):
                    run(exchange)
            answer = from_oauthlib(*result)
        except OAuth2Error as error:
            self.provider.client_cache.confirm(exchange.client)
            tell_refusal(self.provider, revocation.REVOCATION_STEPS.endpoint, error, exchange)
            answer = token_error(error)
        return answer.with_headers(exchange.headers)

    def _credentials(self, exchange: TokenExchange) -> dict[str, Any] | None:
        """Return what our server is given beside the request; a server class of oauthlib's own would answer with it."""
        return {"exchange": exchange} if self._ours is not None else None

    def verify_request(self, exchange: Exchange, scopes: list[str]) -> bool:
        """Say whether the access token of a request is live and has these scopes (RFC 6750 §3.1).

        It is read from the header alone, unless it stands on the exchange. What it says stands there, if it is live.

        Raises:
            OAuth2Error: it is live, but its possession is not proven, or it is for another server (RFC 8707 §2).
        """
        presentations = self.provider.token_presentations
        presented = exchange.presented_token or presentations.read(exchange.message, headers=exchange.headers)
        if presented is None:
            return False
        exchange.presented_token, exchange.request.scopes = presented, scopes
        allowed = self.validator.validate_bearer_token(presented.value, scopes, exchange.request)
        if allowed or exchange.access_token is not None:
            confirmation = exchange.access_token.confirmation if exchange.access_token else {}
            presentations.prove(presented, confirmation, exchange.client)
            if not self._is_for_here(exchange):
                raise errors.InvalidTokenError(description="The token is for another server.")
        return allowed

    def _is_for_here(self, exchange: Exchange) -> bool:
        """Say whether the token is for the issuer, for the URL of the request or one above it, or for nobody known."""
        audience = exchange.access_token.audience if exchange.access_token else ()
        url = f"{self.provider.root_of(exchange.issuer)}{exchange.message.path}"
        return not audience or any(named == exchange.issuer or is_below(url, named) for named in audience)

    def create_userinfo_response(self, message: Message) -> Answer:
        """Answer a request for claims about a person (OpenID Connect Core §5.3): steps of the endpoint `userinfo`."""
        answer: Answer = self.provider.step_lists["userinfo"].handle(self.provider, message)
        return answer

    def authenticate_client(self, exchange: Exchange, *, from_cache: bool = False) -> None:
        """Authenticate the client of a request to a machine endpoint; it stands on the exchange.

        Args:
            exchange: the request.
            from_cache: whether the endpoint sees to it that a client from the cache is compared with what is stored
                before anything is written or told; see `ClientCache`. Else it is read here.

        Raises:
            OAuth2Error: the credentials are missing, doubled or wrong.
        """
        if not self.validator.authenticate_client(exchange.request):
            raise errors.InvalidClientError(request=exchange.request)
        if not from_cache:
            self.provider.client_cache.confirm(exchange.client)

    def _tell_refusal(self, exchange: TokenExchange, answer: Answer) -> None:
        members = json.loads(answer.body)
        error = str(members["error"])
        event = TokenRefused(
            provider=self.provider,
            reason=exchange.reason or members.get("error_description"),
            client_id=exchange.client.client_id if exchange.client else exchange.parameter("client_id"),
            grant_type=exchange.parameter("grant_type"),
            error=error,
            repeats=exchange.is_told,
        )
        self.provider.hooks.tell(EventHooks.portula_token_refused, event)


def _arguments(exchange: Exchange) -> tuple[Any, ...]:
    """Return what a server class is given of a request."""
    request = exchange.request
    return request.uri, request.http_method, request.decoded_body, request.headers
