"""Making, changing and removing clients for those who ask over HTTP: each in one transaction.

What is judged before that are the steps of `endpoint`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portula import Plugin
from portula.errors import InvalidTokenError, Replayed
from portula.plugin import Application, Artifact
from portula_dcr.errors import TryLater
from portula_dcr.initial_access import InitialAccessToken, InitialAccessTokens
from portula_dcr.quotas import Quotas
from portula_dcr.registration_tokens import RegistrationTokens
from portula_dcr.settings import DcrSettings
from portula_dcr.wanted import Wanted

if TYPE_CHECKING:
    from portula import Provider


@dataclass(frozen=True, slots=True)
class Registered:
    """A client, with what only it is told."""

    client: Application
    token: str
    """Its registration access token."""
    secret: str | None = None
    """Its secret, when it is new or the client itself sent it; only a digest of it is known here."""


class Registry:
    """Clients of one provider that look after themselves."""

    def __init__(self, provider: Provider) -> None:
        """Take the provider."""
        self._provider = provider
        self._settings = provider.settings(DcrSettings)
        self._tokens = RegistrationTokens(provider)
        self.quotas = Quotas(provider)
        self.initial = InitialAccessTokens(provider)
        self.wanted = Wanted(provider)

    def register(
        self, client: Application, pass_: InitialAccessToken | None, client_address: str
    ) -> Registered:
        """Make a client (RFC 7591 §3.1).

        Raises:
            InvalidClientMetadata: some rule on clients denies it.
            TryLater: a quota is used up.
            InvalidTokenError: the initial access token is.
        """
        provider, wanted = self._provider, self.wanted
        with provider.storage.transaction():
            # First, for rules may ask other servers, and until the first write nobody waits for this transaction.
            made, secret = provider.clients.create(
                client,
                make_secret=wanted.has_secret(client),
                hash_secret=not wanted.signs_with_secret(client),
            )
            if pass_ is not None and not self.initial.use(pass_, made.client_id):
                raise InvalidTokenError
            self.quotas.count(client_address, made.client_id)
            return Registered(made, self._tokens.issue(made.client_id), secret)

    def find(self, client_id: str, value: str) -> tuple[Application, Artifact]:
        """Return a client and its registration access token.

        Raises:
            InvalidTokenError: the token is not this client's, or does not count; or the client does not.
        """
        token = self._tokens.find(value, client_id)
        if token is None:
            raise InvalidTokenError
        client = self._provider.storage.find(Application, client_id=client_id)
        if client is None:
            self._tokens.forget(client_id)  # RFC 7592 §2.1
        if client is None or client.disabled:
            raise InvalidTokenError
        return client, token

    def update(self, known: Application, token: Artifact, replacement: Registered) -> Registered:
        """Replace a client (RFC 7592 §2.2); `known` and `token` are what `find` returned.

        Raises:
            InvalidClientMetadata: some rule on clients denies it.
            InvalidTokenError: another update used the token up.
            TryLater: somebody changed the client at the same moment.
        """
        provider, client_id, value = self._provider, known.client_id, replacement.token
        checked = provider.clients.check(replacement.client)
        with provider.storage.transaction():
            self._hold(token)
            if provider.storage.find(Application, client_id=client_id) != known:
                raise TryLater("The client was changed at the same moment.", 1, status=503)
            client = provider.clients.save(checked)
            if self._settings.DCR_ROTATE_REGISTRATION_TOKEN_ON_UPDATE:
                value = self._tokens.issue(client_id)
            return Registered(client, value, replacement.secret)

    def remove(self, client_id: str, token: Artifact) -> None:
        """Remove a client (RFC 7592 §2.3). Its codes and tokens end with it: they count for a known client only."""
        storage = self._provider.storage
        with storage.transaction():
            self._end(token)
            storage.remove(Application, client_id=client_id)
            self._tokens.forget(client_id)

    def _hold(self, token: Artifact) -> None:
        """Let one update at a time go on: with rotation the first ends the token for all others.

        Raises:
            InvalidTokenError: it was ended meanwhile.
        """
        storage = self._provider.storage
        if self._settings.DCR_ROTATE_REGISTRATION_TOKEN_ON_UPDATE:
            self._end(token)
        elif not storage.change(Artifact, {"digest": token.digest, "taken_at": None}, taken_at=None):
            raise InvalidTokenError

    def _end(self, token: Artifact) -> None:
        """Let a registration access token count no more; InvalidTokenError when somebody else did so first."""
        try:
            self._provider.storage.take(token, self._provider.now())
        except Replayed:
            raise InvalidTokenError from None

    def with_secret(
        self, client: Application, known: Application, sent: str | None
    ) -> tuple[Application, str | None]:
        """Give a client a secret when it needs another one than it has, or take it away when it needs none."""
        if not self.wanted.has_secret(client):
            return replace(client, secret_hashes=()), None
        signs = self.wanted.signs_with_secret(client)
        if known.secret_hashes and (not signs or self.wanted.signs_with_secret(known)):
            return client, sent
        hooks = self._provider.hooks
        secret = hooks.ask(Plugin.portula_client_secret_generator).hash()
        hasher = hooks.ask(Plugin.portula_secret_hasher)
        keep = hasher.seal if signs else hasher.hash_generated
        return replace(client, secret_hashes=(keep(secret),)), secret
