"""Backchannel authentication as `portula try` plays it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_ciba.endpoint import PATH
from portula_ciba.settings import GRANT_TYPE, is_on

if TYPE_CHECKING:
    from portula import Provider


def play_ciba(player: Any) -> None:
    """A till gets a token, while the person whom it names allows it on a device of their own."""
    player.shorten("auth_req_id")
    asked = player.post(
        "CIBA Core §7.1: the client asks for a person by name",
        "backchannel_authentication_endpoint",
        scope=" ".join(dict.fromkeys(["openid", *player.scope.split()])),
        login_hint=player.require("login_hint"),
        binding_message="W4SCT",
        resource=player.resource,
    )
    player.say("CIBA Core §8: the person is told; here, they look at the page of what waits for them")
    player.visit(player.metadata["backchannel_authentication_endpoint"].removesuffix(PATH) + "ciba/", qr=True)
    player.post(
        "CIBA Core §10.1: the client asks whether the person has answered",
        "token_endpoint",
        until={"authorization_pending": 0, "slow_down": 5},
        interval=str(asked.get("interval", 5)),
        grant_type=GRANT_TYPE,
        auth_req_id=asked["auth_req_id"],
    )


@hookimpl(optionalhook=True)
def portula_grant_trials(provider: Provider) -> dict[str, tuple[Sequence[str], Callable[[Any], Any]]]:
    """Return the grant."""
    return {"ciba": ((GRANT_TYPE, "refresh_token"), play_ciba)} if is_on(provider) else {}
