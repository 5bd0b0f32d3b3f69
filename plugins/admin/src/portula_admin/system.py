"""One page about the provider itself: what could be safer, who takes part, who answers what, how it is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula.plugin import report
from portula_admin.cells import Link
from portula_admin.pages import AdminPages
from portula_admin.site import SYSTEM

if TYPE_CHECKING:
    from flask import Response

    from portula.plugin import AuthenticatedUser

TONES = {"error": "danger", "warning": "warn", "info": ""}


class SystemViews(AdminPages):
    """What `portula check`, `plugins`, `hooks` and `settings` say."""

    def show(self, person: AuthenticatedUser) -> Response:
        """Show it all; secret values are hidden by the reports themselves (attack S58)."""
        provider = self.provider
        self.require(person, SYSTEM, "view")
        return self.page(
            "system.html",
            person,
            crumbs=[Link("System", "")],
            findings=report.findings(provider),
            plugins=report.plugins(provider),
            hooks=report.hooks(provider),
            settings=report.settings(provider),
            tones=TONES,
        )
