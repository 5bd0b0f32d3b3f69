"""Judges an assertion, in order: whose is it, is it signed, is it for us, is it of now, is it new (RFC 7523 §3)."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import (
    ConfigError,
    HookFailed,
    KeysUnavailable,
    OAuth2Error,
    RetryLater,
    StorageDown,
    UntrustedToken,
)
from portula.plugin import Application, is_time, use_once
from portula_jwt_bearer.hooks import AssertionType, JwtBearerHooks
from portula_jwt_bearer.settings import PLAIN, JwtBearerSettings, TrustedIssuer

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, TokenExchange

log = logging.getLogger("portula")

KIND = "jwt_bearer"
MAX_CHARACTERS = 1024
"""Of `jti` and `sub`."""


class RefusedAssertion(Exception):
    """Why an assertion does not count, for the log; the client hears `invalid_grant` alone."""


class Assertions:
    """The assertions of trusted issuers."""

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider, and collect the types of assertions.

        Raises:
            ConfigError: an issuer is trusted with a type that nobody judges.
        """
        self._provider = provider
        self._settings = provider.settings(JwtBearerSettings)
        self._issuers = {
            name: (trusted, _signer(name, trusted))
            for name, trusted in self._settings.JWT_BEARER_TRUSTED_ISSUERS.items()
        }
        self._types = {
            "": None,
            "jwt": None,
            **provider.hooks.collect(JwtBearerHooks.portula_assertion_types),
        }
        for name, (trusted, _) in self._issuers.items():
            unknown = {each.lower() for each in trusted.types}.difference(self._types)
            if unknown:
                raise ConfigError(f"JWT_BEARER_TRUSTED_ISSUERS: {name!r}: nobody judges {min(unknown)!r}")

    def judge(
        self, assertion: str, client: Application, exchange: TokenExchange
    ) -> tuple[Mapping[str, Any], TrustedIssuer, AssertionType | None]:
        """Return the claims of an assertion, what is trusted of its issuer, and its type unless it is a plain one.

        It is remembered that the assertion was used.

        Args:
            assertion: in compact form.
            client: who presents it.
            exchange: the request; its issuer is our own name, for whom it has to be made.

        Raises:
            RefusedAssertion: it does not count.
            OAuth2Error: its type refuses it in another way.
            RetryLater: the keys that would show it cannot be had now.
        """
        issuer = exchange.issuer
        try:
            claims, trusted, kind = self._verify(assertion, client, issuer)
        except KeysUnavailable as error:
            log.warning("an assertion cannot be judged: %s", error)
            raise RetryLater("The keys of the issuer cannot be fetched now.", error.retry_after) from error
        except UntrustedToken as error:
            raise RefusedAssertion(str(error)) from error
        if claims.get("aud") not in _one_of(issuer, *self._settings.JWT_BEARER_AUDIENCES):
            raise RefusedAssertion("aud is not ours alone")
        skew = self._provider.settings(JwtBearerSettings, client).JWT_BEARER_CLOCK_SKEW_SECONDS
        expires_at = self._check_times(claims, skew)
        if kind is not None:
            self._check_type(kind, exchange, claims)
        self._use_once(claims, expires_at + skew)
        return claims, trusted, kind

    def _verify(
        self, assertion: str, client: Application, issuer: str
    ) -> tuple[Mapping[str, Any], TrustedIssuer, AssertionType | None]:
        """Know the issuer by its exact name, and verify the signature by its keys alone."""
        jose = self._provider.hooks.ask(Plugin.portula_jose)
        token = jose.read(assertion)
        named = token.claims.get("iss")
        if not isinstance(named, str) or named == issuer or named not in self._issuers:
            raise RefusedAssertion("its issuer is not trusted")
        trusted, signer = self._issuers[named]
        if trusted.clients is not None and client.client_id not in trusted.clients:
            raise RefusedAssertion("the client may not present assertions of this issuer")
        algorithms = self._provider.settings(JwtBearerSettings, client).JWT_BEARER_ALGORITHMS
        kinds = self._kinds_of(trusted)
        claims = jose.verify_of_client(assertion, signer, algorithms=algorithms, typ=kinds).claims
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 1 <= len(subject) <= MAX_CHARACTERS:
            raise RefusedAssertion("sub is missing")
        if trusted.subjects is not None and not any(_matches(subject, each) for each in trusted.subjects):
            raise RefusedAssertion("the issuer is not trusted with this sub")
        return claims, trusted, kinds[token.typ]

    def _kinds_of(self, trusted: TrustedIssuer) -> dict[str, AssertionType | None]:
        """Return the types that an issuer may sign, by `typ`; a token of any other kind is no grant (attack S44)."""
        named = {each.lower() for each in trusted.types}
        plain = {"", PLAIN.lower()} if PLAIN.lower() in named else set()
        return {name: kind for name, kind in self._types.items() if name in named | plain}

    def _check_type(self, kind: AssertionType, exchange: TokenExchange, claims: Mapping[str, Any]) -> None:
        try:
            problem = kind.problem(exchange, claims)
        except (OAuth2Error, StorageDown):
            raise
        except Exception as error:
            raise HookFailed(f"the type of an assertion failed: {type(error).__name__}") from error
        if problem is not None:
            raise RefusedAssertion(problem)

    def _check_times(self, claims: Mapping[str, Any], skew: int) -> int:
        """Return when it expires, Unix seconds (RFC 7523 §3, 4 to 6)."""
        now, longest = self._provider.now(), self._settings.JWT_BEARER_MAX_ASSERTION_LIFETIME_SECONDS
        issued_at, expires_at = _seconds(claims, "iat"), _seconds(claims, "exp")
        begins = _seconds(claims, "nbf") if "nbf" in claims else issued_at
        if expires_at <= now - skew:
            raise RefusedAssertion("it has expired")
        if max(begins, issued_at) > now + skew:
            raise RefusedAssertion("iat or nbf lies ahead")
        if expires_at - issued_at > longest or expires_at > now + longest + skew:
            raise RefusedAssertion("it counts for too long")
        return math.ceil(expires_at)

    def _use_once(self, claims: Mapping[str, Any], until: int) -> None:
        """Remember the jti until the assertion counts no more; it is used up even if the request fails (attack S45).

        Last of all, so that nobody can use up a jti without a signature.
        """
        jti = claims.get("jti")
        if jti is None and not self._settings.JWT_BEARER_REQUIRE_JTI:
            return
        if not isinstance(jti, str) or not 1 <= len(jti) <= MAX_CHARACTERS:
            raise RefusedAssertion("jti is missing")
        if not use_once(self._provider, KIND, f"{claims['iss']}\0{jti}", until=until):
            raise RefusedAssertion("its jti was used before")


def _signer(name: str, trusted: TrustedIssuer) -> Application:
    """Return an issuer as a client with keys: they are fetched, held and renewed as those of clients are."""
    keys = {"jwks": trusted.jwks} if trusted.jwks is not None else {"jwks_uri": trusted.jwks_uri}
    return Application(client_id=f"issuer {name}", metadata=keys)


def _one_of(*accepted: str) -> tuple[object, ...]:
    """Return what `aud` may be: one text, or a list of that alone."""
    return (*accepted, *([each] for each in accepted))


def _matches(subject: str, pattern: str) -> bool:
    if pattern.endswith("*"):
        return subject.startswith(pattern[:-1])
    return subject == pattern


def _seconds(claims: Mapping[str, Any], name: str) -> float:
    """Return a NumericDate (RFC 7519 §2)."""
    value = claims.get(name)
    if not is_time(value):
        raise RefusedAssertion(f"{name} is missing, or no number")
    return value
