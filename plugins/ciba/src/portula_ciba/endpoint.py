"""The backchannel authentication endpoint (CIBA Core §7): its steps, in the order in which they run."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from portula import hookimpl
from portula.errors import (
    AccessDeniedError,
    AuthorizationRefused,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from portula.plugin import (
    BROWSER_PARAMETERS,
    HEAR_VETOES,
    JUDGE_SCOPE,
    Endpoint,
    Exchange,
    Quota,
    client_request_steps,
    json_answer,
    judge_grant_type,
    step,
)
from portula_ciba import request_object
from portula_ciba.attempts import ATTEMPT, attempt
from portula_ciba.errors import InvalidBindingMessage, InvalidUserCode, MissingUserCode, UnknownUserId
from portula_ciba.exchange import CibaExchange
from portula_ciba.hints import user_of
from portula_ciba.hooks import CibaHooks
from portula_ciba.registration import USER_CODE_PARAMETER, delivery_mode
from portula_ciba.requests import keep
from portula_ciba.settings import GRANT_TYPE, CibaSettings, is_on

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import Answer, User

PATH = "bc-authorize/"

OWN = frozenset(
    {
        *("login_hint", "login_hint_token", "id_token_hint", "binding_message", "user_code"),
        *("requested_expiry", "client_notification_token"),
    }
)
"""Parameters of this endpoint alone (§7.1)."""

NOTIFICATION_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
"""RFC 6750 §2.1, b64token."""
MAX_NOTIFICATION_TOKEN = 1024
MAX_BINDING_MESSAGE = 64
MAX_DIGITS = 10
MIN_SECONDS = 10
"""For which a request waits at least: in less nobody can decide."""


def parameters(exchange: CibaExchange) -> None:
    """Take the parameters, from a signed request if there is one; then nothing stands beside it (§7.1.1)."""
    token, client = exchange.parameter("request"), exchange.party
    if exchange.parameter("request_uri") is not None:
        raise InvalidRequestError(description="Send the parameters, or a signed request, and no reference.")
    pairs = exchange.parameters
    if token is not None:
        beside = {name for name, _ in pairs} - {"client_id", "request"}
        if beside:
            raise InvalidRequestError(description=f"{min(beside)} stands beside the signed request.")
        pairs = request_object.parameters_of(exchange, token)
    elif request_object.is_required(exchange.provider, client):
        raise InvalidRequestError(description="Sign the request (CIBA Core §7.1.1).")
    exchange.own = {name: value for name, value in pairs if name in OWN}
    exchange.take_parameters([pair for pair in pairs if pair[0] not in OWN | BROWSER_PARAMETERS])


def openid(exchange: CibaExchange) -> None:
    """Require the scope openid, as every authentication request has it (§7.1)."""
    if "openid" not in exchange.scope:
        raise InvalidScopeError(description="The scope openid is missing.")


def notification(exchange: CibaExchange) -> None:
    """Require what a client is told by, of one that wants to be told (§7.1)."""
    mode = delivery_mode(exchange.party)
    if mode not in exchange.provider.settings(CibaSettings).CIBA_DELIVERY_MODES:
        raise UnauthorizedClientError(description=f"Nobody is told by {mode} here any more.")
    if mode != "ping":
        return
    token = exchange.own.get("client_notification_token", "")
    if len(token) > MAX_NOTIFICATION_TOKEN or not NOTIFICATION_TOKEN.fullmatch(token):
        raise InvalidRequestError(description="client_notification_token is missing, or no bearer token.")


def expiry(exchange: CibaExchange) -> None:
    """Decide for how long the request waits (§7.1, requested_expiry)."""
    settings, text = exchange.provider.settings(CibaSettings), exchange.own.get("requested_expiry")
    exchange.seconds = settings.CIBA_REQUEST_EXPIRE_SECONDS
    if text is not None:
        if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS and int(text)):
            raise InvalidRequestError(description="requested_expiry is a positive number of seconds.")
        exchange.seconds = min(max(int(text), MIN_SECONDS), settings.CIBA_MAX_EXPIRE_SECONDS)


def binding_message(exchange: CibaExchange) -> None:
    """Let the message be one that the page can show as it was meant: no control or bidirectional character (§7.1)."""
    text = exchange.own.get("binding_message")
    if text is not None and not (len(text) <= MAX_BINDING_MESSAGE and text.isprintable() and text.strip()):
        raise InvalidBindingMessage(
            description=f"binding_message has at most {MAX_BINDING_MESSAGE} characters, all of them printable."
        )


def person(exchange: CibaExchange) -> None:
    """Find whom the hint names, for a client that has not been wrong too often (§7.2)."""
    provider = exchange.provider
    limit = provider.settings(CibaSettings).CIBA_UNKNOWN_USERS_PER_CLIENT
    wrong = Quota(provider, ATTEMPT, f"client\0{exchange.party.client_id}", limit)
    with attempt(provider, wrong, "Too many hints named nobody.") as judged:
        exchange.person = user_of(exchange)
        judged.wrong = exchange.person is None
    if exchange.person is None:
        raise UnknownUserId


def user_code(exchange: CibaExchange) -> None:
    """Compare the code that only the person knows, of a client that is registered to send it (§7.1.2)."""
    provider = exchange.provider
    verify = provider.hooks.ruling(CibaHooks.portula_ciba_user_code_verifier).answer
    if verify is None or not exchange.party.metadata.get(USER_CODE_PARAMETER):
        return
    code, user = exchange.own.get("user_code"), cast("User", exchange.person)
    if code is None:
        raise MissingUserCode
    limit = provider.settings(CibaSettings).CIBA_USER_CODE_ATTEMPTS
    wrong = Quota(provider, ATTEMPT, f"user\0{user.subject}", limit)
    with attempt(provider, wrong, "Too many user codes were wrong.") as judged:
        judged.wrong = not verify(user, code)
    if judged.wrong:
        raise InvalidUserCode


def write(exchange: CibaExchange) -> None:
    """Keep the request, and answer with what leads to its result (§7.3)."""
    auth_req_id = keep(exchange, cast("User", exchange.person))
    members = {
        "auth_req_id": auth_req_id,
        "expires_in": exchange.seconds,
        "interval": exchange.provider.settings(CibaSettings).CIBA_INTERVAL,
    }
    exchange.answer = json_answer(200, members)


def tell(exchange: CibaExchange) -> None:
    """Tell what is kept to whoever tells the person; one that fails is logged."""
    if exchange.requested is not None:
        exchange.provider.hooks.tell(CibaHooks.portula_ciba_requested, exchange.requested)


_STEPS = client_request_steps(
    "bc-authorize",
    judge_grant_type(GRANT_TYPE),
    step(parameters, reads="client", sets="pairs own"),
    JUDGE_SCOPE,
    step(openid, reads="scope"),
    step(notification, reads="own"),
    step(expiry, reads="own", sets="seconds"),
    step(binding_message, reads="own"),
    step(person, reads="own", sets="person"),
    step(user_code, reads="own person"),
    HEAR_VETOES,
    step(write, reads="pairs scope facts person", sets="answer requested"),
)


def refuse(exchange: Exchange, error: Exception) -> Answer | None:
    """Write a refusal as the token endpoint does; a denial has the status 403 (§13)."""
    refusal = error.error if isinstance(error, AuthorizationRefused) else error
    if isinstance(refusal, AccessDeniedError):
        refusal.status_code = 403
    return None if _STEPS.refuse is None else cast("Answer | None", _STEPS.refuse(exchange, error))


CIBA_STEPS = replace(
    _STEPS, steps=[*_STEPS.steps, step(tell, reads="requested")], begin=CibaExchange.of, refuse=refuse
)


@hookimpl
def portula_endpoints(provider: Provider) -> list[Endpoint]:
    """Return the endpoint; what it lacks (a backend) shows at start."""
    if not is_on(provider):
        return []
    _ = provider.backend
    return [Endpoint("bc-authorize", PATH, ("POST",), steps=CIBA_STEPS)]
