"""The answer (RFC 9701 §5), who gets it, and who is told nothing of a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portula import Plugin, hookimpl
from portula.errors import ConfigError, InvalidRequestError
from portula.plugin import NO_STORE, Answer, AnswerFormat, Step, preferred_format
from portula_jwt_introspection.registration import ENCRYPTION, algorithm_for, is_on, is_registered
from portula_jwt_introspection.settings import JwtIntrospectionSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, AuthorizationServer

ENDPOINT = "introspect"
TYP = "token-introspection+jwt"
MEDIA_TYPE = f"application/{TYP}"
SCOPE = "introspection"
"""What an operator gives to clients that may ask about the tokens of others."""


@hookimpl
def portula_answer_formats(provider: Provider) -> list[AnswerFormat]:
    """Return the form of the answer.

    Raises:
        ConfigError: it is required, and nobody signs.
    """
    if not is_on(provider):
        if provider.settings(JwtIntrospectionSettings).JWT_INTROSPECTION_REQUIRED:
            raise ConfigError("JWT_INTROSPECTION_REQUIRED: nothing here signs JWTs")
        return []
    return [AnswerFormat(endpoint=ENDPOINT, media_type=MEDIA_TYPE, write=_write, required=_is_required)]


@hookimpl
def portula_steps(provider: Provider) -> list[Step]:
    """Return the steps that hold a request for a JWT to more than one for JSON."""
    if not is_on(provider):
        return []
    reads = frozenset({"live", "client", "answer_format"})
    return [
        Step(
            endpoint=ENDPOINT,
            name="caller",
            run=caller,
            after="bearer",
            reads=frozenset({"request"}),
            optional=True,
        ),
        Step(
            endpoint=ENDPOINT,
            name="own",
            run=own,
            after="visibility",
            reads=reads,
            sets=frozenset({"live"}),
            optional=True,
        ),
    ]


def caller(exchange: Any) -> None:
    """Refuse by 400 a request for a JWT that does not try to say who sends it (RFC 9701 §5).

    Credentials that are wrong get 401 from the step behind.
    """
    provider = exchange.provider
    tried = exchange.presented_token is not None or any(
        method.presented(exchange.request) for method in provider.client_auth_methods.values()
    )
    if not tried and (
        _demands_jwt(provider) or preferred_format(exchange, ENDPOINT).media_type == MEDIA_TYPE
    ):
        raise InvalidRequestError(description="The caller is not authenticated.")


def own(exchange: Any) -> None:
    """Hide tokens of others that are for nobody in particular from who is a client and no resource server.

    Both are clients on record, and only what operators say tells them apart: the audiences of a client, and the scope
    `introspection` (RFC 9701 §3, attack S60).
    """
    if exchange.live is None or exchange.answer_format.media_type != MEDIA_TYPE:
        return
    token, client = exchange.live.token, exchange.client
    if token.client_id == client.client_id or getattr(token, "audience", ()):
        return
    if not _is_resource_server(exchange.provider, client):
        exchange.live = None


def _is_resource_server(provider: AuthorizationServer, client: Application) -> bool:
    return bool(provider.audiences.get(client.client_id)) or SCOPE in (client.scope or "").split()


def _is_required(exchange: Any) -> bool:
    return _demands_jwt(exchange.provider, exchange.client) or is_registered(exchange.client)


def _demands_jwt(provider: AuthorizationServer, client: Application | None = None) -> bool:
    """Say whether the setting, or a profile of the client, demands a JWT."""
    return provider.settings(JwtIntrospectionSettings, client).JWT_INTROSPECTION_REQUIRED


def _write(exchange: Any) -> Answer:
    """Write the answer: what is told of the token stands below one claim, so that no claim of the JWT speaks of it.

    Without `sub` and `exp` at the top nobody takes it for an access token (RFC 9701 §5, §8.1).

    Raises:
        JoseError: it cannot be signed, or encrypted for a client that is registered so; it is never sent without.
        RetryLater: the keys of that client are elsewhere, and cannot be had now.
    """
    provider, client = exchange.provider, exchange.client
    claims = {
        "iss": exchange.issuer,
        "aud": client.client_id,
        "iat": provider.now(),
        "token_introspection": exchange.response,
    }
    signed = provider.hooks.ask(Plugin.portula_jose).sign(
        claims, typ=TYP, algorithm=algorithm_for(provider, client), client=client
    )
    answer = ENCRYPTION.encrypt(provider, client, signed)
    return Answer(200, {"Content-Type": MEDIA_TYPE, **NO_STORE}, answer.encode())
