"""Judges an assertion, in order: whose is it, is it signed, is it for us, is it of now, is it new (RFC 7523 §3)."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import KeysUnavailable, RetryLater, UntrustedToken
from portula.plugin import Application, exchange_of, is_time, issuer_of, use_once
from portula_client_assertion.settings import ClientAssertionSettings, algorithms_of

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import OAuthRequest

log = logging.getLogger("portula")

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

TYPES = ("", "JWT", "client-authentication+jwt")
"""What the header's `typ` may be; a token of any other kind proves nothing here (attack S44)."""

OF_A_REQUEST = frozenset({"code_challenge", "redirect_uri", "response_mode", "response_type"})
"""Claims that make a token a request object, which the client signs with the same key (RFC 9101 §4, §10.8): it travels
through browsers, so it proves nothing (RFC 8725 §3.12)."""

KIND = "client_assertion"
MAX_JTI_LENGTH = 1024

STRICT_AUDIENCE = "client_assertion_audience"
"""Member of client metadata; `issuer` takes nothing else from this client, whatever the settings accept."""


class _AssertionProblem(Exception):
    """Why an assertion does not count, for the log; nothing of it is told to who sent it."""


class Assertions:
    """Authenticates clients by one method."""

    def __init__(self, provider: Provider, method: str) -> None:
        """Take the provider and the name of the method."""
        self._provider = provider
        self._method = method

    def client_of(self, request: OAuthRequest) -> Application | None:
        """Return the client that made the assertion of a request; None when it does not count.

        Raises:
            RetryLater: the keys that would show it cannot be had now. That is no fault of the client's, and
                `invalid_client` (RFC 6749 §5.2) would tell it to give up.
        """
        assertion = request.body.get("client_assertion", "")
        try:
            client = self._client(request, assertion)
            claims = self._verify(client, assertion)
            self._check_audience(claims.get("aud"), client, request)
            settings = self._provider.settings(ClientAssertionSettings, client)
            expires = self._check_times(claims, settings)
            until = expires + settings.CLIENT_ASSERTION_LEEWAY
            self._use_once(client, claims.get("jti"), until)
        except KeysUnavailable as error:
            log.warning("a client assertion cannot be judged: %s", error)
            raise RetryLater("The keys of the client cannot be fetched now.", error.retry_after) from error
        except (UntrustedToken, _AssertionProblem) as error:
            exchange_of(request, self._provider).reason = f"the assertion is refused: {error}"
            return None
        return client

    def _client(self, request: OAuthRequest, assertion: str) -> Application:
        """Return who says to have made it: `iss` and `sub` are the client, and so is client_id if it is sent."""
        if request.body.get("client_assertion_type") != ASSERTION_TYPE:
            raise _AssertionProblem("client_assertion_type is missing")  # RFC 7521 §4.2 requires it
        claims = self._provider.hooks.ask(Plugin.portula_jose).read(assertion).claims
        issuer, subject = claims.get("iss"), claims.get("sub")
        if not isinstance(issuer, str) or issuer != subject or request.client_id not in (None, issuer):
            raise _AssertionProblem("iss and sub are not both the client")
        client = self._provider.clients.find(issuer)
        if client is None or client.client_type != "confidential":
            raise _AssertionProblem("there is no such confidential client")
        if client.token_endpoint_auth_method not in (None, self._method):
            raise _AssertionProblem("the client is registered for another method")
        return client

    def _verify(self, client: Application, assertion: str) -> Mapping[str, Any]:
        """Return the claims, now that the client is known to have made them."""
        algorithm = client.metadata.get("token_endpoint_auth_signing_alg")
        known = algorithms_of(self._provider.settings(ClientAssertionSettings, client), self._method)
        allowed = [name for name in known if algorithm in (None, name)]
        token = self._provider.hooks.ask(Plugin.portula_jose).verify_of_client(
            assertion, client, algorithms=allowed, typ=TYPES
        )
        if not OF_A_REQUEST.isdisjoint(token.claims):
            raise _AssertionProblem("it is a request object")
        return token.claims

    def _check_audience(self, audience: object, client: Application, request: OAuthRequest) -> None:
        """Let it be made for us alone: one made for another server as well could have been sent on by that (S45)."""
        settings = self._provider.settings(ClientAssertionSettings, client)
        strict = client.metadata.get(STRICT_AUDIENCE) == "issuer"
        accepted = ("issuer",) if strict else settings.CLIENT_ASSERTION_ACCEPTED_AUDIENCES
        ours = {self._audience_uri(name, request) for name in accepted}
        if isinstance(audience, list) and settings.CLIENT_ASSERTION_AUDIENCE_LISTS and not strict:
            named = audience
        else:
            named = [audience]
        if not named or not all(isinstance(one, str) and one in ours for one in named):
            raise _AssertionProblem("aud is not ours alone")

    def _audience_uri(self, audience: str, request: OAuthRequest) -> str:
        issuer = issuer_of(request)
        root = self._provider.root_of(issuer)
        if audience == "issuer":
            return issuer
        if audience == "endpoint":
            return f"{root}{request.uri}"
        return f"{root}{self._provider.mount}/{self._provider.metadata_document.get('token_endpoint', '')}"

    def _check_times(self, claims: Mapping[str, Any], settings: ClientAssertionSettings) -> int:
        """Return when it expires, Unix seconds (RFC 7523 §3, 4 to 6)."""
        now, leeway = self._provider.now(), settings.CLIENT_ASSERTION_LEEWAY
        expires = _seconds(claims, "exp")
        if expires is None:
            raise _AssertionProblem("exp is missing")
        if expires <= now - leeway:
            raise _AssertionProblem("it has expired")
        if expires > now + settings.CLIENT_ASSERTION_MAX_LIFETIME + leeway:
            raise _AssertionProblem("exp is too far ahead")
        for name in ("nbf", "iat"):
            begins = _seconds(claims, name)
            if begins is not None and begins > now + leeway:
                raise _AssertionProblem(f"{name} lies ahead")
        return math.ceil(expires)

    def _use_once(self, client: Application, jti: object, until: int) -> None:
        """Remember the jti until the assertion counts no more; it is used up even if the request fails (attack S45).

        Last of all, so that nobody can use up a jti without a signature.
        """
        if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_JTI_LENGTH:
            raise _AssertionProblem("jti is missing")
        name = f"{client.client_id}\0{jti}"
        if not use_once(self._provider, KIND, name, until=until, client_id=client.client_id):
            raise _AssertionProblem("its jti was used before")


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a NumericDate (RFC 7519 §2); None when it is absent."""
    value = claims.get(name)
    if value is None:
        return None
    if not is_time(value):
        raise _AssertionProblem(f"{name} is no number")
    return value
