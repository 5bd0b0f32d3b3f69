"""Rules of the settings on requests of single clients, whose profile may be stricter than the server."""

from __future__ import annotations

from portula import hookimpl
from portula.errors import InvalidRequestError
from portula.plugin import AuthorizationExchange, Exchange, in_front_channel
from portula_oauth2.settings import OAuth2Settings


@hookimpl
def portula_validate_authorization_request(exchange: AuthorizationExchange) -> None:
    """Refuse a response mode or a code challenge method that is not in use for this client (RFC 7636 §4.4.1).

    Raises:
        InvalidRequestError: the request is for one of these.
    """
    request = exchange.request
    settings = exchange.provider.settings(OAuth2Settings, exchange.client)
    modes = settings.RESPONSE_MODES_SUPPORTED
    plain = "fragment" if in_front_channel(exchange.response_type) else "query"
    if modes is not None and (request.response_mode or plain) not in modes:
        raise InvalidRequestError(description="This response_mode is not in use.", request=request)
    method = request.code_challenge_method or "plain"
    if request.code_challenge and method not in settings.CODE_CHALLENGE_METHODS:
        raise InvalidRequestError(description="This code_challenge_method is not in use.", request=request)


def sign_error(exchange: AuthorizationExchange) -> None:
    """Let an error be signed where the client is answered by modes that sign alone, whatever its request names.

    FAPI 2.0 Message Signing §5.4.1 requires their use, and a client under it verifies what comes (§5.4.2).
    """
    known, request = exchange.provider.response_modes, exchange.request
    modes = exchange.provider.settings(OAuth2Settings, exchange.client).RESPONSE_MODES_SUPPORTED or ()
    signing = [name for name in modes if name in known and known[name].signed]
    if signing and len(signing) == len(modes) and request.response_mode not in signing:
        request.response_mode = signing[0]


@hookimpl
def portula_validate_token_request(exchange: Exchange) -> None:
    """Refuse a token that is bound to nothing, where SENDER_CONSTRAINED_TOKENS_REQUIRED says so.

    Raises:
        InvalidRequestError: neither a key nor a certificate was proven.
    """
    required = exchange.provider.settings(OAuth2Settings, exchange.client).SENDER_CONSTRAINED_TOKENS_REQUIRED
    if required and exchange.issue is not None and not exchange.issue.confirmation:
        raise InvalidRequestError(
            description="The token has to be bound: prove a key (DPoP), or show a certificate."
        )
