"""The JWT bearer grant as `portula try` plays it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula_jwt_bearer.grant import GRANT_TYPE
from portula_jwt_bearer.settings import JwtBearerSettings

if TYPE_CHECKING:
    from portula import Provider


def play_assertion(player: Any) -> None:
    """A workload redeems what its own issuer signed for it (--set assertion=…)."""
    player.shorten("assertion")
    title = "RFC 7523 §2.1: an assertion of a trusted issuer becomes a token"
    asked = {"assertion": player.require("assertion"), "scope": player.scope, "resource": player.resource}
    player.post(title, "token_endpoint", grant_type=GRANT_TYPE, **asked)


@hookimpl(optionalhook=True)
def portula_grant_trials(provider: Provider) -> dict[str, tuple[Sequence[str], Callable[[Any], Any]]]:
    """Return assertions, where they are taken."""
    enabled = provider.settings(JwtBearerSettings).JWT_BEARER_GRANT_ENABLED
    return {"jwt_bearer": ((GRANT_TYPE,), play_assertion)} if enabled else {}
