"""The hooks of what faces people and machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic

from portula.flow.endpoints import Endpoint
from portula.flow.hooks import FlowHooks
from portula.host.declarations import HostHooks, P
from portula.host.kinds import HookClass, HookDeclarations, contribution
from portula.web.administration import AdminRecords
from portula.web.background import BackgroundTask
from portula.web.blueprints import AccountLink, Mount


class WebHooks(HookDeclarations, Generic[P]):
    """Hooks that mounting a provider calls."""

    @contribution(
        HookClass.SEES_SECRETS, keys=lambda endpoint: [endpoint.name, f"path {endpoint.path.rstrip('/')}"]
    )
    def portula_endpoints(self, provider: P) -> Sequence[Endpoint]:
        """Contribute machine endpoints, mounted in Flask and ahead of it: each with a handler, or a list of steps.

        Example:
            class Room(Plugin):
                def portula_endpoints(self, provider):
                    return [Endpoint("tea", "tea/", ("GET",), lambda message: json_answer(418, {"tea": True}))]
        """
        return ()

    @contribution(HookClass.SEES_SECRETS, keys=lambda mount: [mount.blueprint.name])
    def portula_blueprints(self, provider: P) -> Sequence[Mount]:
        """Contribute Flask blueprints: pages for people.

        Example:
            class Room(Plugin):
                def portula_blueprints(self, provider):
                    return [Mount(flask.Blueprint("tea", __name__), at="root")]
        """
        return ()

    @contribution(HookClass.OBSERVES, keys=lambda link: [link.view])
    def portula_account_links(self, provider: P) -> Sequence[AccountLink]:
        """Contribute links to the page of a person's account, if the login has one.

        Example:
            class Room(Plugin):
                def portula_account_links(self, provider):
                    return [AccountLink("Your tea", "tea.orders")]
        """
        return ()

    @contribution(HookClass.OBSERVES, keys=lambda link: [link.view])
    def portula_demo_links(self, provider: P) -> Sequence[AccountLink]:
        """Contribute links to the start page of `portula serve --demo`; `shown_to` is not asked.

        Example:
            class Room(Plugin):
                def portula_demo_links(self, provider):
                    return [AccountLink("Order a tea", "tea.orders")]
        """
        return ()

    @contribution(HookClass.SEES_SECRETS, keys=lambda records: [records.slug])
    def portula_admin_records(self, provider: P) -> Sequence[AdminRecords]:
        """Contribute kinds of records to the pages of administrators, if an admin is installed.

        Example:
            class TeaRecords(AdminRecords):
                slug, title, title_plural = "tea", "Tea", "Teas"
                columns = {"name": "Name"}

                def page(self, *, limit, after=None, subject=None):
                    return [self.find("oolong")]

                def find(self, identifier):
                    return {"id": "oolong", "name": "Oolong"} if identifier == "oolong" else None

            class Room(Plugin):
                def portula_admin_records(self, provider):
                    return [TeaRecords()]
        """
        return ()

    @contribution(HookClass.OBSERVES)
    def portula_background_tasks(self, provider: P) -> Sequence[BackgroundTask]:
        """Contribute work for the processes that serve, done beside requests after every so many plans.

        It is told nothing of a request. A failure is logged, and the next time comes all the same.

        Example:
            class Room(Plugin):
                def portula_background_tasks(self, provider):
                    return [BackgroundTask(what="washing the cups", every=100, run=lambda: None)]
        """
        return ()

    @contribution(HookClass.SHAPES_TOKENS)
    def portula_metadata(self, provider: P) -> Mapping[str, Any]:
        """Contribute members of the server metadata (RFC 8414 §2); lists of several rooms are joined.

        A value that depends on data is a callable without parameters: it is not called at start, and later again
        after half a minute; while it fails the document stays as it was.

        Example:
            class Room(Plugin):
                def portula_metadata(self, provider):
                    return {"service_documentation": "https://docs.example/oauth"}
        """
        return {}


CORE_HOOKS: tuple[type[HookDeclarations], ...] = (HostHooks, FlowHooks, WebHooks)
"""The classes that declare core's hooks."""
