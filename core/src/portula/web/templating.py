"""Which file a page is made of: templates follow the tiers of the plugins that bring them."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, Template

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask

    from portula.model.sources import PluginSource
    from portula.web.blueprints import Mount

_OWN = FileSystemLoader(Path(__file__).parent / "templates")


class Templates:
    """Finds templates by name: in TEMPLATES_DIR, in the app's own folder, then in the blueprints, strongest tier first.

    Flask by itself asks blueprints in the order in which they were registered.
    """

    def __init__(self, app: Flask, folder: str | None, mounts: Sequence[tuple[PluginSource, Mount]]) -> None:
        """Take what may bring templates.

        Args:
            app: its template folder, and last its other blueprints.
            folder: TEMPLATES_DIR.
            mounts: the blueprints, each with the plugin that contributes it.
        """
        self._app = app
        self._folder = folder
        ordered = sorted(mounts, key=lambda entry: (-entry[0].tier, entry[0].name))
        self._blueprints = [mount.blueprint for _, mount in ordered]

    @cached_property
    def _environment(self) -> Environment:
        """The app's environment with a loader of our own; made at the first page, when the app's is complete."""
        ours: list[BaseLoader | None] = [blueprint.jinja_loader for blueprint in self._blueprints]
        first = FileSystemLoader(self._folder) if self._folder else None
        loaders = [first, self._app.jinja_loader, *ours, _OWN, self._app.jinja_env.loader]
        return self._app.jinja_env.overlay(loader=ChoiceLoader([each for each in loaders if each]))

    def get(self, name: str) -> Template:
        """Return the template of this name; what it extends and imports is found in the same way.

        Raises:
            jinja2.TemplateNotFound: there is none.
        """
        return self._environment.get_template(name)
