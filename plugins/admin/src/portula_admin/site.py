"""The admin classes of one provider, chosen through their slots and checked at start."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from portula import Plugin
from portula.errors import ConfigError
from portula_admin.access import permits
from portula_admin.clients import ApplicationAdmin
from portula_admin.forms import BUILDERS
from portula_admin.hooks import AdminHooks, AdminRequest
from portula_admin.options import RecordAdmin
from portula_admin.problems import problems
from portula_admin.tokens import AccessTokenAdmin, GrantAdmin, IDTokenAdmin, RefreshTokenAdmin
from portula_admin.uses import SecretUses

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AdminRecords, AuthenticatedUser, AuthorizationServer, RecordType

    Kind = RecordAdmin | AdminRecords | str
    """A kind with an admin class, one that a room contributes, or the slug of something else."""

DEFAULTS: dict[str, type[RecordAdmin]] = {
    "application": ApplicationAdmin,
    "access_token": AccessTokenAdmin,
    "refresh_token": RefreshTokenAdmin,
    "grant": GrantAdmin,
    "id_token": IDTokenAdmin,
}
"""Our answer to each slot, by record type, in the order of the navigation."""
SLOTS: dict[str, Callable[[Any, Any], type[RecordAdmin] | None]] = {
    "application": AdminHooks.portula_application_admin_class,
    "access_token": AdminHooks.portula_access_token_admin_class,
    "refresh_token": AdminHooks.portula_refresh_token_admin_class,
    "grant": AdminHooks.portula_grant_admin_class,
    "id_token": AdminHooks.portula_id_token_admin_class,
}
"""The slots, by record type."""
SYSTEM = "system"
"""What the page about the provider itself is called where somebody asks who may see it."""
_EXTENSION = "portula_admin"


class Site:
    """What one provider's admin shows."""

    def __init__(self, provider: Provider) -> None:
        """Choose the classes.

        Raises:
            ConfigError: all that is wrong with them.
        """
        self.provider = provider
        self.uses = SecretUses(provider)
        kinds = provider.hooks.collect(Plugin.portula_admin_records)
        self.managed: dict[str, AdminRecords] = {kind.slug: kind for kind in kinds}
        records = {record.name: record for record in provider.records}
        self.admins: dict[str, RecordAdmin] = {}
        findings: list[str] = []
        for kind in DEFAULTS:
            if kind in records:
                findings += self._open(kind, records[kind])
        if findings:
            raise ConfigError(*findings)
        provider.app.extensions.setdefault(_EXTENSION, {})[provider.name] = self

    @classmethod
    def of(cls, provider: AuthorizationServer) -> Site | None:
        """Return the site of a provider, if it has one."""
        return cast("Site | None", provider.app.extensions.get(_EXTENSION, {}).get(provider.name))

    @property
    def clients(self) -> ApplicationAdmin:
        """The admin of clients."""
        return cast("ApplicationAdmin", self.admins["application"])

    def allows(self, person: AuthenticatedUser, kind: Kind, action: str, record: Any = None) -> bool:
        """Say whether a person may do something: its admin class, if it has one, and all plugins let them."""
        shown = not isinstance(kind, RecordAdmin) or kind.allows(action, person, record)
        return shown and self.permits(person, kind, action, record)

    def permits(self, person: AuthenticatedUser, kind: Kind, action: str, record: Any = None) -> bool:
        """Say whether no plugin denies something; who may not look may do nothing else."""
        slug = kind if isinstance(kind, str) else kind.slug
        questions = dict.fromkeys(("view", action))
        return all(
            permits(
                AdminRequest(provider=self.provider, person=person, kind=slug, action=each, record=record)
            )
            for each in questions
        )

    def visible(self, person: AuthenticatedUser) -> list[RecordAdmin]:
        """Return the kinds with an admin class that a person may look at."""
        return [admin for admin in self.admins.values() if self.allows(person, admin, "view")]

    def visible_managed(self, person: AuthenticatedUser, *, of_person: bool) -> list[AdminRecords]:
        """Return the kinds that rooms contribute, those of people or the others, that a person may look at."""
        kinds = [kind for kind in self.managed.values() if kind.of_person is of_person]
        return [kind for kind in kinds if self.allows(person, kind, "view")]

    def _open(self, kind: str, record: RecordType) -> list[str]:
        if not self.provider.storage.walks(record.cls):
            return [f"STORAGE: the store of {kind} cannot walk along orders, as the lists of the admin do"]
        chosen = self.provider.hooks.ask(SLOTS[kind])
        admin = chosen(self.provider, record)
        self.admins[admin.slug] = admin
        editable = {*BUILDERS, *admin.members} if isinstance(admin, ApplicationAdmin) else set[str]()
        return [
            f"{kind.upper()}_ADMIN_CLASS: {chosen.__qualname__}.{problem}"
            for problem in problems(admin, editable)
        ]
