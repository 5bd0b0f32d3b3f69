"""Joins the lists of steps of all endpoints with the steps that plugins insert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from portula.flow.endpoints import Endpoint
from portula.flow.server import Server, contributed_steps
from portula.host.checks import Finding, Level
from portula.model.errors import ConfigError, DuplicateContribution, nearest
from portula.web.blueprints import Mount

if TYPE_CHECKING:
    from portula.flow.steps import Steps
    from portula.model.sources import PluginSource
    from portula.web.provider import Provider


def join_steps(
    provider: Provider, mounted: Sequence[tuple[PluginSource, Endpoint | Mount]]
) -> dict[str, Steps[Any]]:
    """Return the lists of steps of all endpoints by name, without those that a server class of oauthlib's own replaces.

    Raises:
        ConfigError: steps do not fit, or guard where none run; two endpoints have lists of one name.
    """
    inserted, lists = contributed_steps(provider.hooks), dict[str, "Steps[Any]"]()
    findings: list[str] = []
    for source, declared in [(source, each) for source, mount in mounted for each in _lists(mount)]:
        if declared.endpoint in lists:
            raise DuplicateContribution(
                f"{source}: there is a list of steps {declared.endpoint!r}; block one"
            )
        if declared.by_server and not isinstance(provider.backend.server, Server):
            findings += [
                f"OAUTH2_SERVER_CLASS: it runs no steps, and {each.name!r} of {each.source} guards"
                for each in inserted
                if each.guards and each.endpoint == declared.endpoint
            ]
            continue
        try:
            lists[declared.endpoint] = declared.with_steps(inserted, None if declared.by_server else source)
        except ConfigError as error:
            findings += error.findings
    if findings:
        raise ConfigError(*findings)
    return lists


def idle_steps(provider: Provider) -> Iterator[Finding]:
    """Find steps that plugins insert into no list that runs here."""
    for step in contributed_steps(provider.hooks):
        if step.endpoint not in provider.step_lists and not step.optional:
            yield Finding(
                "core.idle-step",
                Level.WARNING,
                f"The step {step.name!r} of {step.source} never runs: no endpoint here has steps of the name "
                f"{step.endpoint!r}{nearest(step.endpoint, provider.step_lists) or '.'}",
                "Install the plugin that brings the endpoint, switch it on, or block the one that brings the step.",
            )


def with_handler(provider: Provider, endpoint: Endpoint) -> Endpoint:
    """Return an endpoint with what answers it: its handler, or its steps.

    Raises:
        ConfigError: it has neither, or its steps do not say how their exchange begins.
    """
    if endpoint.handler is not None:
        return endpoint
    if endpoint.steps is None or endpoint.steps.begin is None:
        raise ConfigError(
            f"portula_endpoints: {endpoint.name!r} has neither a handler nor steps with `begin`"
        )
    return replace(endpoint, handler=partial(provider.steps(endpoint.steps).handle, provider))


def _lists(mounted: Endpoint | Mount) -> Sequence[Steps[Any]]:
    if isinstance(mounted, Mount):
        return mounted.steps
    return () if mounted.steps is None else (mounted.steps,)
