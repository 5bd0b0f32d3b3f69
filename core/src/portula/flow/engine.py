"""Collects at start what plugins contribute to the protocol, and makes the backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from portula.flow.deliveries import Deliveries
from portula.flow.hooks import FlowHooks
from portula.flow.presentations import TokenPresentations
from portula.flow.response_modes import FRAGMENT, QUERY
from portula.flow.server import Server, formats_without_our_server
from portula.flow.validator import fold
from portula.host.core_settings import CoreSettings
from portula.host.profiles import PROFILE_MEMBER
from portula.model.client_metadata import ClientMember
from portula.model.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.backend import Backend


def build_engine(server: AuthorizationServer, choice: Mapping[str, str]) -> None:
    """Collect what plugins contribute to the protocol, and fold the validator; `choice` settles conflicts."""
    hooks = server.hooks
    server.step_lists = {}
    server.scope_texts = hooks.collect(FlowHooks.portula_scopes)
    modes = (QUERY, FRAGMENT, *hooks.collect(FlowHooks.portula_response_modes))
    server.response_modes = {mode.name: mode for mode in modes}
    server.answer_formats = hooks.collect(FlowHooks.portula_answer_formats)
    server.request_resolvers = hooks.collect(FlowHooks.portula_request_resolvers)
    server.client_sources = hooks.collect(FlowHooks.portula_client_sources)
    server.audiences = hooks.collect(FlowHooks.portula_audiences)
    server.token_presentations = TokenPresentations(
        hooks.collect(FlowHooks.portula_token_presentations),
        in_forms=lambda client: server.settings(CoreSettings, client).TOKENS_IN_FORMS,
    )
    server.descriptions = hooks.collect(FlowHooks.portula_authorization_descriptions)
    server.contents = hooks.collect(FlowHooks.portula_authorization_contents)
    mixins = [
        (source, mixin)
        for source, mixins in reversed(hooks.contributions(FlowHooks.portula_validator_mixins))
        for mixin in mixins
    ]
    validator = fold(hooks.ruling(FlowHooks.portula_validator_class).answer, mixins, choice)
    server.validator = validator(server)
    methods = {method.name: method for method in hooks.collect(FlowHooks.portula_client_auth_methods)}
    enabled = server.validator.enabled_client_auth_methods(methods)
    server.client_auth_methods = {name: methods[name] for name in enabled}
    types = hooks.collect(FlowHooks.portula_response_types)
    server.response_types = list(server.validator.enabled_response_types(types))
    kinds = hooks.collect(FlowHooks.portula_deliveries)
    server.deliveries = Deliveries(server, kinds, server.core_settings.DELIVERY_THREADS)
    members = hooks.collect(FlowHooks.portula_client_metadata)
    profiles = tuple(server.all_settings.profiles.known)
    own = [ClientMember(PROFILE_MEMBER, Literal[profiles])] if profiles else []
    server.client_members = {member.name: member for member in (*own, *members)}


def make_backend(server: AuthorizationServer) -> Backend:
    """Make what answers the protocol.

    Raises:
        ConfigError: the server class takes other arguments, or misses what a plugin needs.
    """
    try:
        make = server.hooks.ask(FlowHooks.portula_server_class)
        made = make(server.validator, **server.validator.server_arguments)
    except TypeError as error:
        raise ConfigError(f"EXTRA_SERVER_KWARGS: the server class does not take this: {error}") from error
    findings = [] if isinstance(made, Server) else formats_without_our_server(server.hooks)
    if findings:
        raise ConfigError(*findings)
    return server.hooks.ask(FlowHooks.portula_backend_class)(server, made, server.validator)
