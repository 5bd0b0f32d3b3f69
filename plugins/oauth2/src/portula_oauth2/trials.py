"""The grants of OAuth 2.0 as `portula try` plays them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from portula import hookimpl

if TYPE_CHECKING:
    from portula import Provider

CODE, REFRESH, CREDENTIALS = "authorization_code", "refresh_token", "client_credentials"


def play_code(player: Any) -> dict[str, Any]:
    """A person allows an app in the browser, and the app gets a token."""
    answer = player.browse("RFC 6749 §4.1.1, RFC 7636 §4.3: the browser brings the request, with a challenge")
    tokens: dict[str, Any] = player.post(
        "RFC 6749 §4.1.3, RFC 7636 §4.5: the code becomes a token, with the verifier",
        "token_endpoint",
        grant_type=CODE,
        code=answer["code"],
        redirect_uri=answer["redirect_uri"],
        code_verifier=answer["code_verifier"],
        resource=player.resource,
    )
    if "openid" in tokens.get("scope", "").split() and "userinfo_endpoint" in player.metadata:
        title = "OpenID Connect Core §5.3: the app asks who the person is"
        player.get(title, player.metadata["userinfo_endpoint"], tokens["access_token"])
    return tokens


def play_refresh(player: Any) -> None:
    """An app gets a new token without the person, and the old refresh token counts no more."""
    tokens = play_code(player)
    if "refresh_token" not in tokens:
        player.say("No refresh token was issued: ask for one with --scope, e.g. offline_access.")
        return
    title = "RFC 6749 §6: the refresh token becomes a new token"
    player.post(title, "token_endpoint", grant_type=REFRESH, refresh_token=tokens["refresh_token"])


def play_credentials(player: Any) -> None:
    """A program gets a token for itself; nobody sits at it."""
    title = "RFC 6749 §4.4.2: the client proves who it is"
    asked = {"scope": player.scope, "resource": player.resource}
    player.post(title, "token_endpoint", grant_type=CREDENTIALS, **asked)


@hookimpl(optionalhook=True)
def portula_grant_trials(provider: Provider) -> dict[str, tuple[Sequence[str], Callable[[Any], Any]]]:
    """Return code, refresh and client credentials."""
    return {
        CODE: ((CODE, REFRESH), play_code),
        CREDENTIALS: ((CREDENTIALS,), play_credentials),
        REFRESH: ((CODE, REFRESH), play_refresh),
    }
