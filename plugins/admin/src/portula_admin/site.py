"""The admin classes of one provider, chosen through their slots and checked at start."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from portula.errors import ConfigError
from portula_admin.clients import ApplicationAdmin
from portula_admin.forms import BUILDERS
from portula_admin.options import RecordAdmin
from portula_admin.problems import problems
from portula_admin.tokens import AccessTokenAdmin, GrantAdmin, IDTokenAdmin, RefreshTokenAdmin
from portula_admin.uses import SecretUses

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Authenticated, RecordType

DEFAULTS: dict[str, type[RecordAdmin]] = {
    "application": ApplicationAdmin,
    "access_token": AccessTokenAdmin,
    "refresh_token": RefreshTokenAdmin,
    "grant": GrantAdmin,
    "id_token": IDTokenAdmin,
}
"""Our answer to each slot, by record type, in the order of the navigation."""
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
    def of(cls, provider: Provider) -> Site | None:
        """Return the site of a provider, if it has one."""
        return cast("Site | None", provider.app.extensions.get(_EXTENSION, {}).get(provider.name))

    @property
    def clients(self) -> ApplicationAdmin:
        """The admin of clients."""
        return cast("ApplicationAdmin", self.admins["application"])

    def visible(self, person: Authenticated) -> list[RecordAdmin]:
        """Return what a person may look at."""
        return [admin for admin in self.admins.values() if admin.allows("view", person)]

    def _open(self, kind: str, record: RecordType) -> list[str]:
        ruling = self.provider.hooks.ruling(f"{kind}_admin_class")
        setting, chosen = f"{kind.upper()}_ADMIN_CLASS", ruling.answer
        base = ApplicationAdmin if kind == "application" else RecordAdmin
        if not isinstance(chosen, type) or not issubclass(chosen, base):
            needed = f"a subclass of {base.__module__}.{base.__name__} is needed"
            return [f"{setting}: {ruling.winner} gives {chosen!r}; {needed}"]
        admin = chosen(self.provider, record)
        self.admins[admin.slug] = admin
        editable = BUILDERS if kind == "application" else ()
        return [f"{setting}: {chosen.__qualname__}.{problem}" for problem in problems(admin, editable)]
