"""The demo client of `portula serve --demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portula import hookimpl
from portula.records import Application

if TYPE_CHECKING:
    from portula import Provider

DEMO_CLIENT_ID = "demo"
DEMO_REDIRECT_URI = "http://127.0.0.1:8765/callback"
"""Where a client on the same machine may listen; the code is readable in the address bar when none does."""


@hookimpl
def portula_demo(provider: Provider) -> dict[str, str]:
    """Make the demo client anew, with a secret that is seen once."""
    provider.storage.remove(Application, client_id=DEMO_CLIENT_ID)
    client, secret = provider.clients.create(
        Application(
            client_id=DEMO_CLIENT_ID,
            name="Demo app",
            grant_types=("authorization_code", "client_credentials"),
            redirect_uris=(DEMO_REDIRECT_URI,),
        )
    )
    return {
        "Demo client_id": client.client_id,
        "Demo client_secret": str(secret),
        "Demo redirect URI": DEMO_REDIRECT_URI,
    }
