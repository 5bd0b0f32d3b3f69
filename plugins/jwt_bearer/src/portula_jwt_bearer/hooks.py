"""The hook of this room, and what its answer is called with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

from portula import Provider
from portula.plugin import (
    Application,
    HookClass,
    HookDeclarations,
    OAuthRequest,
    TokenExchange,
    contribution,
    slot,
)

SubjectResolver = Callable[[Mapping[str, Any], Application, OAuthRequest], str | None]
"""Takes the claims of an assertion that counts, the client and the request; returns the subject of the person in whose
name the token is, None to refuse. The same `sub` of two issuers is two parties: it reads `iss` too."""


@runtime_checkable
class AssertionType(Protocol):
    """A type of assertion that a trusted issuer may sign besides plain JWTs, where `types` says so."""

    profile: str
    """Its name among the `authorization_grant_profiles_supported` of the metadata."""

    def problem(self, exchange: TokenExchange, claims: Mapping[str, Any]) -> str | None:
        """Return why an assertion does not count, for the log; None when it does.

        Its issuer, signature, sub, aud and times are judged by then; its `jti` is used up afterwards, and its `scope`,
        where it has one, is the most that is given.

        Raises:
            OAuth2Error: another answer than `invalid_grant`.
        """


class JwtBearerHooks(HookDeclarations):
    """Hooks of this room."""

    @slot(
        HookClass.DECIDES, setting="JWT_BEARER_SUBJECT_RESOLVER", install="a plugin that knows the subjects"
    )
    def portula_jwt_bearer_subject(self, provider: Provider) -> SubjectResolver | None:
        """Answer the slot of the subject resolver (JWT_BEARER_SUBJECT_RESOLVER): who an issuer's subject is here.

        Example:
            class Room(Plugin):
                def portula_jwt_bearer_subject(self, provider):
                    people = {"repo:octo/tea:ref:refs/heads/main": "deploy"}
                    return lambda claims, client, request: people.get(claims["sub"])
        """
        return None

    @contribution(HookClass.DECIDES)
    def portula_assertion_types(self, provider: Provider) -> Mapping[str, AssertionType]:
        """Contribute types of assertions, by the `typ` of their header in lower case.

        Example:
            class TeaAssertion:
                profile = "urn:example:tea"

                def problem(self, exchange, claims):
                    return None if claims.get("tea") == "green" else "it is not about green tea"

            class Room(Plugin):
                def portula_assertion_types(self, provider):
                    return {"tea+jwt": TeaAssertion()}
        """
        return {}
