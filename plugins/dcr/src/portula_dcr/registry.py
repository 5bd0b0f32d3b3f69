"""Making, changing and removing clients for those who ask over HTTP: each in one plan.

What is judged before that are the steps of `endpoint`. Clients are prepared first and saved last, when the answer is
written and nothing is left that may fail.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from portula import Plugin
from portula.errors import (
    Conflict,
    DuplicateRecord,
    InvalidTokenError,
    RecordReplayed,
    RetryLater,
    UnknownClient,
)
from portula.plugin import (
    SELF_REGISTERED,
    Application,
    Artifact,
    CheckedClient,
    MetadataLimits,
    Plan,
    RequestedMetadata,
    is_of_removed_client,
)
from portula_dcr.initial_access import InitialAccessToken, InitialAccessTokens
from portula_dcr.quotas import Quotas
from portula_dcr.registration_tokens import RegistrationTokens
from portula_dcr.settings import DcrSettings

if TYPE_CHECKING:
    from portula import Provider

REGISTER_TRIES = 10
"""How often a registration is tried while others take the places that were free."""


SERVER_MEMBERS = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)
"""Members that only the provider writes; an update that has one is refused (RFC 7592 §2.2)."""

PERSONAL_SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access")
"""OpenID Connect Core §5.4, §11."""

DEFAULTS = {"application_type": "web", "id_token_signed_response_alg": "RS256"}
"""Those of OpenID Connect Registration §2 that hang on nothing else."""


@dataclass(frozen=True, slots=True)
class ClientInformation:
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
        self.metadata = RequestedMetadata(
            provider,
            MetadataLimits(
                grant_types=self._settings.DCR_ALLOWED_GRANT_TYPES,
                scopes=self._settings.DCR_ALLOWED_SCOPES,
                usual_scopes=PERSONAL_SCOPES,
                default_scopes=self._settings.DCR_DEFAULT_SCOPES,
                defaults=DEFAULTS,
                ignored=SERVER_MEMBERS,
            ),
        )

    def prepare(self, client: Application, plan: Plan) -> tuple[CheckedClient, ClientInformation]:
        """Prepare a new client, and plan its registration access token (RFC 7591 §3.1).

        Raises:
            InvalidClientMetadata: some rule on clients denies it.
        """
        checked = self._provider.clients.prepare(
            replace(client, metadata={**client.metadata, SELF_REGISTERED: True}),
            make_secret=self.metadata.has_secret(client),
            hash_secret=not self.metadata.secret_is_key(client),
        )
        token = self._tokens.issue(checked.application.client_id, plan)
        return checked, ClientInformation(checked.application, token, checked.secret)

    def register(
        self, checked: CheckedClient, plan: Plan, initial: InitialAccessToken | None, client_address: str
    ) -> None:
        """Save a new client, and use quota and initial access token up.

        Raises:
            RetryLater: a quota is used up, or too many register at the same moment.
            InvalidTokenError: the initial access token is.
        """
        client_id = checked.application.client_id
        for _ in range(REGISTER_TRIES):
            whole = Plan()
            whole.extend(plan)
            if initial is not None and not self.initial.use(initial, client_id, whole):
                raise InvalidTokenError
            self.quotas.count(client_address, client_id, whole)
            try:
                self._provider.clients.save(checked, whole)
            except Conflict:
                raise InvalidTokenError from None
            except DuplicateRecord:  # somebody took the same place
                continue
            return
        raise RetryLater("Many clients are registered at this moment.", 1)

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
        if client is None or client.disabled or is_of_removed_client(client, token.issued_at):
            raise InvalidTokenError
        return client, token

    def prepare_update(
        self, token: Artifact, replacement: ClientInformation, plan: Plan
    ) -> tuple[CheckedClient, ClientInformation]:
        """Prepare a client that takes the place of one, and plan what becomes of the token that `find` returned.

        Raises:
            InvalidClientMetadata: some rule on clients denies it.
        """
        checked, value = self._provider.clients.check(replacement.client), replacement.token
        if self._settings.DCR_ROTATE_REGISTRATION_TOKEN_ON_UPDATE:
            plan.take(token, at=self._provider.now())  # the first update ends the token for all others
            value = self._tokens.issue(checked.application.client_id, plan)
        else:
            plan.change(token, given={"taken_at": None}, taken_at=None)
        return checked, ClientInformation(checked.application, value, replacement.secret)

    def update(self, checked: CheckedClient, plan: Plan) -> None:
        """Save a client in place of the one that was read (RFC 7592 §2.2).

        Raises:
            InvalidTokenError: another update used the token up.
            RetryLater: somebody changed the client at the same moment.
        """
        try:
            self._provider.clients.save(checked, plan)
        except RecordReplayed:
            raise InvalidTokenError from None
        except Conflict as conflict:
            if conflict.cls is Artifact or conflict.record is None:
                raise InvalidTokenError from None
            raise RetryLater("The client was changed at the same moment.", 1) from None

    def remove(self, client_id: str, token: Artifact) -> None:
        """Remove a client, and end all that was issued to it (RFC 7592 §2.3).

        Raises:
            InvalidTokenError: another request used the token up, or removed the client.
        """
        plan = Plan()
        plan.take(token, at=self._provider.now())
        self._tokens.forget(client_id, plan)
        try:
            self._provider.clients.remove(client_id, plan)
        except (RecordReplayed, UnknownClient):
            raise InvalidTokenError from None

    def _forget(self, client_id: str) -> None:
        """End the tokens of a client that is gone (RFC 7592 §2.1)."""
        plan = Plan()
        self._tokens.forget(client_id, plan)
        self._provider.storage.apply(plan)

    def with_secret(
        self, client: Application, known: Application, sent: str | None
    ) -> tuple[Application, str | None]:
        """Give a client a secret when it needs another one than it has, or take it away when it needs none."""
        if not self.metadata.has_secret(client):
            return replace(client, secret_hashes=()), None
        is_key = self.metadata.secret_is_key(client)
        if known.secret_hashes and (not is_key or self.metadata.secret_is_key(known)):
            return client, sent
        hooks = self._provider.hooks
        secret = hooks.ask(Plugin.portula_client_secret_generator).hash()
        hasher = hooks.ask(Plugin.portula_secret_hasher)
        keep = hasher.seal if is_key else hasher.hash_generated
        return replace(client, secret_hashes=(keep(secret),)), secret
