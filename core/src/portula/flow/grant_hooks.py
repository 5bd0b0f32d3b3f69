"""The hooks of what may be asked for and how: scopes, grant and response types, client authentication."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic

from portula.flow.answer_formats import AnswerFormat
from portula.flow.client_auth import ClientAuthMethod
from portula.flow.client_sources import ClientSource
from portula.flow.contents import AuthorizationContent
from portula.flow.descriptions import Describe
from portula.flow.exchange import Exchange
from portula.flow.grants import GrantFactory, ResponseTypeFactory
from portula.flow.presentations import BEARER, TokenPresentation
from portula.flow.request_resolvers import RequestResolver
from portula.flow.response_modes import ResponseMode
from portula.flow.steps import Step
from portula.host.declarations import P
from portula.host.kinds import HookClass, HookDeclarations, contribution, slot
from portula.host.profiles import PROFILE_MEMBER
from portula.model.client_metadata import ClientMember
from portula.model.slots import ScopesBackend, TokenGenerator

TokenFormat = Callable[[Exchange], str]
"""Takes the exchange, whose issue is shaped; returns the value of the access token."""


class GrantHooks(HookDeclarations, Generic[P]):
    """Hooks of what the protocol offers."""

    @contribution(HookClass.DECIDES)
    def portula_scopes(self, provider: P) -> Mapping[str, str]:
        """Contribute scopes valid with any scopes backend and never part of `__all__`, with their consent text.

        Example:
            class Offline(Plugin):
                def portula_scopes(self, provider):
                    return {"offline_access": "Keep access while you are away"}
        """
        return {}

    @contribution(HookClass.DECIDES, keys=lambda scope: [scope])
    def portula_privileged_scopes(self, provider: P) -> Sequence[str]:
        """Contribute names of scopes that only operators give: software that registers itself never gets them.

        Example:
            class Room(Plugin):
                def portula_privileged_scopes(self, provider):
                    return ["pour_for_others"]
        """
        return ()

    @contribution(HookClass.DECIDES)
    def portula_audiences(self, provider: P) -> Mapping[str, Sequence[str]]:
        """Contribute names, besides its client_id, by which tokens are for a client, such as a resource server.

        Who asks about a token that is for somebody is told of it only when it is for them (RFC 7662 §4).

        Example:
            class Room(Plugin):
                def portula_audiences(self, provider):
                    return {"kettle": ["https://kettle.example/"]}
        """
        return {}

    @contribution(HookClass.SEES_SECRETS)
    def portula_authorization_descriptions(self, provider: P) -> Mapping[str, Describe]:
        """Contribute what people read of authorizations and access tokens besides scopes, by the name of the room.

        Example:
            class Room(Plugin):
                def portula_authorization_descriptions(self, provider):
                    def describe(record):
                        facts = record.facts if isinstance(record, Authorization) else record.payload
                        return [ConsentItem(title=f"Pour {facts['tea']}")] if "tea" in facts else []

                    return {"tea": describe}
        """
        return {}

    @contribution(HookClass.SEES_SECRETS)
    def portula_authorization_contents(self, provider: P) -> Mapping[str, AuthorizationContent]:
        """Contribute how two decisions of a person about one grant become one, by the name under which facts stand.

        Example:
            class Room(Plugin):
                def portula_authorization_contents(self, provider):
                    def join(former, later):
                        return {"tea": sorted({*former["tea"], *later["tea"]})}

                    return {
                        "tea": AuthorizationContent(
                            join=join, members=lambda given: {"tea": given.facts.get("tea", {}).get("tea", [])}
                        )
                    }
        """
        return {}

    @slot(HookClass.DECIDES, setting="SCOPES_BACKEND_CLASS", install="portula-scopes-settings")
    def portula_scopes_backend(self, provider: P) -> ScopesBackend | None:
        """Answer the slot of the scopes backend (SCOPES_BACKEND_CLASS).

        Example:
            class Scopes(ScopesBackend):
                def get_all_scopes(self):
                    return {"tea": "Make tea"}

                def get_available_scopes(self, application=None, request=None):
                    return ["tea"]

                def get_default_scopes(self, application=None, request=None):
                    return ["tea"]

            class Room(Plugin):
                def portula_scopes_backend(self, provider):
                    return Scopes()
        """
        return None

    @slot(HookClass.SEES_SECRETS, setting="ACCESS_TOKEN_GENERATOR", install="portula-generators")
    def portula_access_token_generator(self, provider: P) -> TokenGenerator | None:
        """Answer the slot of the access token generator (ACCESS_TOKEN_GENERATOR).

        Example:
            class Room(Plugin):
                def portula_access_token_generator(self, provider):
                    return lambda request: "at_" + secrets.token_urlsafe(32)
        """
        return None

    @slot(HookClass.SEES_SECRETS, setting="REFRESH_TOKEN_GENERATOR", install="portula-generators")
    def portula_refresh_token_generator(self, provider: P) -> TokenGenerator | None:
        """Answer the slot of the refresh token generator (REFRESH_TOKEN_GENERATOR).

        Example:
            class Room(Plugin):
                def portula_refresh_token_generator(self, provider):
                    return lambda request: "rt_" + secrets.token_urlsafe(32)
        """
        return None

    @contribution(HookClass.DECIDES, keys=lambda method: [method.name])
    def portula_client_auth_methods(self, provider: P) -> Sequence[ClientAuthMethod]:
        """Contribute ways for a client to authenticate, by their registered names (RFC 7591 §2).

        Example:
            class Room(Plugin):
                def __init__(self, method):
                    self.method = method

                def portula_client_auth_methods(self, provider):
                    return [self.method]
        """
        return ()

    @contribution(HookClass.DECIDES, keys=lambda source: [source.name])
    def portula_client_sources(self, provider: P) -> Sequence[ClientSource]:
        """Contribute clients that are registered nowhere here; the first source that claims a client_id answers for it.

        Example:
            class Room(Plugin):
                def portula_client_sources(self, provider):
                    tea = Application(client_id="tea:green", client_type="public")
                    return [ClientSource(name="tea", claims=lambda name: name[:4] == "tea:", find=lambda name: tea)]
        """
        return ()

    @contribution(HookClass.DECIDES, keys=lambda resolver: [resolver.name])
    def portula_request_resolvers(self, provider: P) -> Sequence[RequestResolver]:
        """Contribute ways for an authorization request to carry or name its parameters elsewhere.

        Example:
            class Room(Plugin):
                def portula_request_resolvers(self, provider):
                    return [
                        RequestResolver(
                            name="ticket",
                            presented=lambda parameters: "ticket" in parameters,
                            resolve=lambda exchange: exchange.pairs,
                        )
                    ]
        """
        return ()

    @contribution(HookClass.DECIDES)
    def portula_grant_types(self, provider: P) -> Mapping[str, GrantFactory]:
        """Contribute grant types by their exact name on the wire.

        Example:
            class TeaGrant(ExtensionGrant):
                def check(self, exchange):
                    if exchange.parameter("leaves") is None:
                        raise InvalidGrantError
                    exchange.request.scopes = ["tea"]

            class Room(Plugin):
                def portula_grant_types(self, provider):
                    return {"urn:example:tea": TeaGrant}
        """
        return {}

    @contribution(HookClass.DECIDES)
    def portula_response_types(self, provider: P) -> Mapping[str, ResponseTypeFactory]:
        """Contribute response types; the words of a name are in alphabetical order.

        Example:
            class Room(Plugin):
                def portula_response_types(self, provider):
                    return {"code": ResponseType}
        """
        return {}

    @contribution(HookClass.SEES_SECRETS)
    def portula_token_formats(self, provider: P) -> Mapping[str, TokenFormat]:
        """Contribute formats of access tokens by name; `portula_shape_token` chooses one by `exchange.issue.format`.

        A format is given the exchange, whose issue is shaped, and returns the value: what is not in the exchange by
        then is not in the token.

        Example:
            class Room(Plugin):
                def portula_token_formats(self, provider):
                    return {"tea": lambda exchange: f"tea-{exchange.subject}-{secrets.token_urlsafe(32)}"}
        """
        return {}

    @contribution(HookClass.DECIDES, keys=lambda presentation: presentation.keys, taken=BEARER.keys)
    def portula_token_presentations(self, provider: P) -> Sequence[TokenPresentation]:
        """Contribute schemes by which access tokens are presented, and proofs of what they are bound to.

        A token whose confirmation has a member that nobody here proves is refused; `portula_shape_token` binds one by
        `exchange.issue.confirmation`.

        Example:
            def prove(presented, bound):
                if presented.message.headers.get("tea-leaf") != bound:
                    raise InvalidTokenError

            class Room(Plugin):
                def portula_token_presentations(self, provider):
                    return [TokenPresentation(scheme="Tea", confirmation="leaf", prove=prove)]
        """
        return ()

    @contribution(HookClass.SEES_SECRETS, keys=lambda mode: [mode.name], taken=("query", "fragment"))
    def portula_response_modes(self, provider: P) -> Sequence[ResponseMode]:
        """Contribute ways for an authorization response to travel, by the value of response_mode.

        Example:
            def write(exchange, parameters):
                return Answer(200, {"Content-Type": "application/json"}, json.dumps(parameters).encode())

            class Room(Plugin):
                def portula_response_modes(self, provider):
                    return [ResponseMode(name="tea", write=write)]
        """
        return ()

    @contribution(HookClass.SEES_SECRETS, keys=lambda made: [f"{made.endpoint}: {made.media_type}"])
    def portula_answer_formats(self, provider: P) -> Sequence[AnswerFormat]:
        """Contribute forms of an endpoint's answers besides JSON, which a request chooses by its header `Accept`.

        Example:
            def write(exchange):
                return Answer(200, {"Content-Type": "text/tea"}, str(exchange.response).encode())

            class Room(Plugin):
                def portula_answer_formats(self, provider):
                    return [AnswerFormat(endpoint="introspect", media_type="text/tea", write=write)]
        """
        return ()

    @contribution(HookClass.DECIDES, keys=lambda step: [f"{step.endpoint}: {step.name}"])
    def portula_steps(self, provider: P) -> Sequence[Step]:
        """Contribute steps to the lists of endpoints, such as `token`: `portula explain token` prints that list.

        Without the endpoint a step never runs, and `portula check` says so.

        Example:
            def no_tea(exchange):
                if exchange.parameter("tea") is not None:
                    raise InvalidRequestError(description="No tea.")

            class Room(Plugin):
                def portula_steps(self, provider):
                    return [Step(endpoint="token", name="no_tea", run=no_tea, after="client")]
        """
        return ()

    @contribution(HookClass.OBSERVES, keys=lambda member: [member.name], taken=(PROFILE_MEMBER,))
    def portula_client_metadata(self, provider: P) -> Sequence[ClientMember]:
        """Contribute members of client metadata (RFC 7591 §2) that clients may be registered with.

        Example:
            class Room(Plugin):
                def portula_client_metadata(self, provider):
                    return [ClientMember("tea_preference", str)]
        """
        return ()
