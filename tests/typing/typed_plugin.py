"""A plugin whose implementations are typed as its author would type them; only type checkers read this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, assert_type

from portula import Provider, hookimpl
from portula.errors import InvalidClientMetadata
from portula.plugin import (
    AccessToken,
    Answer,
    Application,
    Clock,
    Endpoint,
    HashGenerator,
    Hooks,
    Login,
    Message,
    OAuthRequest,
    RecordType,
    ScopesBackend,
    Sessions,
    TokenIssued,
    json_answer,
)


class Ids:
    """Fits the protocol without naming it."""

    def hash(self) -> str:
        """Return an identifier."""
        return "id"


class Shop:
    """One hook of each kind."""

    @hookimpl
    def portula_client_id_generator(self, provider: Provider) -> HashGenerator:
        """Answer a slot."""
        assert_type(provider, Provider)
        return Ids()

    @hookimpl
    def portula_endpoints(self, provider: Provider) -> Sequence[Endpoint]:
        """Contribute."""
        return [Endpoint("tea", "tea/", ("GET",), self.answer, cors="open")]

    @hookimpl
    def portula_validate_token_request(self, request: OAuthRequest) -> None:
        """Deny."""
        assert_type(request.client, Application | None)
        assert_type(request.scopes, list[str] | None)

    @hookimpl
    def portula_validate_client_registration(self, application: Application) -> None:
        """Deny."""
        if not application.name:
            raise InvalidClientMetadata("a client needs a name")

    @hookimpl
    def portula_introspection_response(
        self, token: AccessToken, response: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Add."""
        return {"tenant": token.subject}

    @hookimpl
    def portula_token_issued(self, event: TokenIssued) -> None:
        """Hear."""
        assert_type(event.scopes, tuple[str, ...])

    def answer(self, message: Message) -> Answer:
        """Answer the endpoint."""
        return json_answer(418, {"for": message.query})


def facade(hooks: Hooks, request: OAuthRequest) -> None:
    """What the façade returns is typed, slot by slot and hook by hook."""
    assert_type(hooks.clock, Clock | None)
    assert_type(hooks.client_id_generator, HashGenerator)
    assert_type(hooks.scopes_backend, ScopesBackend)
    assert_type(hooks.login, Login)
    assert_type(hooks.sessions, Sessions)
    assert_type(hooks.records(), list[RecordType])
    assert_type(hooks.endpoints(), list[Endpoint])
    assert_type(hooks.scopes(), dict[str, str])
    assert_type(hooks.token_response(request, {}), dict[str, Any])


Provider(plugins=[Shop(), Shop], discover=False, settings={"PROVIDER_NAME": "Shop"}, name="shop")
Provider(discover="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
