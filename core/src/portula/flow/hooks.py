"""The hooks of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic

from portula.flow.backend import Backend
from portula.flow.delivery_hooks import DeliveryHooks
from portula.flow.event_hooks import EventHooks
from portula.flow.grant_hooks import GrantHooks
from portula.flow.request_hooks import RequestHooks
from portula.flow.service_hooks import ServiceHooks
from portula.flow.validator import OAuth2Validator
from portula.host.declarations import P
from portula.host.kinds import HookClass, HookDeclarations, contribution, slot


class EngineHooks(HookDeclarations, Generic[P]):
    """Hooks of the classes that answer requests."""

    @slot(HookClass.DECIDES, setting="OAUTH2_VALIDATOR_CLASS")
    def portula_validator_class(self, provider: P) -> type[OAuth2Validator] | None:
        """Answer the slot of the validator class (OAUTH2_VALIDATOR_CLASS); it overrides single questions.

        Example:
            class Strict(OAuth2Validator):
                def rotate_refresh_token(self, request):
                    return True

            class Room(Plugin):
                def portula_validator_class(self, provider):
                    return Strict
        """
        return None

    @contribution(HookClass.DECIDES)
    def portula_validator_mixins(self, provider: P) -> Sequence[type[OAuth2Validator]]:
        """Contribute answers to questions of oauthlib's RequestValidator, folded into one class at start.

        Example:
            class Resource(OAuth2Validator):
                def get_default_scopes(self, client_id, request):
                    return ["read"]

            class Room(Plugin):
                def portula_validator_mixins(self, provider):
                    return [Resource]
        """
        return ()

    @slot(HookClass.DECIDES, setting="OAUTH2_SERVER_CLASS", install="portula-oauth2")
    def portula_server_class(self, provider: P) -> Callable[..., Any] | None:
        """Answer the slot of the server class (OAUTH2_SERVER_CLASS), called as oauthlib's Server is.

        Example:
            class Room(Plugin):
                def portula_server_class(self, provider):
                    return oauthlib.oauth2.Server
        """
        return None

    @slot(HookClass.DECIDES, setting="OAUTH2_BACKEND_CLASS", install="portula-oauth2")
    def portula_backend_class(self, provider: P) -> type[Backend] | None:
        """Answer the slot of the backend class (OAUTH2_BACKEND_CLASS), between HTTP messages and the server.

        Example:
            class Room(Plugin):
                def portula_backend_class(self, provider):
                    return Backend
        """
        return None


class FlowHooks(EngineHooks[P], GrantHooks[P], ServiceHooks[P], DeliveryHooks[P], RequestHooks, EventHooks):
    """Hooks that answering requests of the protocol calls."""
