"""Hooks called once, at start, in the order they fire: slots and contributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

from portula.host.markers import hookspec

if TYPE_CHECKING:
    from pydantic import BaseModel

    from portula.flow.backend import Backend
    from portula.flow.client_auth import ClientAuthMethod
    from portula.flow.grants import GrantFactory, ResponseTypeFactory
    from portula.flow.request_resolvers import RequestResolver
    from portula.flow.steps import Step
    from portula.flow.validator import OAuth2Validator
    from portula.model import slots
    from portula.model.client_metadata import ClientMember
    from portula.model.records import RecordType
    from portula.model.storage import StoreFactory
    from portula.web.provider import Provider


@hookspec
def portula_addhooks(pm: pluggy.PluginManager) -> None:
    """Add hook specifications of a room's own.

    Example:
        class Room:
            @hookimpl
            def portula_addhooks(self, pm):
                pm.add_hookspecs(MyHookspecs)
    """


@hookspec
def portula_settings() -> Sequence[type[BaseModel]]:
    """Contribute pydantic models; their fields are settings in OAUTH2_PROVIDER.

    Example:
        class Greetings(BaseModel):
            GREETING: str = "hello"

        class Room:
            @hookimpl
            def portula_settings(self):
                return [Greetings]
    """


@hookspec
def portula_clock(provider: Provider) -> slots.Clock | None:
    """Answer the slot of the clock: a callable that returns Unix seconds.

    Example:
        class Stopped:
            @hookimpl
            def portula_clock(self, provider):
                return lambda: 1_700_000_000.0
    """


@hookspec
def portula_records(provider: Provider) -> Sequence[RecordType]:
    """Contribute record types; every storage makes a place for them.

    Example:
        @dataclass(frozen=True)
        class Note:
            key: str
            text: str

        class Notes:
            @hookimpl
            def portula_records(self, provider):
                return [RecordType("note", Note, keys=("key",))]
    """


@hookspec
def portula_stores(provider: Provider) -> Mapping[str, StoreFactory]:
    """Contribute storages by the name that the STORAGE setting knows them by.

    Example:
        class Memory:
            @hookimpl
            def portula_stores(self, provider):
                return {"memory": MemoryStore}
    """


@hookspec
def portula_scopes(provider: Provider) -> Mapping[str, str]:
    """Contribute scopes valid with any scopes backend and never part of `__all__`, with their consent text.

    Example:
        class Offline:
            @hookimpl
            def portula_scopes(self, provider):
                return {"offline_access": "Keep access while you are away"}
    """


@hookspec
def portula_scopes_backend(provider: Provider) -> slots.ScopesBackend | None:
    """Answer the slot of the scopes backend (SCOPES_BACKEND_CLASS).

    Example:
        class Scopes:
            def get_all_scopes(self):
                return {"tea": "Make tea"}

            def get_available_scopes(self, application=None, request=None):
                return ["tea"]

            def get_default_scopes(self, application=None, request=None):
                return ["tea"]

        class Room:
            @hookimpl
            def portula_scopes_backend(self, provider):
                return Scopes()
    """


@hookspec
def portula_client_id_generator(provider: Provider) -> slots.HashGenerator | None:
    """Answer the slot of the client identifier generator (CLIENT_ID_GENERATOR_CLASS).

    Example:
        class Generator:
            def hash(self):
                return "client-" + secrets.token_hex(16)

        class Room:
            @hookimpl
            def portula_client_id_generator(self, provider):
                return Generator()
    """


@hookspec
def portula_client_secret_generator(provider: Provider) -> slots.HashGenerator | None:
    """Answer the slot of the client secret generator (CLIENT_SECRET_GENERATOR_CLASS).

    Example:
        class Generator:
            def hash(self):
                return secrets.token_urlsafe(64)

        class Room:
            @hookimpl
            def portula_client_secret_generator(self, provider):
                return Generator()
    """


@hookspec
def portula_access_token_generator(provider: Provider) -> slots.TokenGenerator | None:
    """Answer the slot of the access token generator (ACCESS_TOKEN_GENERATOR).

    Example:
        class Room:
            @hookimpl
            def portula_access_token_generator(self, provider):
                return lambda request: "at_" + secrets.token_urlsafe(32)
    """


@hookspec
def portula_refresh_token_generator(provider: Provider) -> slots.TokenGenerator | None:
    """Answer the slot of the refresh token generator (REFRESH_TOKEN_GENERATOR).

    Example:
        class Room:
            @hookimpl
            def portula_refresh_token_generator(self, provider):
                return lambda request: "rt_" + secrets.token_urlsafe(32)
    """


@hookspec
def portula_secret_hasher(provider: Provider) -> slots.SecretHasher | None:
    """Answer the slot of the secret hasher: how client secrets and passwords are kept.

    Example:
        class Room:
            def __init__(self, hasher):
                self.hasher = hasher

            @hookimpl
            def portula_secret_hasher(self, provider):
                return self.hasher
    """


@hookspec
def portula_validator_class(provider: Provider) -> type[OAuth2Validator] | None:
    """Answer the slot of the validator class (OAUTH2_VALIDATOR_CLASS); it overrides single questions.

    Example:
        class Strict(OAuth2Validator):
            def rotate_refresh_token(self, request):
                return True

        class Room:
            @hookimpl
            def portula_validator_class(self, provider):
                return Strict
    """


@hookspec
def portula_validator_mixins(provider: Provider) -> Sequence[type[OAuth2Validator]]:
    """Contribute answers to questions of oauthlib's RequestValidator, folded into one class at start.

    Example:
        class Resource(OAuth2Validator):
            def get_default_scopes(self, client_id, request):
                return ["read"]

        class Room:
            @hookimpl
            def portula_validator_mixins(self, provider):
                return [Resource]
    """


@hookspec
def portula_client_auth_methods(provider: Provider) -> Sequence[ClientAuthMethod]:
    """Contribute ways for a client to authenticate, by their registered names (RFC 7591 §2).

    Example:
        class Room:
            def __init__(self, method):
                self.method = method

            @hookimpl
            def portula_client_auth_methods(self, provider):
                return [self.method]
    """


@hookspec
def portula_client_metadata(provider: Provider) -> Sequence[ClientMember]:
    """Contribute members of client metadata (RFC 7591 §2) that clients may be registered with.

    Example:
        class Room:
            @hookimpl
            def portula_client_metadata(self, provider):
                return [ClientMember("tea_preference", str)]
    """


@hookspec
def portula_request_resolvers(provider: Provider) -> Sequence[RequestResolver]:
    """Contribute ways for an authorization request to carry or name its parameters elsewhere.

    Example:
        class Room:
            @hookimpl
            def portula_request_resolvers(self, provider):
                presented = lambda asked: "ticket" in asked
                return [RequestResolver("ticket", presented, lambda client, pairs, issuer: pairs)]
    """


@hookspec
def portula_grant_types(provider: Provider) -> Mapping[str, GrantFactory]:
    """Contribute grant types by their exact name on the wire.

    Example:
        class TeaGrant(ExtensionGrant):
            def check(self, request):
                if request.scope != "tea":
                    raise InvalidGrantError

        class Room:
            @hookimpl
            def portula_grant_types(self, provider):
                return {"urn:example:tea": TeaGrant}
    """


@hookspec
def portula_response_types(provider: Provider) -> Mapping[str, ResponseTypeFactory]:
    """Contribute response types; the words of a name are in alphabetical order.

    Example:
        class Room:
            @hookimpl
            def portula_response_types(self, provider):
                return {"code": ResponseType}
    """


@hookspec
def portula_steps(provider: Provider) -> Sequence[Step]:
    """Contribute steps to the lists of endpoints: `authorize`, `authorize (answer)`, `token`, `revoke_token`.

    Example:
        def no_tea(exchange):
            if exchange.parameter("tea") is not None:
                raise InvalidRequestError(description="No tea.")

        class Room:
            @hookimpl
            def portula_steps(self, provider):
                return [Step(endpoint="token", name="no_tea", run=no_tea, after="client")]
    """


@hookspec
def portula_server_class(provider: Provider) -> Callable[..., Any] | None:
    """Answer the slot of the server class (OAUTH2_SERVER_CLASS), called as oauthlib's Server is.

    Example:
        class Room:
            @hookimpl
            def portula_server_class(self, provider):
                return oauthlib.oauth2.Server
    """


@hookspec
def portula_backend_class(provider: Provider) -> type[Backend] | None:
    """Answer the slot of the backend class (OAUTH2_BACKEND_CLASS), between HTTP messages and the server.

    Example:
        class Room:
            @hookimpl
            def portula_backend_class(self, provider):
                return Backend
    """
