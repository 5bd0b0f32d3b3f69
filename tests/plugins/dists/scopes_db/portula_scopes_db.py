"""Scopes in a SQLite file of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click
from pydantic import BaseModel, ConfigDict

from portula import Plugin, hookimpl
from portula.plugin import ScopesBackend

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Application


class ScopesDbSettings(BaseModel):
    """Where the scopes are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    SCOPES_DB_FILE: str = "scopes.sqlite3"
    """SQLite file with the table `scope`."""


class Scopes(ScopesBackend):
    """Looks in the file at every question, so that a new scope counts at once."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._ask("CREATE TABLE IF NOT EXISTS scope (name TEXT PRIMARY KEY, text TEXT NOT NULL)")

    def _ask(self, statement: str, *values: str) -> list[tuple[str, str]]:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def add(self, name: str, text: str) -> None:
        self._ask("INSERT INTO scope VALUES (?, ?)", name, text)

    def get_all_scopes(self) -> Mapping[str, str]:
        return dict(self._ask("SELECT name, text FROM scope ORDER BY name"))

    def get_available_scopes(
        self, application: Application | None = None, request: object | None = None
    ) -> Sequence[str]:
        return list(self.get_all_scopes())

    def get_default_scopes(
        self, application: Application | None = None, request: object | None = None
    ) -> Sequence[str]:
        return self.get_available_scopes()[:1]


@hookimpl
def portula_settings(provider: Provider) -> Sequence[type[BaseModel]]:
    return [ScopesDbSettings]


@hookimpl
def portula_scopes_backend(provider: Provider) -> Scopes:
    return Scopes(provider.settings(ScopesDbSettings).SCOPES_DB_FILE)


@hookimpl
def portula_commands(provider: Provider) -> Sequence[click.Command]:
    @click.command("addscope")
    @click.argument("name")
    @click.argument("text")
    def add(name: str, text: str) -> None:
        """Add a scope."""
        provider.hooks.ask(Plugin.portula_scopes_backend).add(name, text)

    return [add]
