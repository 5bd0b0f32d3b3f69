"""Hooks called once, at start, after those of `startup`: what faces people, machines and operators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from portula.host.markers import hookspec

if TYPE_CHECKING:
    import click

    from portula.host.checks import Finding
    from portula.model import slots
    from portula.model.http import Endpoint
    from portula.web.blueprints import AccountLink, Mount
    from portula.web.provider import Provider


@hookspec
def portula_login(provider: Provider) -> slots.Login | None:
    """Answer the slot of the login: who sits at the browser, and where people sign in.

    Example:
        class Room:
            def __init__(self, login):
                self.login = login

            @hookimpl
            def portula_login(self, provider):
                return self.login
    """


@hookspec
def portula_sessions(provider: Provider) -> slots.Sessions | None:
    """Answer the slot of the server-side login sessions.

    Example:
        class Room:
            def __init__(self, sessions):
                self.sessions = sessions

            @hookimpl
            def portula_sessions(self, provider):
                return self.sessions
    """


@hookspec
def portula_consent(provider: Provider) -> slots.Consent | None:
    """Answer the slot of consent: the page and the memory of it.

    Example:
        class Room:
            def __init__(self, consent):
                self.consent = consent

            @hookimpl
            def portula_consent(self, provider):
                return self.consent
    """


@hookspec
def portula_fetcher(provider: Provider) -> slots.Fetcher | None:
    """Answer the slot of the fetcher, which makes every request to other servers.

    Example:
        class Room:
            def __init__(self, fetcher):
                self.fetcher = fetcher

            @hookimpl
            def portula_fetcher(self, provider):
                return self.fetcher
    """


@hookspec
def portula_jose(provider: Provider) -> slots.Jose | None:
    """Answer the slot of JOSE: signing keys, and tokens that are signed and verified.

    Example:
        class Room:
            def __init__(self, jose):
                self.jose = jose

            @hookimpl
            def portula_jose(self, provider):
                return self.jose
    """


@hookspec
def portula_endpoints(provider: Provider) -> Sequence[Endpoint]:
    """Contribute machine endpoints, mounted in Flask and ahead of it.

    Example:
        class Room:
            @hookimpl
            def portula_endpoints(self, provider):
                return [Endpoint("tea", "tea/", ("GET",), lambda message: json_answer(418, {"tea": True}))]
    """


@hookspec
def portula_blueprints(provider: Provider) -> Sequence[Mount]:
    """Contribute Flask blueprints: pages for people.

    Example:
        class Room:
            @hookimpl
            def portula_blueprints(self, provider):
                return [Mount(flask.Blueprint("tea", __name__), at="root")]
    """


@hookspec
def portula_account_links(provider: Provider) -> Sequence[AccountLink]:
    """Contribute links to the page of a person's account, if the login has one.

    Example:
        class Room:
            @hookimpl
            def portula_account_links(self, provider):
                return [AccountLink("Your tea", "tea.orders")]
    """


@hookspec
def portula_metadata(provider: Provider) -> Mapping[str, Any]:
    """Contribute members of the server metadata (RFC 8414 §2); lists of several rooms are joined.

    Example:
        class Room:
            @hookimpl
            def portula_metadata(self, provider):
                return {"service_documentation": "https://docs.example/oauth"}
    """


@hookspec
def portula_commands(provider: Provider) -> Sequence[click.Command]:
    """Contribute commands of `portula` and `flask portula`.

    Example:
        class Room:
            @hookimpl
            def portula_commands(self, provider):
                return [click.Command("hello", callback=lambda: None)]
    """


@hookspec
def portula_checks(provider: Provider) -> Sequence[Finding]:
    """Contribute findings about the posture of the deployment, for `portula check`.

    Example:
        class Room:
            @hookimpl
            def portula_checks(self, provider):
                return [Finding("tea.cold", Level.INFO, "The tea is cold.", "Make new tea.")]
    """


@hookspec
def portula_demo(provider: Provider) -> Mapping[str, str]:
    """Prepare data for `portula serve --demo`, once at start; return lines to print, label to text.

    Example:
        class Room:
            @hookimpl
            def portula_demo(self, provider):
                return {"Tea": "ready"}
    """
