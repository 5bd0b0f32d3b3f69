"""Which resources a request may name, and whom a token is for (RFC 8707 §2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from portula import hookimpl
from portula.errors import HookFailed, InvalidTargetError, StorageDown
from portula.plugin import Step, TokenExchange
from portula_resource_indicators.settings import ResourceIndicatorsSettings
from portula_resource_indicators.uris import as_registered, problem_of

if TYPE_CHECKING:
    from portula import Provider
    from portula.plugin import AuthorizationExchange, Exchange

MAX_RESOURCES = 20


def allowed_resources(exchange: Exchange, named: Sequence[str]) -> tuple[str, ...]:
    """Return the resources that a request names, each once, as they are registered.

    Raises:
        InvalidTargetError: one of them is no URI, the client may not name it, or it knows none of the scopes.
        HookFailed: the callable of RESOURCE_INDICATORS_POLICY fails.
        StorageDown: what that asks does not answer.
    """
    settings = exchange.provider.settings(ResourceIndicatorsSettings)
    if len(named) > MAX_RESOURCES:
        raise InvalidTargetError(description=f"A request names at most {MAX_RESOURCES} resources.")
    for uri in named:
        problem = problem_of(uri)
        if problem:
            raise InvalidTargetError(description=f"A resource {problem}.")
    registered, policy = settings.PROTECTED_RESOURCES, settings.RESOURCE_INDICATORS_POLICY
    resources = tuple(dict.fromkeys(as_registered(uri, registered) for uri in named))
    if policy == "registered" and not registered.keys() >= set(resources):
        raise InvalidTargetError(description="A resource is not known here.")
    if callable(policy) and _answer(policy, exchange, resources) is not True:
        raise InvalidTargetError(description="The client may not name these resources.")
    for uri in resources:
        known = registered[uri].scopes if uri in registered else None
        if known is not None and exchange.scope and not set(known) & set(exchange.scope):
            raise InvalidTargetError(description="A resource knows none of these scopes.")
    return resources


def _answer(policy: Callable[..., bool], exchange: Exchange, resources: Sequence[str]) -> bool:
    try:
        return policy(exchange.client, resources, exchange.scope)
    except StorageDown:
        raise
    except Exception as error:
        raise HookFailed(f"RESOURCE_INDICATORS_POLICY: the callable failed: {error}") from error


@hookimpl
def portula_validate_authorization_request(exchange: AuthorizationExchange) -> None:
    """Hold the authorization to the resources that the request names.

    Raises:
        InvalidTargetError: see `allowed`.
    """
    if exchange.provider.settings(ResourceIndicatorsSettings).is_on:
        exchange.resources = allowed_resources(
            exchange, [uri for name, uri in exchange.pairs if name == "resource"]
        )


def resources(exchange: TokenExchange) -> None:
    """Judge the resources that a token request names: of those granted, or, where nothing was, of those allowed.

    What is granted stays as it is; the token is for those that are named, else for all that are allowed still (RFC 8707
    §2.2).
    """
    if exchange.for_another_server:
        return
    named = allowed_resources(exchange, exchange.values("resource"))
    if exchange.authorization is not None and not set(named) <= set(exchange.resources):
        raise InvalidTargetError(description="A resource was not granted.")
    exchange.resources = named or _still_allowed(exchange)


def _still_allowed(exchange: TokenExchange) -> tuple[str, ...]:
    """Return the resources that were granted, without those that no client may name any more.

    Raises:
        InvalidTargetError: none is left, so that a token would be for nobody that the person was told of.
        HookFailed, StorageDown: see `allowed_resources`.
    """
    granted, settings = exchange.resources, exchange.provider.settings(ResourceIndicatorsSettings)
    policy, left = settings.RESOURCE_INDICATORS_POLICY, granted
    if policy == "registered":
        left = tuple(uri for uri in granted if uri in settings.PROTECTED_RESOURCES)
    elif callable(policy) and granted and _answer(policy, exchange, granted) is not True:
        left = ()
    if granted and not left:
        raise InvalidTargetError(description="The client may not name the resources any more.")
    return left


@hookimpl
def portula_steps(provider: Provider) -> list[Step]:
    """Return the step that judges resources, before an authorization is begun for them, and one for introspection."""
    if not provider.settings(ResourceIndicatorsSettings).is_on:
        return []
    reads = frozenset({"client", "scope"})
    told = frozenset({"response"})
    return [
        Step(endpoint="token", name="resources", run=resources, after="judge", reads=reads),
        Step(endpoint="introspect", name="narrow", run=narrow, after="facts", reads=told, optional=True),
    ]


@hookimpl
def portula_shape_token(exchange: Exchange) -> None:
    """Say whom the token is for, and leave out scopes that only other resources know (RFC 8707 §2.2)."""
    settings = exchange.provider.settings(ResourceIndicatorsSettings, exchange.client)
    issue = exchange.issue
    if issue is None or not settings.is_on or exchange.for_another_server:
        return
    default = settings.RESOURCE_INDICATORS_DEFAULT
    issue.audience = exchange.resources or ((default,) if default is not None else ())
    of_others = _scopes_of_others(settings, issue.audience)
    issue.scope = tuple(scope for scope in issue.scope if scope not in of_others)


def narrow(exchange: Any) -> None:
    """Tell a resource no scopes that only others know, of a token that is for several (RFC 9701 §5)."""
    settings, caller = exchange.provider.settings(ResourceIndicatorsSettings), exchange.client.client_id
    known = settings.PROTECTED_RESOURCES
    own = [uri for uri in exchange.response.get("aud", ()) if uri in known and known[uri].client_id == caller]
    of_others = _scopes_of_others(settings, own)
    if of_others and "scope" in exchange.response:
        scopes = [scope for scope in exchange.response["scope"].split() if scope not in of_others]
        exchange.response["scope"] = " ".join(scopes)


def _scopes_of_others(settings: ResourceIndicatorsSettings, uris: Sequence[str]) -> set[str]:
    """Return the scopes that only other resources than these know; none where one of these knows all."""
    registered = settings.PROTECTED_RESOURCES
    if not uris or any(uri not in registered or registered[uri].scopes is None for uri in uris):
        return set()
    known = {scope for uri in uris for scope in registered[uri].scopes or ()}
    return {scope for resource in registered.values() for scope in resource.scopes or ()} - known
