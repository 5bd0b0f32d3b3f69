"""The questions oauthlib asks a validator, with our types: what mypy and pyright check every part against.

At run time the base is oauthlib's own RequestValidator; its annotations name oauthlib's classes, these name ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from portula.flow.messages import OAuthRequest
    from portula.model.records import Application

    class Questions:
        """See oauthlib's RequestValidator for when each question is asked."""

        def client_authentication_required(self, request: OAuthRequest) -> bool: ...
        def authenticate_client(self, request: OAuthRequest) -> bool: ...
        def authenticate_client_id(self, client_id: str, request: OAuthRequest) -> bool: ...
        def confirm_redirect_uri(
            self, client_id: str, code: str, redirect_uri: str, client: Application, request: OAuthRequest
        ) -> bool: ...
        def get_default_redirect_uri(self, client_id: str, request: OAuthRequest) -> str | None: ...
        def get_default_scopes(self, client_id: str, request: OAuthRequest) -> list[str]: ...
        def get_original_scopes(self, refresh_token: str, request: OAuthRequest) -> list[str]: ...
        def is_within_original_scope(
            self, request_scopes: list[str], refresh_token: str, request: OAuthRequest
        ) -> bool: ...
        def invalidate_authorization_code(self, client_id: str, code: str, request: OAuthRequest) -> None: ...
        def revoke_token(self, token: str, token_type_hint: str | None, request: OAuthRequest) -> None: ...
        def rotate_refresh_token(self, request: OAuthRequest) -> bool: ...
        def save_authorization_code(
            self, client_id: str, code: dict[str, str], request: OAuthRequest
        ) -> None: ...
        def save_token(self, token: dict[str, Any], request: OAuthRequest) -> None: ...
        def save_bearer_token(self, token: dict[str, Any], request: OAuthRequest) -> str | None: ...
        def validate_bearer_token(
            self, token: str | None, scopes: list[str] | None, request: OAuthRequest
        ) -> bool: ...
        def validate_client_id(self, client_id: str, request: OAuthRequest) -> bool: ...
        def validate_code(
            self, client_id: str, code: str, client: Application, request: OAuthRequest
        ) -> bool: ...
        def validate_grant_type(
            self, client_id: str, grant_type: str, client: Application, request: OAuthRequest
        ) -> bool: ...
        def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: OAuthRequest) -> bool: ...
        def validate_refresh_token(
            self, refresh_token: str, client: Application, request: OAuthRequest
        ) -> bool: ...
        def validate_response_type(
            self, client_id: str, response_type: str, client: Application, request: OAuthRequest
        ) -> bool: ...
        def validate_scopes(
            self, client_id: str, scopes: list[str], client: Application, request: OAuthRequest
        ) -> bool: ...
        def validate_user(
            self, username: str, password: str, client: Application, request: OAuthRequest
        ) -> bool: ...
        def is_pkce_required(self, client_id: str, request: OAuthRequest) -> bool: ...
        def get_code_challenge(self, code: str, request: OAuthRequest) -> str | None: ...
        def get_code_challenge_method(self, code: str, request: OAuthRequest) -> str | None: ...
        def get_userinfo_claims(self, request: OAuthRequest) -> dict[str, Any] | str: ...

else:
    from oauthlib.openid import RequestValidator as Questions

ASKED = {
    "client_authentication_required": "token: client",
    "authenticate_client": "token: client",
    "authenticate_client_id": "token: client, where client_authentication_required says no",
    "validate_grant_type": "token: allowed",
    "validate_code": "token: judge, for authorization_code",
    "get_code_challenge": "token: judge, for authorization_code",
    "get_code_challenge_method": "token: judge, for authorization_code",
    "confirm_redirect_uri": "token: judge, for authorization_code",
    "validate_refresh_token": "token: judge, for refresh_token",
    "get_original_scopes": "token: judge, for refresh_token",
    "is_within_original_scope": "token: judge, for refresh_token with a wider scope",
    "validate_user": "token: judge, for password",
    "rotate_refresh_token": "token: shape",
    "save_token": "token: plan",
    "save_bearer_token": "token: plan, by save_token",
    "get_id_token": "token: id_token",
    "finalize_id_token": "token: id_token, by get_id_token",
    "invalidate_authorization_code": "token: tell",
    "validate_client_id": "authorize: client",
    "validate_redirect_uri": "authorize: redirect_uri",
    "get_default_redirect_uri": "authorize: redirect_uri, where none is sent",
    "validate_response_type": "authorize: judge",
    "is_pkce_required": "authorize: judge",
    "get_default_scopes": "authorize: judge, where no scope is sent",
    "validate_scopes": "authorize: judge",
    "save_authorization_code": "authorize (answer): plan",
    "revoke_token": "revoke_token: revoke",
    "validate_bearer_token": "userinfo, and views that require a token",
    "get_userinfo_claims": "userinfo",
}
"""The step that asks each question of oauthlib's RequestValidator; other steps and endpoints may ask it too."""

NEVER_ASKED = {
    "get_authorization_code_nonce": "the nonce stands with the authorization",
    "get_authorization_code_scopes": "the scope stands with the code",
    "get_jwt_bearer_token": "grant types are contributed by portula_grant_types",
    "validate_jwt_bearer_token": "grant types are contributed by portula_grant_types",
    "introspect_token": "introspection looks the token up itself; portula_introspection_response adds to its answer",
    "is_origin_allowed": "the client's allowed_origins decide; a model class may override origin_allowed",
    "refresh_id_token": "portula_shape_token decides on ID tokens, by exchange.issue.id_token",
    "validate_id_token": "the slot portula_jose verifies ID tokens",
    "validate_silent_authorization": "prompt=none is answered by portula_interaction_demands",
    "validate_silent_login": "prompt=none is answered by portula_interaction_demands",
    "validate_user_match": "id_token_hint is answered by portula_interaction_demands",
}
"""Questions of oauthlib's RequestValidator that nobody asks, and what decides instead."""


def unused_overrides(validator: type[Any]) -> dict[str, str]:
    """Return the questions that a validator class answers though nobody asks them, each with what decides instead."""
    return {
        name: instead
        for name, instead in NEVER_ASKED.items()
        if getattr(validator, name, None) is not getattr(Questions, name, None)
    }


__all__ = ["ASKED", "NEVER_ASKED", "Questions", "unused_overrides"]
