"""The default OAUTH2_BACKEND_CLASS: HTTP messages to the oauthlib server, and its results to answers."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, urlsplit

from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.openid.connect.core.exceptions import RequestNotSupported, RequestURINotSupported

from portula.flow.enrichments import AuthorizationResponse
from portula.flow.event_hooks import EventHooks
from portula.flow.events import AuthorizationGranted, TokenRefused
from portula.flow.exchange import AuthorizationExchange
from portula.flow.messages import (
    CLIENT_ADDRESS,
    FORM,
    ISSUER,
    OAuthRequest,
    Pairs,
    bearer_token,
    in_front_channel,
    parse_form,
    state_of,
)
from portula.flow.request_hooks import RequestHooks
from portula.flow.responses import (
    Delivery,
    bearer_error,
    deliver,
    error_parameters,
    from_oauthlib,
    token_error,
)
from portula.flow.server import Server, identify
from portula.model.errors import AuthorizationRefused, HookFailed, Replayed
from portula.model.http import NO_STORE, Answer, Message, json_answer

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.validator import OAuth2Validator
    from portula.model.records import Application
    from portula.model.slots import Authenticated

log = logging.getLogger("portula")


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A validated authorization request, waiting for the person's answer."""

    pairs: Pairs
    """As the client sent it."""
    scopes: tuple[str, ...]
    request: OAuthRequest


class _RollBack(Exception):
    def __init__(self, answer: Answer) -> None:
        self.answer = answer


def _keep_only_success(answer: Answer) -> None:
    if answer.status >= 300:
        raise _RollBack(answer)


class Backend:
    """The methods of django-oauth-toolkit's OAuthLibCore, taking our HTTP message.

    Subclass to change one of them; works over any class with the interface of oauthlib's Server.
    """

    def __init__(self, provider: AuthorizationServer, server: Any, validator: OAuth2Validator) -> None:
        """Take the provider, its server and its validator."""
        self.provider = provider
        self.server = server
        self.validator = validator

    # --- Authorization endpoint ---

    def validate_authorization_request(self, pairs: Pairs, issuer: str) -> AuthorizationRequest:
        """Check an authorization request (RFC 6749 §4.1.1).

        Raises:
            FatalClientError: for an error page; nothing may be sent to the redirect URI.
            AuthorizationRefused: for `error_response`.
        """
        request = OAuthRequest(f"{issuer}/authorize", "GET", pairs, {ISSUER: issuer})
        try:
            pairs = self._resolved(request, issuer)
            scopes, info = self.server.validate_authorization_request(
                request.uri, "GET", pairs, {ISSUER: issuer}
            )
            request = info["request"]
            exchange = AuthorizationExchange(provider=self.provider, request=request)
            self.provider.hooks.hear(RequestHooks.portula_validate_authorization_request, exchange)
        except errors.FatalClientError:
            raise
        except OAuth2Error as error:
            # Of a resolver, of a veto, or of a server class of oauthlib's own, which keeps no request.
            identify(self.validator, request)
            raise AuthorizationRefused(error, request) from error
        return AuthorizationRequest(pairs, tuple(scopes), request)

    def _resolved(self, request: OAuthRequest, issuer: str) -> Pairs:
        """Return the parameters of a request, those too that it carries or names elsewhere."""
        pairs: Pairs = request.decoded_body or []
        asked = dict(pairs)
        resolvers = [known for known in self.provider.request_resolvers if known.presented(asked)]
        if len(resolvers) > 1:
            raise errors.InvalidRequestError(description="The request has its parameters in two places.")
        if resolvers and self.validator.validate_client_id(request.client_id or "", request):
            return resolvers[0].resolve(cast("Application", request.client), pairs, issuer)
        if "request" in asked:
            raise RequestNotSupported(description="Send the parameters as they are.")
        if "request_uri" in asked:
            raise RequestURINotSupported(description="Send the parameters as they are.")
        return pairs

    def create_authorization_response(
        self, authorization: AuthorizationRequest, user: Authenticated, scopes: tuple[str, ...], issuer: str
    ) -> Answer:
        """Answer an authorization request that the person allowed (RFC 6749 §4.1.2)."""
        request = authorization.request
        request.user = user.subject
        request.scopes = list(scopes)
        state_of(request).rooms["login"] = {
            "auth_time": user.auth_time,
            "amr": list(user.amr),
            "sid": user.sid,
        }
        hooks, storage = self.provider.hooks, self.provider.storage
        granted = AuthorizationGranted(
            provider=self.provider,
            issuer=issuer,
            client_id=request.client_id or "",
            subject=user.subject,
            sid=user.sid,
            scopes=scopes,
        )
        try:
            with storage.transaction():
                if isinstance(self.server, Server):
                    parameters = self.server.authorize(request)
                else:
                    parameters = self._through_oauthlib(authorization, user, scopes, issuer)
                for record in hooks.record(RequestHooks.portula_record_authorization, granted):
                    storage.add(record)
        except OAuth2Error as error:
            raise AuthorizationRefused(error, request) from error
        except HookFailed as failure:
            log.exception("the authorization request is refused")
            raise AuthorizationRefused(errors.ServerError(), request) from failure
        response = AuthorizationResponse(provider=self.provider, request=request, response=parameters)
        return self._deliver(
            request, hooks.enrich(RequestHooks.portula_authorization_response, response), issuer
        )

    def _through_oauthlib(
        self, authorization: AuthorizationRequest, user: Authenticated, scopes: tuple[str, ...], issuer: str
    ) -> dict[str, str]:
        """Let a server class of oauthlib's own answer, and read the parameters out of its redirect."""
        headers, _, _ = self.server.create_authorization_response(
            f"{issuer}/authorize",
            "GET",
            authorization.pairs,
            {ISSUER: issuer},
            scopes=list(scopes),
            credentials={"user": user.subject, "ours": state_of(authorization.request)},
        )
        sent, base = urlsplit(headers["Location"]), urlsplit(authorization.request.redirect_uri or "")
        known = set(parse_qsl(base.query, keep_blank_values=True))
        pairs = parse_qsl(sent.query, keep_blank_values=True) + parse_qsl(
            sent.fragment, keep_blank_values=True
        )
        return {name: value for name, value in pairs if (name, value) not in known}

    def error_response(self, refused: AuthorizationRefused, issuer: str) -> Answer:
        """Send an error to the redirect URI of a request that named a known client and a registered URI."""
        return self._deliver(refused.request, error_parameters(refused.error), issuer)

    def denied_response(self, authorization: AuthorizationRequest, issuer: str) -> Answer:
        """Send access_denied: the person said no."""
        denied = errors.AccessDeniedError(description="The resource owner denied the request.")
        return self._deliver(authorization.request, error_parameters(denied), issuer)

    def _deliver(self, request: OAuthRequest, parameters: dict[str, str], issuer: str) -> Answer:
        """Add iss (RFC 9207) and state, and write the response in the mode asked for."""
        if request.state is not None:
            parameters = {**parameters, "state": request.state}
        mode = request.response_mode or ""
        if mode not in self.provider.response_modes:
            mode = "fragment" if in_front_channel(request.response_type or "") else "query"
        redirect_uri = request.redirect_uri
        if redirect_uri is None:
            redirect_uri = self.validator.get_default_redirect_uri(request.client_id or "", request) or ""
        return deliver(Delivery(redirect_uri, mode, {**parameters, "iss": issuer}), self.provider.form_post)

    # --- Machine endpoints ---

    def create_token_response(self, message: Message) -> Answer:
        """Answer a token request: commit when the answer is 2xx, else roll back (RFC 6749 §3.2)."""
        pairs: Pairs = []
        try:
            pairs = parse_form(message)
            with self.provider.storage.transaction():
                answer = from_oauthlib(
                    *self.server.create_token_response(
                        message.path, message.method, pairs, self._heard(message), None
                    )
                )
                _keep_only_success(answer)
            return answer
        except Replayed as replay:
            self.validator.revoke_family_of(replay.record)
            answer = token_error(errors.InvalidGrantError())
        except _RollBack as rolled_back:
            answer = rolled_back.answer
        except OAuth2Error as error:
            answer = token_error(error)
        except HookFailed:
            log.exception("the token request is refused")
            answer = json_answer(500, {"error": "server_error"})
        self._tell_refusal(pairs, answer)
        return answer

    def create_revocation_response(self, message: Message) -> Answer:
        """Answer a revocation request (RFC 7009 §2); success is an empty answer without a content type."""
        try:
            pairs = parse_form(message)
            with self.provider.storage.transaction():
                headers, body, status = self.server.create_revocation_response(
                    message.path, message.method, pairs, self._heard(message)
                )
        except OAuth2Error as error:
            return token_error(error)
        return from_oauthlib(headers, body, status)

    def verify_request(self, message: Message, scopes: list[str]) -> tuple[bool, OAuthRequest]:
        """Check the bearer token of a request to a resource (RFC 6750 §2.1); only the header is listened to."""
        token = bearer_token(message.headers.get("authorization", ""))
        request = OAuthRequest(message.path, message.method, None, self._heard(message))
        request.scopes = scopes
        return self.validator.validate_bearer_token(token, scopes, request), request

    def create_userinfo_response(self, message: Message) -> Answer:
        """Answer a request for claims about the person whose access token it carries (OpenID Connect Core §5.3).

        The token stands in the header, or in the body of a POST (RFC 6750 §2.1, §2.2).
        """
        try:
            token = bearer_token(message.headers.get("authorization", ""))
            posted = dict(parse_form(message)).get("access_token") if _is_form(message) else None
            if token is not None and posted is not None:
                raise errors.InvalidRequestError(description="The token stands in both header and body.")
            if token is None and posted is None:
                return bearer_error(None, scope="openid")
            request = OAuthRequest(message.path, message.method, None, self._heard(message))
            if not self.validator.validate_bearer_token(token or posted, [], request):
                raise errors.InvalidTokenError
            if request.user is None or "openid" not in (request.scopes or ()):
                raise errors.InsufficientScopeError
            claims = self.validator.get_userinfo_claims(request)
        except OAuth2Error as error:
            return bearer_error(error, scope="openid")
        if isinstance(claims, str):
            return Answer(200, {"Content-Type": "application/jwt", **NO_STORE}, claims.encode())
        return json_answer(200, claims)

    def authenticate_client(self, message: Message, pairs: Pairs) -> OAuthRequest:
        """Authenticate the client of a request to a machine endpoint; return the request, its client set.

        Raises:
            OAuth2Error: the credentials are missing, doubled or wrong.
        """
        request = OAuthRequest(message.path, message.method, pairs, self._heard(message))
        if not self.validator.authenticate_client(request):
            raise errors.InvalidClientError(request=request)
        return request

    def _heard(self, message: Message) -> dict[str, str]:
        """Return the only header that oauthlib reads, the address for rules on it, and the issuer for tokens."""
        heard = {CLIENT_ADDRESS: message.client_address, ISSUER: self.provider.issuer_of(message)}
        if "authorization" in message.headers:
            heard["Authorization"] = message.headers["authorization"]
        return heard

    def _tell_refusal(self, pairs: Pairs, answer: Answer) -> None:
        asked = dict(pairs)
        error = str(json.loads(answer.body)["error"])
        refused = TokenRefused(
            provider=self.provider,
            client_id=asked.get("client_id"),
            grant_type=asked.get("grant_type"),
            error=error,
        )
        self.provider.hooks.tell(EventHooks.portula_token_refused, refused)


def _is_form(message: Message) -> bool:
    media_type = message.headers.get("content-type", "").partition(";")[0].strip().lower()
    return message.method == "POST" and media_type == FORM
