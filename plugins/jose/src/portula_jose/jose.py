"""The slot `jose`: signs and verifies JSON Web Tokens, and publishes the keys (RFC 7515, 7517, 7519, 8725)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import ConfigError, JoseError, UntrustedToken
from portula.plugin import Jose
from portula_jose.algorithms import ALGORITHMS, SYMMETRIC, half_digest, sign, verifies
from portula_jose.client_keys import ClientKeys
from portula_jose.compact import Parts, check_type, encode, signing_input, take_apart
from portula_jose.decrypter import Decrypter
from portula_jose.document import JwkSet
from portula_jose.encrypter import Encrypter
from portula_jose.given_keys import GivenKey
from portula_jose.hooks import JoseHooks, Signer
from portula_jose.secrets import secret_keys
from portula_jose.settings import JoseSettings
from portula_jose.signing_keys import KeyRing
from portula_jose.sources import ConfiguredKeys, KeySource, PublicKey, SignerKeys

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Answer, Application, AuthorizationServer, Jwt, Message


class SigningRoom(Jose):
    """Signs with the keys of a signer, of the configuration or of the storage, whichever has the algorithm first."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider; storage, signer and fetcher are asked for later, when they stand."""
        self._provider = provider
        self._settings = provider.settings(JoseSettings)
        self._document = JwkSet(self._settings.OIDC_JWKS_MAX_AGE_SECONDS)
        self._client_keys = ClientKeys(provider, self._settings)
        self._encrypter = Encrypter(provider, self._settings, self._client_keys)
        self._decrypter = Decrypter(provider, self._settings, lambda: self.ring)

    @property
    def has_configured_keys(self) -> bool:
        """Whether a key is configured, or a signer installed."""
        return bool(self._settings.OIDC_RSA_PRIVATE_KEY) or self._signer is not None

    @cached_property
    def sources(self) -> tuple[KeySource, ...]:
        """Where keys come from, the first that has an algorithm signs with it.

        Raises:
            ConfigError: two say that they sign.
        """
        settings, wanted = self._settings, self._settings.SIGNING_ALGORITHMS
        if self._signer is not None:
            if settings.OIDC_RSA_PRIVATE_KEY:
                raise ConfigError(
                    "OIDC_RSA_PRIVATE_KEY: a plugin answers the slot 'signer', so this key would not sign; move it "
                    "to OIDC_RSA_PRIVATE_KEYS_INACTIVE"
                )
            signer = SignerKeys(self._signer, wanted, self._provider.now)
            return (signer, ConfiguredKeys(settings), *self._stored_rings(wanted, signer.algorithms))
        static = ConfiguredKeys(settings)
        return (static, *self._stored_rings(wanted, static.algorithms))

    def settle(self) -> None:
        """Find out where keys come from, at start.

        Raises:
            ConfigError: two say that they sign.
        """
        self.sources  # noqa: B018 - found once, and kept

    @property
    def ring(self) -> KeyRing | None:
        """The generated keys, None when none are made."""
        return next((source for source in self.sources if isinstance(source, KeyRing)), None)

    def signing_algorithms(self) -> Sequence[str]:
        """See portula.plugin.Jose."""
        found = {name for source in self.sources for name in source.algorithms()}
        return [name for name in self._settings.SIGNING_ALGORITHMS if name in found]

    def signing_algorithms_for(self, client: Application) -> Sequence[str]:
        """See portula.plugin.Jose."""
        allowed = self._provider.settings(JoseSettings, client).SIGNING_ALGORITHMS
        return [name for name in self.signing_algorithms() if name in allowed]

    def algorithms_for_clients(self) -> Sequence[str]:
        """See portula.plugin.Jose."""
        secret = sorted(SYMMETRIC) if self._settings.SIGNING_WITH_CLIENT_SECRETS else ()
        return [*self.signing_algorithms(), *secret]

    def default_algorithm(self, client: Application) -> str:
        """See portula.plugin.Jose."""
        found = self.signing_algorithms_for(client)
        if not found:
            raise JoseError("nothing here signs for this client")
        return "RS256" if "RS256" in found else found[0]

    def sign(
        self,
        claims: Mapping[str, Any],
        *,
        typ: str,
        algorithm: str = "RS256",
        client: Application | None = None,
    ) -> str:
        """See portula.plugin.Jose."""
        named = {"typ": typ} if typ else {}
        if algorithm in SYMMETRIC:
            data = signing_input({**named, "alg": algorithm}, claims)
            return f"{data}.{encode(sign(self._secret(algorithm, client), algorithm, data.encode()))}"
        source = next((source for source in self.sources if algorithm in source.algorithms()), None)
        if source is None:
            raise JoseError(f"nothing here signs with {algorithm!r}")
        key = source.signing_key(algorithm)
        data = signing_input({**named, "alg": algorithm, "kid": key.kid}, claims)
        return f"{data}.{encode(key.sign(data.encode()))}"

    def signer_of(
        self, key: str, *, algorithm: str | None = None, kid: str | None = None
    ) -> Callable[[Mapping[str, Any], str], str]:
        """See portula.plugin.Jose."""
        return GivenKey(key, algorithm, kid)

    def verify_own(self, token: str, *, typ: Collection[str], client: Application | None = None) -> Jwt:
        """See portula.plugin.Jose."""
        parts = self._taken_apart(token, typ)
        if parts.algorithm in SYMMETRIC:
            if client is None:
                raise UntrustedToken("is signed with a client's secret, which does not count here")
            self._check_secret(parts, client)
            return parts.token
        if parts.kid is None:
            raise UntrustedToken("names no key")
        public = self._find_published(parts.kid)
        if public is None or parts.algorithm not in public.algorithms:
            raise UntrustedToken("is not signed by a key that is published")
        if not verifies(public.key, parts.algorithm, parts.data, parts.signature):
            raise UntrustedToken("has a wrong signature")
        return parts.token

    def verify_of_client(
        self, token: str, client: Application, *, algorithms: Collection[str], typ: Collection[str]
    ) -> Jwt:
        """See portula.plugin.Jose."""
        parts = self._taken_apart(token, typ)
        if parts.algorithm not in algorithms:
            raise UntrustedToken("is signed with an algorithm that is not allowed here")
        if parts.algorithm == "none":
            if parts.signature:
                raise UntrustedToken("says it is not signed, and has a signature")
        elif parts.algorithm not in ALGORITHMS:
            raise UntrustedToken("is signed with an algorithm that is not known here")
        elif parts.algorithm in SYMMETRIC:
            self._check_secret(parts, client)
        else:
            self._client_keys.check(parts, client)
        return parts.token

    def read(self, token: str) -> Jwt:
        """See portula.plugin.Jose."""
        return take_apart(token, self._settings.JWT_MAX_BYTES).token

    def half_digest(self, value: str, algorithm: str) -> str:
        """See portula.plugin.Jose.

        Raises:
            JoseError: the algorithm is not known.
        """
        known = ALGORITHMS.get(algorithm)
        if known is None:
            raise JoseError(f"the hash of {algorithm!r} is not known")
        return half_digest(value, known)

    def encryption_algorithms(self) -> Sequence[str]:
        """See portula.plugin.Jose."""
        return self._encrypter.algorithms

    def decryption_algorithms(self) -> Sequence[str]:
        """See portula.plugin.Jose."""
        return self._decrypter.algorithms

    def content_encryptions(self) -> Sequence[str]:
        """See portula.plugin.Jose."""
        return self._encrypter.methods

    def check_encryption(
        self, client: Application, *, algorithm: str, enc: str, to_client: bool = True
    ) -> None:
        """See portula.plugin.Jose."""
        self._encrypter.check(client, algorithm, enc, to_client=to_client)

    def encrypt(
        self, payload: str, client: Application, *, algorithm: str, enc: str, cty: str = "JWT"
    ) -> str:
        """See portula.plugin.Jose."""
        return self._encrypter.encrypt(payload, client, algorithm, enc, cty)

    def decrypt(self, token: str, client: Application | None = None) -> str:
        """See portula.plugin.Jose."""
        return self._decrypter.decrypt(token, client)

    def publish(self, message: Message) -> Answer:
        """See portula.plugin.Jose."""
        return self._document.answer(message, self.published_keys())

    def published_keys(self) -> list[PublicKey]:
        """Return the keys of all sources, those in the storage too.

        Raises:
            JoseError: a signer does not say which keys it has.
            StorageDown: the storage does not answer, and no keys are held.
        """
        return [key for source in self.sources for key in source.published_keys()]

    # --- Inside ---

    @cached_property
    def _signer(self) -> Signer | None:
        return self._provider.hooks.ruling(JoseHooks.portula_signer).answer

    def _stored_rings(
        self, algorithms: Sequence[str], others: Callable[[], Sequence[str]]
    ) -> Sequence[KeyRing]:
        """Return the keys in the storage, if there are to be any and there is one."""
        generate = self._settings.SIGNING_KEYS_GENERATED
        if not self._provider.stores or not (not self.has_configured_keys if generate is None else generate):
            return ()
        taken = others()
        return [KeyRing(self._provider, self._settings, [name for name in algorithms if name not in taken])]

    def _find_published(self, kid: str) -> PublicKey | None:
        """Return a key of ours by its name.

        Raises:
            UntrustedToken: a signer does not say which keys it has.
        """
        try:
            return next((key for source in self.sources if (key := source.find(kid)) is not None), None)
        except JoseError as error:
            raise UntrustedToken("cannot be verified while the signer is silent") from error

    def _taken_apart(self, token: str, typ: Collection[str]) -> Parts:
        parts = take_apart(token, self._settings.JWT_MAX_BYTES)
        check_type(parts, typ)
        return parts

    def _secret(self, algorithm: str, client: Application | None) -> Any:
        """Return the client's current secret as a key (attack S46)."""
        keys = (
            secret_keys(self._provider.hooks.ask(Plugin.portula_secret_hasher), client, algorithm)
            if client
            else []
        )
        if not keys:
            raise JoseError(f"{algorithm} needs a client secret that is kept encrypted and long enough")
        return keys[0]

    def _check_secret(self, parts: Parts, client: Application) -> None:
        keys = secret_keys(self._provider.hooks.ask(Plugin.portula_secret_hasher), client, parts.algorithm)
        if not any(verifies(key, parts.algorithm, parts.data, parts.signature) for key in keys):
            raise UntrustedToken("is not signed with a secret of the client")


def own(provider: AuthorizationServer) -> SigningRoom | None:
    """Return our answer if it won its slot: a room that lost leaves nothing behind."""
    jose = provider.hooks.ruling(Plugin.portula_jose).answer
    return jose if isinstance(jose, SigningRoom) else None
