"""Registering, changing and removing clients for those who ask over HTTP: each in one plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from portula import Plugin
from portula.errors import Conflict, DuplicateRecord, InvalidClientMetadata, InvalidTokenError, Replayed
from portula.plugin import Application, Artifact, Plan
from portula_dcr.errors import TryLater
from portula_dcr.hooks import Registration, RegistrationHooks
from portula_dcr.initial_access import InitialAccessToken, InitialAccessTokens
from portula_dcr.quotas import Quotas
from portula_dcr.registration_tokens import RegistrationTokens
from portula_dcr.settings import DcrSettings
from portula_dcr.wanted import ANSWERED, Wanted

if TYPE_CHECKING:
    from portula import Provider

REGISTER_TRIES = 10
"""How often a registration is tried while others take the places that were free."""


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
        self._quotas = Quotas(provider)
        self.initial = InitialAccessTokens(provider)
        self.wanted = Wanted(provider)

    def register(self, registration: Registration, pass_: InitialAccessToken | None) -> Registered:
        """Make a client (RFC 7591 §3.1).

        Raises:
            InvalidClientMetadata: some rule denies it.
            TryLater: a quota is used up, or too many register at the same moment.
            InvalidTokenError: the initial access token is.
        """
        provider, wanted = self._provider, self.wanted
        self._quotas.look(registration.client_address)
        self._hear(registration)
        fresh = Application(client_id=provider.hooks.ask(Plugin.portula_client_id_generator).hash(), scope="")
        client = wanted.client(registration.document, fresh)
        checked = provider.clients.prepare(
            client,
            make_secret=wanted.has_secret(client),
            hash_secret=not wanted.signs_with_secret(client),
        )
        client_id = checked.application.client_id
        for _ in range(REGISTER_TRIES):
            plan = Plan()
            if pass_ is not None and not self.initial.use(pass_, client_id, plan):
                raise InvalidTokenError
            self._quotas.count(registration.client_address, client_id, plan)
            token = self._tokens.issue(client_id, plan)
            try:
                return Registered(provider.clients.save(checked, plan), token, checked.secret)
            except Conflict:
                raise InvalidTokenError from None
            except DuplicateRecord:  # somebody took the same place
                continue
        raise TryLater("Many clients are registered at this moment.", 1, status=503)

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
            self._forget(client_id)
        if client is None or client.disabled:
            raise InvalidTokenError
        return client, token

    def update(self, registration: Registration, value: str) -> Registered:
        """Replace the metadata of a client (RFC 7592 §2.2).

        Raises:
            InvalidClientMetadata: some rule denies it.
            InvalidTokenError: as in `find`; or another update used the token up.
            TryLater: somebody changed the client at the same moment.
        """
        provider, client_id = self._provider, registration.client_id or ""
        known, token = self.find(client_id, value)
        self._check_replacement(registration)
        self._hear(registration)
        self._check_secret(registration.document, known)
        wanted = self.wanted.client(registration.document, known)
        wanted, secret = self._with_secret(wanted, known, registration.document.get("client_secret"))
        checked = provider.clients.check(wanted)
        plan = Plan()
        if (
            self._settings.DCR_ROTATE_REGISTRATION_TOKEN_ON_UPDATE
        ):  # the first update ends the token for all others
            plan.take(token, at=provider.now())
            value = self._tokens.issue(client_id, plan)
        else:
            plan.change(token, given={"taken_at": None}, taken_at=None)
        try:
            return Registered(provider.clients.save(checked, plan), value, secret)
        except Replayed:
            raise InvalidTokenError from None
        except Conflict as conflict:
            if conflict.cls is Artifact or conflict.record is None:
                raise InvalidTokenError from None
            raise TryLater("The client was changed at the same moment.", 1, status=503) from None

    def remove(self, client_id: str, value: str) -> None:
        """Remove a client (RFC 7592 §2.3). Its codes and tokens end with it: they count for a known client only."""
        _, token = self.find(client_id, value)
        plan = Plan()
        plan.take(token, at=self._provider.now())
        plan.remove(Application, client_id=client_id)
        self._tokens.forget(client_id, plan)
        try:
            self._provider.storage.apply(plan)
        except Replayed:
            raise InvalidTokenError from None

    def _forget(self, client_id: str) -> None:
        """End the tokens of a client that is gone (RFC 7592 §2.1)."""
        plan = Plan()
        self._tokens.forget(client_id, plan)
        self._provider.storage.apply(plan)

    def _hear(self, registration: Registration) -> None:
        self._provider.hooks.hear(RegistrationHooks.portula_validate_dynamic_registration, registration)

    @staticmethod
    def _check_replacement(registration: Registration) -> None:
        document = registration.document
        given = [name for name in ANSWERED if name in document]
        if given:
            raise InvalidClientMetadata(f"{given[0]} is not the client's to send (RFC 7592 §2.2)")
        if document.get("client_id") != registration.client_id:
            raise InvalidClientMetadata("client_id: the client's own is needed (RFC 7592 §2.2)")

    def _check_secret(self, document: dict[str, Any], known: Application) -> None:
        """Refuse a secret that is not the client's: it cannot choose one (RFC 7592 §2.2)."""
        secret = document.get("client_secret")
        if secret is None:
            return
        verify = self._provider.hooks.ask(Plugin.portula_secret_hasher).verify
        if not isinstance(secret, str) or not any(verify(secret, held) for held in known.secret_hashes):
            raise InvalidClientMetadata("client_secret is not the client's own (RFC 7592 §2.2)")

    def _with_secret(
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
