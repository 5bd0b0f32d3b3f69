"""Clients whose client_id is the URL of their metadata; the documents lie in a folder in place of the web."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from portula import hookimpl
from portula.plugin import Application, ClientSource

if TYPE_CHECKING:
    from portula import Provider


class SpikeSettings(BaseModel):
    """Where the documents lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    CIMD_FOLDER: str = "documents"


@hookimpl
def portula_settings(provider: Provider) -> Sequence[type[SpikeSettings]]:
    return [SpikeSettings]


@hookimpl
def portula_client_sources(provider: Provider) -> Sequence[ClientSource]:
    def claims(client_id: str) -> bool:
        return client_id.startswith("https://")

    def find(client_id: str) -> Application | None:
        folder = Path(provider.app.instance_path, provider.settings(SpikeSettings).CIMD_FOLDER)
        try:
            document = json.loads((folder / f"{urlsplit(client_id).hostname}.json").read_text())
        except (OSError, ValueError):
            return None
        if document.get("client_id") != client_id:
            return None
        return Application(
            client_id=client_id,
            client_type="public",
            name=document["client_name"],
            redirect_uris=tuple(document["redirect_uris"]),
            grant_types=("authorization_code",),
        )

    return [ClientSource(name="documents", claims=claims, find=find)]
