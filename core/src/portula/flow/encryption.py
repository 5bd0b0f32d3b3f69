"""Tokens that a client may have encrypted (RFC 7516): what it is registered with for that, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from portula.flow.responses import RetryLater
from portula.flow.service_hooks import ServiceHooks
from portula.model.client_metadata import ClientMember
from portula.model.errors import InvalidClientMetadata, JoseError, KeysUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.registration import ClientRegistration
    from portula.model.records import Application
    from portula.model.slots import Jose

DEFAULT_ENC = "A128CBC-HS256"
"""OpenID Connect Registration §2, for each of the members."""


@dataclass(frozen=True, slots=True)
class TokenEncryption:
    """One kind of token that may be encrypted, by the names that all kinds have in common.

    `TokenEncryption("introspection")` is about the client metadata `introspection_encrypted_response_alg` and `_enc`,
    and about `introspection_encryption_alg_values_supported` of the server's.
    """

    use: str
    """What the names begin with."""
    to_client: bool = True
    """Whether tokens go to the client. False for those that it sends, whose members are `…_encryption_alg` and
    `_enc`."""

    @property
    def alg(self) -> str:
        """The member of client metadata that names the key management algorithm."""
        return f"{self._prefix}_alg"

    @property
    def enc(self) -> str:
        """The member of client metadata that names what content is encrypted with."""
        return f"{self._prefix}_enc"

    def members(self, provider: AuthorizationServer) -> list[ClientMember]:
        """Return the two members of client metadata, none where nothing encrypts."""
        algorithms, methods = self._supported_algorithms(provider)
        if not algorithms or not methods:
            return []
        return [
            ClientMember(self.alg, Literal[tuple(algorithms)]),
            ClientMember(self.enc, Literal[tuple(methods)]),
        ]

    def metadata(self, provider: AuthorizationServer) -> dict[str, Any]:
        """Return the two members of the server's metadata, none where nothing encrypts."""
        algorithms, methods = self._supported_algorithms(provider)
        if not algorithms or not methods:
            return {}
        return {
            f"{self.use}_encryption_alg_values_supported": list(algorithms),
            f"{self.use}_encryption_enc_values_supported": list(methods),
        }

    def check(self, registration: ClientRegistration) -> None:
        """Refuse what a client cannot be registered with (OpenID Connect Registration §2).

        Raises:
            InvalidClientMetadata: `enc` without `alg`, one of them is not known here, or there is no key for them.
        """
        provider, client = registration.provider, registration.application
        metadata = client.metadata
        if self.alg not in metadata:
            if self.enc in metadata:
                raise InvalidClientMetadata(f"{self.enc} needs {self.alg}")
            return
        chosen = (metadata[self.alg], metadata.get(self.enc, DEFAULT_ENC))
        for name, value, known in zip(
            (self.alg, self.enc), chosen, self._supported_algorithms(provider), strict=True
        ):
            if value not in known:
                raise InvalidClientMetadata(f"{name} {value!r} is none of this provider's")
        try:
            _jose(provider).check_encryption(
                client, algorithm=chosen[0], enc=chosen[1], to_client=self.to_client
            )
        except JoseError as error:
            raise InvalidClientMetadata(f"{self.alg}: {error}") from None

    def is_registered(self, client: Application) -> bool:
        """Say whether a client has these tokens encrypted."""
        return self.alg in client.metadata

    def encrypt(
        self, provider: AuthorizationServer, client: Application, payload: str, *, cty: str = "JWT"
    ) -> str:
        """Return a signed token encrypted for a client that is registered so, for any other as it is.

        Args:
            provider: whose slot `jose` encrypts.
            client: whom the token is for.
            payload: the signed token, or with another `cty` what that says.
            cty: of the header (RFC 7516 §4.1.12); "" for none.

        Raises:
            JoseError: the client has no key any more; the token is never sent as it is then.
            RetryLater: its keys are elsewhere, and cannot be had now.
        """
        if not self.is_registered(client):
            return payload
        algorithm, enc = client.metadata[self.alg], client.metadata.get(self.enc, DEFAULT_ENC)
        try:
            return _jose(provider).encrypt(payload, client, algorithm=algorithm, enc=enc, cty=cty)
        except KeysUnavailable as error:
            raise RetryLater("The keys of the client cannot be fetched now.", error.retry_after) from None

    @property
    def _prefix(self) -> str:
        return f"{self.use}_encrypted_response" if self.to_client else f"{self.use}_encryption"

    def _supported_algorithms(self, provider: AuthorizationServer) -> tuple[Sequence[str], Sequence[str]]:
        if provider.hooks.ruling(ServiceHooks.portula_jose).answer is None:
            return (), ()
        jose = _jose(provider)
        algorithms = jose.encryption_algorithms() if self.to_client else jose.decryption_algorithms()
        return algorithms, jose.content_encryptions()


def _jose(provider: AuthorizationServer) -> Jose:
    return provider.hooks.ask(ServiceHooks.portula_jose)
