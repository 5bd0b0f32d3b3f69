"""Starts a provider on SQLite in this interpreter and prints the CPU milliseconds: of the imports, of the provider.

A module of its own, so that nothing is imported but what an app imports: `start.py FOLDER KIND`.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

from flask import Flask

from portula import Provider, hookimpl

if TYPE_CHECKING:
    from portula.plugin import Exchange, TokenIssued, TokenResponse

PLUGINS = 200


class Listener:
    """A plugin that listens to every hook of a token request and does nothing."""

    @hookimpl
    def portula_validate_token_request(self, exchange: Exchange) -> None:
        """Deny nothing."""

    @hookimpl
    def portula_record_token(self, event: TokenIssued) -> None:
        """Record nothing."""

    @hookimpl
    def portula_token_response(self, answer: TokenResponse) -> None:
        """Add nothing."""

    @hookimpl
    def portula_token_issued(self, event: TokenIssued) -> None:
        """Notice nothing."""


class Bystander:
    """A plugin of which a token request hears nothing."""

    @hookimpl
    def portula_login_failed(self, event: object) -> None:
        """Notice nothing."""


KINDS: dict[str, type[Any] | None] = {"none": None, "bystanders": Bystander, "listeners": Listener}
"""What the further plugins of a provider may be."""


def plugins(kind: str) -> tuple[object, ...]:
    """Return PLUGINS plugins of a kind."""
    made = KINDS[kind]
    return tuple(made() for _ in range(PLUGINS)) if made else ()


def main(folder: str, kind: str) -> None:
    """Start and print."""
    imported = time.process_time()
    app = Flask("bench", instance_path=folder, static_folder=None)
    app.config.update(SECRET_KEY="0123456789abcdef", OAUTH2_PROVIDER={})
    Provider(app, plugins=plugins(kind)).wsgi()
    ready = time.process_time()
    print(json.dumps([imported * 1000, (ready - imported) * 1000]))


if __name__ == "__main__":
    main(*sys.argv[1:])
