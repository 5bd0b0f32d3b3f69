"""As the identity provider: an ID token becomes an assertion for another authorization server (draft §4.3)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, cast

from portula import Plugin, hookimpl
from portula.errors import HookFailed, InvalidRequestError, InvalidTargetError
from portula.plugin import uri_scheme
from portula_id_jag.hooks import IdJagClaims, IdJagHooks
from portula_id_jag.settings import TYP, IdJagSettings

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application, TokenExchange

TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:id-jag"
ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"
MAX_RESOURCES = 20
_ABSENT: tuple[object, ...] = (None, "", [])


class IdJag:
    """The token type id-jag of a token exchange."""

    is_grant = True

    def __init__(self, settings: IdJagSettings) -> None:
        """Take the settings."""
        self.lifetime = settings.ID_JAG_EXPIRE_SECONDS
        self._audiences = settings.ID_JAG_AUDIENCES

    def judge(self, exchange: TokenExchange, request: Any) -> None:
        """Take an ID token of the client itself, for one server that is known and not this one.

        Raises:
            InvalidRequestError: another token is presented, or nobody is named.
            InvalidTargetError: the server is not known, is this one, or does not know the client; a resource is no URI.
        """
        client: Application = request.client
        if request.actor is not None:
            raise InvalidRequestError(description="An actor_token is not used here.")
        if request.subject.token_type != ID_TOKEN or request.subject.client_id != client.client_id:
            raise InvalidRequestError(description="An ID token of the client itself is needed.")
        if not request.audience:
            raise InvalidRequestError(description="audience is missing: the issuer of the other server.")
        issuer = request.audience[0]
        if len(request.audience) > 1 or issuer not in self._audiences or issuer == exchange.issuer:
            raise InvalidTargetError(description="The audience is not one server that is known here.")
        if self._audiences[issuer].client_id(client.client_id) is None:
            raise InvalidTargetError(description="The audience knows another client by this client_id.")
        too_many = len(request.resources) > MAX_RESOURCES
        if too_many or not all(map(_is_resource, request.resources)):
            raise InvalidTargetError(description="A resource is no absolute URI, or there are too many.")

    def make(self, exchange: TokenExchange, request: Any) -> str:
        """Return the assertion (draft §3).

        Raises:
            HookFailed: the client of `login_client` is gone, or a plugin gives a claim that is the protocol's.
            JoseError: it cannot be signed.
        """
        provider, jose = exchange.provider, exchange.provider.hooks.ask(Plugin.portula_jose)
        claims = {
            name: value for name, value in self._claims(exchange, request).items() if value not in _ABSENT
        }
        value = IdJagClaims(provider=provider, exchange=exchange, claims=claims)
        complete = provider.hooks.enrich(IdJagHooks.portula_id_jag_claims, value)
        return jose.sign(complete, typ=TYP, algorithm=jose.default_algorithm(request.client))

    def _claims(self, exchange: TokenExchange, request: Any) -> dict[str, Any]:
        now, under, issue = exchange.provider.now(), exchange.authorization, exchange.issue
        audience, client = request.audience[0], cast("Application", exchange.client)
        if issue is None or under is None:
            raise LookupError("nothing is to be issued")
        resources = list(request.resources)
        key = issue.confirmation.get("jkt")  # RFC 9449 §6.1
        return {
            "iss": exchange.issuer,
            "sub": self._subject(exchange, audience),
            "aud": audience,
            "client_id": self._audiences[audience].client_id(client.client_id),
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + issue.lifetime,
            "auth_time": under.auth_time,
            "acr": exchange.provider.validator.acr_for(exchange),
            "amr": list(under.amr),
            "scope": " ".join(issue.scope),
            "resource": resources[0] if len(resources) == 1 else resources,
            "authorization_details": list(request.authorization_details),
            "cnf": {"jkt": key} if key else None,
        }

    def _subject(self, exchange: TokenExchange, audience: str) -> str:
        """Return the person as ID tokens for the other server name them (draft §5)."""
        named = self._audiences[audience].login_client
        if named is None:
            return exchange.known_as
        client = exchange.provider.clients.find(named)
        if client is None:
            raise HookFailed(f"ID_JAG_AUDIENCES: {audience!r}: there is no client {named!r}")
        return exchange.provider.validator.subject_for(exchange.subject or "", client)


def _is_resource(uri: str) -> bool:
    """Say whether a text is an absolute URI without a fragment (RFC 8707 §2)."""
    return bool(uri_scheme(uri)) and uri.isascii() and uri.isprintable() and not {"#", " "} & set(uri)


@hookimpl(optionalhook=True)
def portula_requested_token_types(provider: Provider) -> dict[str, Any]:
    """Return the token type, where the settings name somebody whom it is for."""
    settings = provider.settings(IdJagSettings)
    return {TOKEN_TYPE: IdJag(settings)} if settings.ID_JAG_AUDIENCES else {}
