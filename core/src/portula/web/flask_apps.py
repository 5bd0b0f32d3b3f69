"""Particulars of Flask: extensions made before their apps, commands that load an app, Werkzeug's redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from weakref import WeakSet

import click
from flask import current_app, has_app_context
from flask.cli import ScriptInfo
from werkzeug.local import LocalProxy

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from portula.web.provider import Provider


class UnboundProvider(LocalProxy["Provider"]):
    """Stands for the provider of the current app, or outside of any app context for the one that was made last.

    RuntimeError: it was given no app yet.
    """

    def __init__(self, make: Callable[[Flask], Provider]) -> None:
        """Take what makes the provider of an app."""
        super().__init__(self._current)
        for name, value in (("_make", make), ("_made", WeakSet()), ("_latest", None)):
            object.__setattr__(self, name, value)

    def init_app(self, app: Flask) -> None:
        """Make the provider of an app, as `Provider(app, …)` does; an app factory may be called again and again."""
        provider = object.__getattribute__(self, "_make")(app)
        object.__getattribute__(self, "_made").add(provider)
        object.__setattr__(self, "_latest", provider)

    def _current(self) -> Provider:
        made: WeakSet[Provider] = object.__getattribute__(self, "_made")
        if has_app_context():
            for provider in current_app.extensions.get("portula", {}).values():
                if provider in made:
                    found: Provider = provider
                    return found
        latest: Provider | None = object.__getattribute__(self, "_latest")
        if latest is None:
            raise RuntimeError("this Provider has no app yet; call init_app(app) first")
        return latest


def current_provider(name: str = "portula") -> Provider:
    """Return the provider of the current Flask app."""
    return cast("Provider", current_app.extensions["portula"][name])


def under_command() -> bool:
    """Say whether a command of Flask's other than `run` loads the app, such as `flask db upgrade` or `flask routes`."""
    context = click.get_current_context(silent=True)
    return context is not None and context.find_object(ScriptInfo) is not None and context.info_name != "run"


def redirect_no_paths(app: Flask, others: frozenset[str]) -> None:
    """Answer /o/authorize as /o/authorize/ and 404 to /o//token/, apart from the `others` among the app's views.

    Werkzeug would redirect both: by 308, which repeats a POST (attack S12), to the Host header (attack S65).
    """
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in others:
            rule.merge_slashes = False
            rule.strict_slashes = False
