"""A plugin whose implementations are typed as its author would type them; only type checkers read this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, assert_type

from typing_extensions import override

from portula import Plugin, Provider
from portula.errors import InvalidClientMetadata
from portula.plugin import (
    Answer,
    Application,
    ClientRegistration,
    Clock,
    Demands,
    Endpoint,
    Exchange,
    HashGenerator,
    HookClass,
    HookDeclarations,
    Hooks,
    Interaction,
    IntrospectionResponse,
    Login,
    Message,
    RecordType,
    ScopesBackend,
    Sessions,
    TokenExchange,
    TokenIssued,
    TokenResponse,
    json_answer,
    slot,
)


class Ids(HashGenerator):
    """Makes identifiers."""

    def hash(self) -> str:
        """Return an identifier."""
        return "id"


class KettleHooks(HookDeclarations):
    """Hooks of a third party."""

    @slot(HookClass.OBSERVES)
    def portula_kettle(self, provider: Provider) -> Ids | None:
        """Answer the slot of the kettle."""


class Shop(Plugin, KettleHooks):
    """One hook of each kind."""

    @override
    def portula_client_id_generator(self, provider: Provider) -> HashGenerator:
        """Answer a slot."""
        assert_type(provider, Provider)
        return Ids()

    @override
    def portula_kettle(self, provider: Provider) -> Ids:
        """Answer a slot of a third party."""
        return Ids()

    @override
    def portula_endpoints(self, provider: Provider) -> Sequence[Endpoint]:
        """Contribute."""
        return [Endpoint("tea", "tea/", ("GET",), self.answer, cors="open")]

    @override
    def portula_validate_token_request(self, exchange: Exchange) -> None:
        """Deny."""
        assert_type(exchange.request.client, Application | None)
        assert_type(exchange.request.scopes, list[str] | None)

    @override
    def portula_validate_client_registration(self, registration: ClientRegistration) -> None:
        """Deny."""
        if not registration.application.name:
            raise InvalidClientMetadata("a client needs a name")

    @override
    def portula_introspection_response(self, answer: IntrospectionResponse) -> Mapping[str, Any]:
        """Add."""
        return {"tenant": answer.token.subject}

    @override
    def portula_token_issued(self, event: TokenIssued) -> None:
        """Hear."""
        assert_type(event.scopes, tuple[str, ...])
        assert_type(event.client_id, str)
        assert_type(event.subject, str | None)

    def answer(self, message: Message) -> Answer:
        """Answer the endpoint."""
        return json_answer(418, {"for": message.query})


class Wrong(Plugin):
    """What type checkers see."""

    @override
    def portula_validate_token_requests(self, exchange: TokenExchange) -> None:  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
        """Misspell the hook."""

    @override
    def portula_token_issued(self, event: TokenResponse) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take another value."""

    @override
    def portula_validate_token_request(self, exchange: TokenExchange) -> bool:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Answer where nothing is answered."""
        return True

    @override
    def portula_login(self, provider: Provider) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Answer something else."""
        return "no login"


def calls(hooks: Hooks, interaction: Interaction, response: TokenResponse, issued: TokenIssued) -> None:
    """What a call returns is typed, slot by slot and hook by hook."""
    assert_type(hooks.ruling(Plugin.portula_clock).answer, Clock | None)
    assert_type(hooks.ask(Plugin.portula_client_id_generator), HashGenerator)
    assert_type(hooks.ask(Plugin.portula_scopes_backend), ScopesBackend)
    assert_type(hooks.ask(Plugin.portula_login), Login)
    assert_type(hooks.ask(Plugin.portula_sessions), Sessions)
    assert_type(hooks.ask(KettleHooks.portula_kettle), Ids)
    assert_type(hooks.collect(Plugin.portula_records), list[RecordType])
    assert_type(hooks.collect(Plugin.portula_endpoints), list[Endpoint])
    assert_type(hooks.collect(Plugin.portula_scopes), dict[str, str])
    assert_type(hooks.require(Plugin.portula_interaction_demands, interaction), Demands)
    assert_type(hooks.enrich(Plugin.portula_token_response, response), dict[str, Any])
    assert_type(hooks.record(Plugin.portula_record_token, issued), list[object])
    hooks.tell(Plugin.portula_token_issued, issued)
    hooks.tell(Plugin.portula_token_issued, response)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    hooks.tell(Plugin.portula_token_issued)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


Provider(plugins=[Shop(), Shop], discover=False, settings={"PROVIDER_NAME": "Shop"}, name="shop")
Provider(discover="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
