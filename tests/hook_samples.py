"""What hooks are called with, and what the examples in their specifications lean on."""

import dataclasses
import secrets

import click
import flask
import oauthlib.oauth2
from pydantic import BaseModel

from portula import OAuth2Validator, hookimpl, hookspec
from portula.errors import (
    AccessDeniedError,
    InvalidClientMetadata,
    InvalidGrantError,
    InvalidRequestError,
    UnauthorizedClientError,
)
from portula.model import events
from portula.plugin import (
    AccessToken,
    AccountLink,
    Application,
    Artifact,
    Authenticated,
    Backend,
    ClientAuthMethod,
    ClientMember,
    Demands,
    Endpoint,
    ExtensionGrant,
    Finding,
    Grant,
    IDToken,
    Issue,
    Level,
    Mount,
    OAuthRequest,
    RecordType,
    RefreshToken,
    RequestResolver,
    ResponseType,
    Step,
    TokenExchange,
    User,
    json_answer,
)
from portula_testing.memory import MemoryStore


class MyHookspecs:
    """A room's own specifications."""

    @hookspec
    def portula_kettle(self, provider):
        """Answer the slot of the kettle."""


class Anything:
    """Stands for what an example is given: a hasher, a login, sessions, consent."""


NAMES = {
    "Artifact": Artifact,
    "AccessDeniedError": AccessDeniedError,
    "AccessToken": AccessToken,
    "Application": Application,
    "AccountLink": AccountLink,
    "InvalidRequestError": InvalidRequestError,
    "ResponseType": ResponseType,
    "Step": Step,
    "Backend": Backend,
    "BaseModel": BaseModel,
    "ClientMember": ClientMember,
    "Demands": Demands,
    "ExtensionGrant": ExtensionGrant,
    "Grant": Grant,
    "IDToken": IDToken,
    "InvalidGrantError": InvalidGrantError,
    "Endpoint": Endpoint,
    "Finding": Finding,
    "InvalidClientMetadata": InvalidClientMetadata,
    "Level": Level,
    "MemoryStore": MemoryStore,
    "Mount": Mount,
    "MyHookspecs": MyHookspecs,
    "OAuth2Validator": OAuth2Validator,
    "RecordType": RecordType,
    "RefreshToken": RefreshToken,
    "RequestResolver": RequestResolver,
    "UnauthorizedClientError": UnauthorizedClientError,
    "__name__": "example",
    "click": click,
    "dataclass": dataclasses.dataclass,
    "flask": flask,
    "hookimpl": hookimpl,
    "json_answer": json_answer,
    "oauthlib": oauthlib,
    "secrets": secrets,
}
"""The names that examples may use without importing them."""

GIVEN = {
    "method": ClientAuthMethod("example", lambda _request: False, lambda _request: None),
    **{name: Anything() for name in ("hasher", "login", "sessions", "consent", "fetcher", "jose")},
}
"""What the classes of examples are made with, by parameter."""

EVENTS = {
    "portula_session_ended": events.SessionEnded(subject="ada", sid="sid", at=1),
    "portula_record_authorization": events.AuthorizationGranted(
        client_id="machine", subject="ada", sid="sid", scopes=("read",), at=1
    ),
    "portula_record_session_end": events.SessionEnded(subject="ada", sid="sid", at=1),
    "portula_record_token": events.TokenIssued(
        client_id="machine",
        subject=None,
        grant_type="client_credentials",
        scopes=("read",),
        authorization="authorization",
        at=1,
    ),
    "portula_token_issued": events.TokenIssued(
        client_id="machine",
        subject=None,
        grant_type="client_credentials",
        scopes=("read",),
        authorization="authorization",
        at=1,
    ),
    "portula_token_refused": events.TokenRefused(
        client_id="machine", grant_type="client_credentials", error="invalid_scope", at=1
    ),
    "portula_token_revoked": events.TokenRevoked(
        client_id="machine", subject=None, authorization="authorization", at=1
    ),
    "portula_code_replayed": events.Replay(
        client_id="machine", subject="ada", authorization="authorization", at=1
    ),
    "portula_refresh_replayed": events.Replay(
        client_id="machine", subject="ada", authorization="authorization", at=1
    ),
    "portula_consent_given": events.ConsentGiven(client_id="machine", subject="ada", scopes=("read",), at=1),
    "portula_client_saved": events.ClientSaved(client_id="machine", created=True, at=1),
    "portula_client_authenticated": events.ClientAuthenticated(
        client_id="machine", method="client_secret_basic", secret_id=None, at=1
    ),
    "portula_login_succeeded": events.LoginSucceeded(subject="ada", amr=("pwd",), address="127.0.0.1", at=1),
    "portula_login_failed": events.LoginFailed(
        username="ada", reason="wrong credentials", address="127.0.0.1", at=1
    ),
    "portula_logout_succeeded": events.LogoutSucceeded(
        subject="ada", sid="sid", client_id="machine", tokens=2, at=1
    ),
}


STARTED = {
    "portula_steps": lambda provider: [step.name for step in provider.hooks.steps()] == ["no_tea"],
    "portula_addhooks": lambda provider: provider.hooks.ruling("kettle").winner is None,
    "portula_settings": lambda provider: provider.all_settings.value("GREETING") == "hello",
    "portula_clock": lambda provider: provider.now() == 1_700_000_000,
    "portula_records": lambda provider: "note" in [record.name for record in provider.records],
    "portula_application_model": lambda provider: provider.hooks.application_model.__name__ == "Client",
    "portula_grant_model": lambda provider: provider.storage.model(Grant).__name__ == "Code",
    "portula_access_token_model": lambda provider: provider.storage.model(AccessToken).__name__ == "Token",
    "portula_refresh_token_model": lambda provider: provider.storage.model(RefreshToken).__name__ == "Token",
    "portula_id_token_model": lambda provider: provider.hooks.id_token_model.__name__ == "Token",
    "portula_stores": lambda provider: list(provider.stores) == ["memory"],
    "portula_scopes": lambda provider: list(provider.scope_texts) == ["offline_access"],
    "portula_scopes_backend": lambda provider: provider.hooks.scopes_backend.get_default_scopes() == ["tea"],
    "portula_client_id_generator": lambda provider: len(provider.hooks.client_id_generator.hash()) == 39,
    "portula_client_secret_generator": lambda provider: (
        len(provider.hooks.client_secret_generator.hash()) == 86
    ),
    "portula_access_token_generator": lambda provider: (
        provider.hooks.access_token_generator(None)[:3] == "at_"
    ),
    "portula_refresh_token_generator": lambda provider: (
        provider.hooks.refresh_token_generator(None)[:3] == "rt_"
    ),
    "portula_secret_hasher": lambda provider: provider.hooks.secret_hasher is GIVEN["hasher"],
    "portula_validator_class": lambda provider: provider.validator.rotate_refresh_token(None) is True,
    "portula_validator_mixins": lambda provider: provider.validator.get_default_scopes("", None) == ["read"],
    "portula_client_auth_methods": lambda provider: (
        provider.client_auth_methods == {"example": GIVEN["method"]}
    ),
    "portula_client_metadata": lambda provider: list(provider.client_members) == ["tea_preference"],
    "portula_request_resolvers": lambda provider: (
        [resolver.name for resolver in provider.request_resolvers] == ["ticket"]
    ),
    "portula_grant_types": lambda provider: isinstance(
        provider.hooks.grant_types()["urn:example:tea"](provider.validator), ExtensionGrant
    ),
    "portula_response_types": lambda provider: isinstance(
        provider.hooks.response_types()["code"](provider.validator), ResponseType
    ),
    "portula_server_class": lambda provider: provider.hooks.server_class is oauthlib.oauth2.Server,
    "portula_backend_class": lambda provider: provider.hooks.backend_class is Backend,
    "portula_login": lambda provider: provider.hooks.login is GIVEN["login"],
    "portula_sessions": lambda provider: provider.hooks.sessions is GIVEN["sessions"],
    "portula_consent": lambda provider: provider.hooks.consent is GIVEN["consent"],
    "portula_fetcher": lambda provider: provider.hooks.fetcher is GIVEN["fetcher"],
    "portula_jose": lambda provider: provider.hooks.jose is GIVEN["jose"],
    "portula_endpoints": lambda provider: provider.app.test_client().get("/o/tea/").status_code == 418,
    "portula_blueprints": lambda provider: "portula_tea" in provider.app.blueprints,
    "portula_account_links": lambda provider: (
        [link.view for link in provider.hooks.account_links()] == ["tea.orders"]
    ),
    "portula_metadata": lambda provider: "service_documentation" in provider.metadata_document,
    "portula_commands": lambda provider: [command.name for command in provider.hooks.commands()] == ["hello"],
    "portula_checks": lambda provider: [found.id for found in provider.hooks.checks()] == ["tea.cold"],
    "portula_demo": lambda provider: provider.hooks.demo() == {"Tea": "ready"},
}
"""What a provider has to show for it when the example of a hook took part in its start."""

DENIALS = {
    "portula_validate_authorization_request": AccessDeniedError,
    "portula_validate_token_request": UnauthorizedClientError,
    "portula_validate_client_registration": InvalidClientMetadata,
}
DEMANDS = {"portula_interaction_demands": Demands(login=True)}
ADDITIONS = {
    "portula_authorization_response": {"region": "north"},
    "portula_id_token_claims": {"tenant": "north"},
    "portula_userinfo_claims": {"loyalty": "gold"},
    "portula_token_response": {"greeting": "hello"},
    "portula_introspection_response": {"tenant": "north"},
}
PRINTED = {
    "portula_token_issued": "machine",
    "portula_token_refused": "invalid_scope",
    "portula_token_revoked": "machine",
    "portula_code_replayed": "machine",
    "portula_refresh_replayed": "machine",
    "portula_consent_given": "('read',)",
    "portula_client_saved": "machine",
    "portula_client_authenticated": "client_secret_basic",
    "portula_login_succeeded": "ada",
    "portula_login_failed": "wrong credentials",
    "portula_session_ended": "sid",
    "portula_logout_succeeded": "ada",
}
"""What the examples do in the course of a request."""


def arguments_of(hook, parameters):
    """Return what the façade's method for a hook is called with: its parameters but for the provider."""
    made = {
        "request": sample_request,
        "application": lambda: Application(client_id="nameless"),
        "response": lambda: {"access_token": "of ours"},
        "claims": lambda: {"access_token": "of ours"},
        "user": lambda: sample_user(hook),
        "fresh": lambda: False,
        "token": lambda: AccessToken(
            digest="d", client_id="machine", scope="read", issued_at=1, expires_at=2
        ),
        "event": lambda: EVENTS[hook],
        "exchange": sample_exchange,
    }
    return {name: made[name]() for name in parameters if name != "provider"}


def sample_exchange():
    """Return a token request that is about to be answered."""
    exchange = TokenExchange(provider=None, request=sample_request())
    exchange.issue = Issue(scope=("read",), lifetime=3600)
    return exchange


def sample_user(hook):
    """Return who is signed in, or the person that claims are about."""
    if hook == "portula_interaction_demands":
        return Authenticated("ada", "ada", 1)
    return User("ada", "ada")


def sample_request():
    """Return a request that the rules in the examples have something against."""
    request = OAuthRequest("/o/token/", "POST", [("grant_type", "urn:example:tea")])
    request.scopes = ["tea", "loyalty"]
    request.client = Application(client_id="machine")
    return request
