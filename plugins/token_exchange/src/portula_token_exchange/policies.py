"""Asks the policy, and judges the names in `audience` (RFC 8693 §2.1, §2.2.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from portula.errors import HookFailed, InvalidRequestError, InvalidTargetError, OAuth2Error, StorageDown
from portula.plugin import Application, uri_scheme
from portula_token_exchange.hooks import ExchangeRequest, TokenExchangeHooks, TokenExchangePolicy

if TYPE_CHECKING:
    from portula.plugin import AuthorizationServer, TokenExchange

MAX_TARGETS = 20


def policy_of(provider: AuthorizationServer) -> TokenExchangePolicy | None:
    """Return the policy; None where nobody brings one, and nothing is exchanged."""
    return provider.hooks.ruling(TokenExchangeHooks.portula_token_exchange_policy).answer


def impersonates(request: ExchangeRequest) -> bool:
    """Ask the policy; return whether the new token names nobody but the subject.

    Raises:
        InvalidRequestError: the policy allows neither; it may raise an OAuth2Error that says more.
        StorageDown: it says that it cannot be asked now.
        HookFailed: it fails.
    """
    policy = policy_of(request.provider) or TokenExchangePolicy()
    if request.actor is None and _allows(policy.may_impersonate, request):
        return True
    if not _allows(policy.may_delegate, request):
        raise InvalidRequestError(description="The exchange is not allowed.")
    return False


def require_assertion(request: ExchangeRequest) -> None:
    """Ask the policy whether the client may have a token for another server; see `impersonates`."""
    policy = policy_of(request.provider) or TokenExchangePolicy()
    if not _allows(policy.may_assert, request):
        raise InvalidRequestError(description="The exchange is not allowed.")


def _allows(ask: Callable[..., bool], *asked: object) -> bool:
    try:
        return ask(*asked) is True
    except (OAuth2Error, StorageDown):
        raise
    except Exception as error:
        raise HookFailed(f"the policy of token exchange failed: {type(error).__name__}") from error


def known_audiences(exchange: TokenExchange) -> tuple[str, ...]:
    """Return what `audience` names: clients, names of theirs, and what the policy knows.

    Any other URI goes on as a `resource`, which whoever knows resources judges.

    Raises:
        InvalidTargetError: there are too many, or one is nothing of all that.
        HookFailed: the policy fails.
    """
    provider, client = exchange.provider, cast("Application", exchange.client)
    named = exchange.values("audience")
    if len(named) > MAX_TARGETS:
        raise InvalidTargetError(description=f"A request names at most {MAX_TARGETS} audiences.")
    names = {name for owned in provider.audiences.values() for name in owned}
    policy = policy_of(provider) or TokenExchangePolicy()
    known = tuple(
        name
        for name in dict.fromkeys(named)
        if name in names or _is_client(provider, name) or _allows(policy.knows_audience, client, name)
    )
    others = [name for name in named if name not in known]
    if not all(map(uri_scheme, others)):
        raise InvalidTargetError(description="An audience is not known here.")
    exchange.add_values("resource", others)
    return known


def _is_client(provider: AuthorizationServer, name: str) -> bool:
    """Say whether a name is a client's; no other server is asked (attack S54)."""
    client = provider.clients.find_all([name]).get(name) if name.isprintable() else None
    return client is not None and client.is_usable(None)
