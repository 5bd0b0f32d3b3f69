"""An audit trail: what is issued is written down in the plan that issues it, all that happens in a file of lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import BaseModel, ConfigDict

from portula import hookimpl
from portula.plugin import Artifact

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Event, TokenIssued

KIND = "audit"


class AuditSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    AUDIT_FILE: str = ""
    """Where each event is written as one line of JSON; empty for nowhere."""


@hookimpl
def portula_settings(provider: Provider) -> Sequence[type[BaseModel]]:
    return [AuditSettings]


@hookimpl
def portula_record_token(event: TokenIssued) -> Iterable[object]:
    digest = event.provider.keys.digest(KIND, event.id)
    family = event.provider.keys.digest(KIND, event.client_id)
    return [Artifact(digest=digest, kind=KIND, family=family, payload=event.as_json(), issued_at=event.at)]


@hookimpl
def portula_event(event: Event) -> None:
    path = event.provider.settings(AuditSettings).AUDIT_FILE
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(event.as_json()) + "\n")


@hookimpl
def portula_commands(provider: Provider) -> Sequence[click.Command]:
    @click.command("audit")
    @click.argument("client_id")
    def audit(client_id: str) -> None:
        """Print what was issued to a client."""
        family = provider.keys.digests(KIND, client_id)
        for artifact in provider.storage.select(Artifact, family=family):
            click.echo(json.dumps(artifact.payload))

    return [audit]
