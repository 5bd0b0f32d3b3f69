"""Clients: the one way to find one, and the one write path, which hears every rule on client metadata."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from portula.flow.client_cache import COMPARED
from portula.flow.event_hooks import EventHooks
from portula.flow.events import ClientSaved
from portula.flow.grant_hooks import GrantHooks
from portula.flow.registration import ClientRegistration
from portula.flow.request_hooks import RequestHooks
from portula.flow.revoking import revoke_client
from portula.host.declarations import HostHooks
from portula.host.profiles import PROFILE_MEMBER, ProfileViolation
from portula.model.client_metadata import required_confirmations
from portula.model.errors import Conflict, InvalidClientMetadata, UnknownClient, nearest
from portula.model.failures import log_failure
from portula.model.keys import unkeyed_digest
from portula.model.plans import Plan
from portula.model.records import Application, Authorization
from portula.model.secret_hasher import LONG_SECRET

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.client_sources import ClientSource

MAX_SECRETS = 2
"""Live secrets of a client: the one in use, and one that takes its place."""
MIN_CHOSEN_SECRET_LENGTH = LONG_SECRET
"""Characters of a client secret that a person chose."""
FIRST_VERSIONS = 2**30
"""A client begins at any version below this, so that none is taken for another that had its name a moment ago."""
PAGE = 500
"""Clients read at a time."""
SUGGESTED_FROM = 500
"""Clients that are read to find the identifier nearest to one that nobody has."""
EDIT_TRIES = 5
"""How often an edit is tried while others change the same client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedClient:
    """A client about which every rule was heard; `Clients.prepare` and `Clients.check` make it."""

    application: Application
    new: bool
    secret: str | None = field(default=None, repr=False)
    """The secret of a new client."""


def secret_id(stored: str) -> str:
    """Return a name for a stored secret that tells nothing of it: 12 characters."""
    return unkeyed_digest(stored)[:12]


class Clients:
    """Finds, makes and changes clients of a provider."""

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider."""
        self._provider = provider

    def find(self, client_id: str) -> Application | None:
        """Return the client of this name: of the source that claims the name, else the one that is registered."""
        source = self._source(client_id)
        if source is not None:
            return source.find(client_id)
        return self._provider.storage.find(Application, client_id=client_id)

    def require(self, client_id: str) -> Application:
        """Return the client that is registered under this name.

        Raises:
            UnknownClient: there is none; the message names the nearest identifier.
        """
        storage = self._provider.storage
        found = storage.find(Application, client_id=client_id)
        if found is None:
            known = storage.select(Application, limit=SUGGESTED_FROM)
            near = nearest(client_id, (client.client_id for client in known))
            raise UnknownClient(f"there is no client {client_id!r}{near}")
        return found

    def check_name(self, client_id: str) -> None:
        """Require that there is a client of this name: registered here, or of a source, which is not asked.

        Raises:
            UnknownClient: see `registered`.
        """
        if not self.is_of_a_source(client_id):
            self.require(client_id)

    def prefer_source(self, client_id: str, registered: Application | None) -> Application | None:
        """Return the client of this name as `find` does, given the one that is registered under it, read already."""
        source = self._source(client_id)
        return registered if source is None else source.find(client_id)

    def is_of_a_source(self, client_id: str) -> bool:
        """Say whether a client of this name comes from a source, wherever that has it from."""
        return self._source(client_id) is not None

    def _source(self, client_id: str) -> ClientSource | None:
        return next((source for source in self._provider.client_sources if source.claims(client_id)), None)

    def registered_itself(self, client: Application) -> bool:
        """Say whether nobody here registered a client: it did so itself (RFC 7591 §5), or a source made it known."""
        return client.is_self_registered or self.is_of_a_source(client.client_id)

    def find_all(self, client_ids: Sequence[str]) -> dict[str, Application]:
        """Return the clients of these names, those that are there, for lists: no other server is asked about them.

        What is registered is read in one go.
        """
        elsewhere = {name: source for name in client_ids if (source := self._source(name)) is not None}
        registered = tuple(name for name in client_ids if name not in elsewhere)
        found = [(source.known or source.find)(name) for name, source in sorted(elsewhere.items())]
        if registered:
            storage = self._provider.storage
            found += storage.select(Application, limit=len(registered), client_id=registered)
        return {client.client_id: client for client in found if client is not None}

    def iterate(self, limit: int) -> Iterator[Application]:
        """Yield, of the first `limit` clients that are registered here, those that are not disabled."""
        after: str | None = None
        for read in range(0, limit, PAGE):
            size = min(PAGE, limit - read)
            page = self._provider.storage.select(Application, limit=size, after=after)
            yield from (client for client in page if not client.disabled)
            if len(page) < size:
                return
            after = page[-1].client_id

    def create(
        self,
        application: Application,
        *,
        secret: str | None = None,
        hash_secret: bool = True,
        make_secret: bool = True,
    ) -> tuple[Application, str | None]:
        """Save a new client; return it, and its secret if it has one: the only time that is seen.

        An empty client_id is generated, and so is the secret of a confidential client when none is given. With
        `hash_secret` off the secret is kept encrypted instead of as a digest, so that it can sign. With `make_secret`
        off a confidential client has no secret: it proves itself by keys.

        Raises:
            InvalidClientMetadata: something about it is not allowed.
            DuplicateRecord: the client_id is taken.
        """
        checked = self.prepare(application, secret=secret, hash_secret=hash_secret, make_secret=make_secret)
        return self.save(checked), checked.secret

    def prepare(
        self,
        application: Application,
        *,
        secret: str | None = None,
        hash_secret: bool = True,
        make_secret: bool = True,
    ) -> CheckedClient:
        """Make a new client as `create` does, for `save` to keep: nothing is written yet."""
        provider, now = self._provider, self._provider.now()
        application = provider.storage.as_model(application)
        if not application.client_id:
            application = replace(
                application, client_id=provider.hooks.ask(HostHooks.portula_client_id_generator).hash()
            )
        chosen = secret is not None
        if application.client_type == "confidential" and (make_secret or chosen):
            secret = secret or provider.hooks.ask(HostHooks.portula_client_secret_generator).hash()
            application = replace(application, secret_hashes=(self._keep(secret, chosen, hash_secret),))
        elif chosen:
            raise InvalidClientMetadata("a public client has no secret")
        version = secrets.randbelow(FIRST_VERSIONS)
        application = replace(application, created_at=now, updated_at=now, version=version)
        self._check(application)
        return CheckedClient(application=application, new=True, secret=secret)

    def check(self, application: Application) -> CheckedClient:
        """Hear every rule on a changed client; errors as in `create`."""
        application = self._provider.storage.as_model(application)
        self._check(application)
        return CheckedClient(application=application, new=False)

    def save(self, client: Application | CheckedClient, plan: Plan | None = None) -> Application:
        """Save a client, and what else a plan writes with it: whole or not at all. Listeners hear of it afterwards.

        Raises:
            InvalidClientMetadata: as in `create`.
            Conflict: the client is gone, or is not of the version that was read.
            DuplicateRecord: the client is new, and its client_id is taken.
            Exception: what else the plan fails with; see `Storage.apply`.
        """
        checked = client if isinstance(client, CheckedClient) else self.check(client)
        application, whole = checked.application, Plan()
        if checked.new:
            whole.add(application)
        else:
            read = application.version
            application = replace(application, updated_at=self._provider.now(), version=read + 1)
            values = {item.name: getattr(application, item.name) for item in fields(application)}
            client_id, _ = values.pop("client_id"), values.pop("realm")
            whole.change(Application, client_id, given={"version": read}, **values)
        whole.extend(plan)
        self._provider.storage.apply(whole)
        saved = ClientSaved(provider=self._provider, client_id=application.client_id, created=checked.new)
        self._provider.hooks.tell(EventHooks.portula_client_saved, saved)
        return application

    def edit(self, client_id: str, edit: Callable[[Application], Application]) -> Application:
        """Save what a function makes of a client as it stands; of two who edit at once, none undoes the other's work.

        The function is called again, a few times, when somebody else was quicker. An edit that does nothing
        but disable the client or take secrets from it is saved whatever the rules say: a rule that came later keeps
        nobody from shutting it out.

        Raises:
            UnknownClient: there is none of this name.
            InvalidClientMetadata: as in `create`, or by the function.
            Conflict: somebody else was quicker each time.
        """
        for _ in range(EDIT_TRIES - 1):
            with suppress(Conflict):
                return self._edit(client_id, edit)
        return self._edit(client_id, edit)

    def _edit(self, client_id: str, edit: Callable[[Application], Application]) -> Application:
        known = self.require(client_id)
        changed = edit(known)
        if _only_shuts_out(known, changed):
            return self.save(CheckedClient(application=changed, new=False))
        return self.save(changed)

    def remove(self, client_id: str, plan: Plan | None = None) -> None:
        """End what was issued to a client, and remove it: nothing counts again if the name is given anew.

        If anything fails, the client is there still, without what had ended, and can be removed again.

        Args:
            client_id: of the client.
            plan: what else is written as the client goes: whole or not at all.

        Raises:
            UnknownClient: there is none of this name.
            Exception: what the plan fails with; see `Storage.apply`.
        """
        self.require(client_id)
        self._end(client_id)
        whole = Plan()
        whole.remove(Application, client_id=client_id)
        whole.extend(plan)
        self._provider.storage.apply(whole)
        try:
            self._end(client_id)  # what was issued while the rest ended
        except Exception as failure:  # noqa: BLE001 - it is logged; the client is gone, and nothing of it counts
            log_failure(failure, "what client %r got while it was removed is not revoked", client_id)

    def _end(self, client_id: str) -> None:
        """Revoke what a client has, where the store finds it; else it counts for nobody who has the name later."""
        if self._provider.storage.walks(Authorization):
            revoke_client(self._provider, client_id)

    def add_secret(
        self, client_id: str, *, hash_secret: bool = True, end_others: bool = False
    ) -> tuple[Application, str]:
        """Give a client another secret, beside the one it has or, with `end_others`, instead of those it has.

        `hash_secret` as in `create`, errors as in `edit`.
        """
        secret = self._provider.hooks.ask(HostHooks.portula_client_secret_generator).hash()

        def add(application: Application) -> Application:
            held = () if end_others else application.secret_hashes
            if application.client_type != "confidential":
                raise InvalidClientMetadata("a public client has no secret")
            if len(held) >= MAX_SECRETS:
                raise InvalidClientMetadata(f"a client has at most {MAX_SECRETS} secrets; remove one first")
            stored = self._keep(secret, chosen=False, hash_secret=hash_secret)
            return replace(application, secret_hashes=(*held, stored))

        return self.edit(client_id, add), secret

    def renew_secret(self, client: Application, stored: str, renewal: str) -> None:
        """Store a secret in another form, unless the client was changed since it was read.

        It is the same secret, so the version stays: nobody's edit fails because of it. One that undoes it is harmless.

        Raises:
            ClientChanged: it was remembered, and is not stored as it was found.
        """
        self._provider.client_cache.confirm(client)
        plan, given = Plan(), {name: getattr(client, name) for name in COMPARED}
        hashes = tuple(renewal if each == stored else each for each in client.secret_hashes)
        plan.change(Application, client.client_id, given=given, secret_hashes=hashes)
        with suppress(Conflict):
            self._provider.storage.apply(plan)

    def remove_secret(self, client_id: str, removed: str) -> Application:
        """Take a secret, told by its `secret_id`, from a client that has another one; errors as in `edit`."""

        def remove(application: Application) -> Application:
            left = tuple(held for held in application.secret_hashes if secret_id(held) != removed)
            if left == application.secret_hashes:
                raise InvalidClientMetadata(
                    "the client has no such secret, or keeps it in another form now; look again"
                )
            if not left:
                raise InvalidClientMetadata("this is the client's only secret; give it another one first")
            return replace(application, secret_hashes=left)

        return self.edit(client_id, remove)

    def violations(self, application: Application) -> list[str]:
        """Return what of a client is not as the profiles ask that it is held to.

        Nobody knows what one asks that is not there any more: its clients are below it.
        """
        settings, named = self._provider.all_settings, application.metadata.get(PROFILE_MEMBER)
        own = settings.profiles.own(application)
        if own is None and named is not None:
            known = ", ".join(settings.profiles.known) or "none is installed"
            return [str(ProfileViolation(field=PROFILE_MEMBER, value=repr(named), allowed=known))]
        return [
            *([] if own is None else map(str, settings.missing(own))),
            *(
                f"{shortfall}; profile {profile.name}"
                for profile in settings.profiles.of(application)
                for shortfall in profile.client(application)
            ),
        ]

    def _keep(self, secret: str, chosen: bool, hash_secret: bool) -> str:
        hasher = self._provider.hooks.ask(HostHooks.portula_secret_hasher)
        if chosen and (
            len(secret) < MIN_CHOSEN_SECRET_LENGTH or not secret.isascii() or not secret.isprintable()
        ):
            raise InvalidClientMetadata(
                f"a chosen client secret has at least {MIN_CHOSEN_SECRET_LENGTH} printable ASCII characters"
            )
        if not hash_secret:
            return hasher.seal(secret)
        return hasher.hash_chosen(secret) if chosen else hasher.hash_generated(secret)

    def _check(self, application: Application) -> None:
        if application.client_type not in ("confidential", "public"):
            raise InvalidClientMetadata(f"client type {application.client_type!r}: confidential or public")
        identifier = application.client_id
        if not 1 <= len(identifier) <= 255 or any(not "!" <= character <= "~" for character in identifier):
            raise InvalidClientMetadata("a client_id has 1 to 255 printable ASCII characters without spaces")
        if any(not character.isprintable() for character in application.name) or len(application.name) > 255:
            raise InvalidClientMetadata("a client name has at most 255 printable characters")
        if application.client_type == "public":
            offered = self._provider.hooks.collect(GrantHooks.portula_grant_types)
            for name in application.grant_types:
                if getattr(offered.get(name), "confidential", False):
                    raise InvalidClientMetadata(f"grant type {name}: for confidential clients alone")
        binding = required_confirmations(self._provider.client_members, application).values()
        if len(binding) > 1:
            named = " and ".join(member.name for member in binding)
            raise InvalidClientMetadata(f"{named} exclude each other")
        problems = self.violations(application)
        if problems:
            raise InvalidClientMetadata("; ".join(problems))
        registration = ClientRegistration(provider=self._provider, application=application)
        self._provider.hooks.hear(RequestHooks.portula_validate_client_registration, registration)


def _only_shuts_out(known: Application, changed: Application) -> bool:
    """Say whether an edit disables a client, takes some of its secrets, or both, and does nothing else."""
    disabled, left = changed.disabled or known.disabled, changed.secret_hashes
    return (
        changed == replace(known, disabled=disabled, secret_hashes=left)
        and changed != known
        and set(left) <= set(known.secret_hashes)
    )
