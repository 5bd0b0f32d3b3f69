"""Identity assertions as `portula try` plays them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_id_jag.issuing import ID_TOKEN, TOKEN_TYPE
from portula_id_jag.settings import IdJagSettings

if TYPE_CHECKING:
    from portula import Provider

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"


def play_assertion(player: Any) -> None:
    """An app gets an assertion for another server (--set id_token=…, --set audience=…)."""
    player.shorten("subject_token")
    player.post(
        "ID-JAG draft §4.3: an ID token becomes an assertion, which the server of `audience` takes as a grant",
        "token_endpoint",
        grant_type=GRANT_TYPE,
        requested_token_type=TOKEN_TYPE,
        subject_token=player.require("id_token"),
        subject_token_type=ID_TOKEN,
        audience=player.require("audience"),
        scope=player.scope,
        resource=player.resource,
    )


@hookimpl(optionalhook=True)
def portula_grant_trials(provider: Provider) -> dict[str, tuple[Sequence[str], Callable[[Any], Any]]]:
    """Return the exchange, where the settings name somebody whom assertions are for."""
    named = provider.settings(IdJagSettings).ID_JAG_AUDIENCES
    return {"id_jag": ((GRANT_TYPE,), play_assertion)} if named else {}
