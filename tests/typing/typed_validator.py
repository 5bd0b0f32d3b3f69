"""Subclasses of OAuth2Validator and Backend override single questions, typed; only type checkers read this."""

from __future__ import annotations

from typing import assert_type

from portula import OAuth2Validator
from portula.plugin import Answer, Application, AuthorizationServer, Backend, Message, OAuthRequest


class PatientValidator(OAuth2Validator):
    """Overrides two questions."""

    def rotate_refresh_token(self, request: OAuthRequest) -> bool:
        """Answer a question of oauthlib."""
        assert_type(self.provider, AuthorizationServer)
        assert_type(request.client, Application | None)
        legacy = request.client is not None and request.client.name == "legacy"
        return not legacy and super().rotate_refresh_token(request)

    def access_token_lifetime(self, request: OAuthRequest) -> int:
        """Answer a question of portula."""
        return min(super().access_token_lifetime(request), 600)


class WrongValidator(OAuth2Validator):
    """Answers with something else."""

    def access_token_lifetime(self, request: OAuthRequest) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Answer wrongly."""
        return "soon"


class PoliteBackend(Backend):
    """Overrides one method."""

    def create_token_response(self, message: Message) -> Answer:
        """Say hello."""
        return super().create_token_response(message).with_headers({"X-Greeting": "hello"})
