"""The hook of this room, and what its answer is called with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from portula import Provider
from portula.plugin import Application, HookClass, HookDeclarations, OAuthRequest, slot

SubjectResolver = Callable[[Mapping[str, Any], Application, OAuthRequest], str | None]
"""Takes the claims of an assertion that counts, the client and the request; returns the subject of the person in whose
name the token is, None to refuse. The same `sub` of two issuers is two parties: it reads `iss` too."""


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
