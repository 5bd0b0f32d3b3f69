"""What hooks are called with, and what the examples in their specifications lean on."""

import dataclasses
import json
import secrets

import click
import flask
import oauthlib.oauth2
from pydantic import BaseModel
from support.fitting import fitting

from portula import OAuth2Validator, Plugin, Provider
from portula import plugin as public
from portula.errors import (
    AccessDeniedError,
    InvalidClientMetadata,
    InvalidGrantError,
    InvalidRequestError,
    UnauthorizedClientError,
)
from portula.flow.server import contributed_steps
from portula.host.signatures import value_type
from portula.plugin import (
    AccessToken,
    AccountLink,
    AdminRecords,
    Application,
    Artifact,
    AuthenticatedUser,
    Authorization,
    Backend,
    ClientAuthMethod,
    ClientMember,
    ConsentItem,
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
    User,
    consent_items_of,
    json_answer,
)
from portula_testing.memory import MemoryStore

NAMES = {
    "AccessDeniedError": AccessDeniedError,
    "AccessToken": AccessToken,
    "Application": Application,
    "AccountLink": AccountLink,
    "AdminRecords": AdminRecords,
    "Artifact": Artifact,
    "BackgroundTask": public.BackgroundTask,
    "Authorization": Authorization,
    "ConsentItem": ConsentItem,
    "InvalidRequestError": InvalidRequestError,
    "ResponseType": ResponseType,
    "Step": Step,
    "Backend": Backend,
    "BaseModel": BaseModel,
    "ClientMember": ClientMember,
    "DeliveryKind": public.DeliveryKind,
    "DeliveryWorker": public.DeliveryWorker,
    "Demands": Demands,
    "OutgoingMessage": public.OutgoingMessage,
    "ExtensionGrant": ExtensionGrant,
    "Grant": Grant,
    "IDToken": IDToken,
    "InvalidGrantError": InvalidGrantError,
    "Endpoint": Endpoint,
    "Finding": Finding,
    "Floor": public.Floor,
    "Profile": public.Profile,
    "InvalidClientMetadata": InvalidClientMetadata,
    "Level": Level,
    "MemoryStore": MemoryStore,
    "Mount": Mount,
    "OAuth2Validator": OAuth2Validator,
    "RecordType": RecordType,
    "RefreshToken": RefreshToken,
    "RequestResolver": RequestResolver,
    "Answer": public.Answer,
    "AnswerFormat": public.AnswerFormat,
    "AuthorizationContent": public.AuthorizationContent,
    "ClientSource": public.ClientSource,
    "ResponseMode": public.ResponseMode,
    "TokenPresentation": public.TokenPresentation,
    "json": json,
    "UnauthorizedClientError": UnauthorizedClientError,
    "__name__": "example",
    "click": click,
    "dataclass": dataclasses.dataclass,
    "flask": flask,
    "HashGenerator": public.HashGenerator,
    "HookClass": public.HookClass,
    "HookDeclarations": public.HookDeclarations,
    "Plugin": Plugin,
    "Provider": Provider,
    "ScopesBackend": public.ScopesBackend,
    "slot": public.slot,
    "json_answer": json_answer,
    "oauthlib": oauthlib,
    "secrets": secrets,
}
"""The names that examples may use without importing them."""

GIVEN = {
    "method": ClientAuthMethod("example", lambda _request: False, lambda _request: None),
    "hasher": fitting("portula_secret_hasher"),
    **{name: fitting(f"portula_{name}") for name in ("login", "sessions", "consent", "fetcher", "jose")},
}
"""What the classes of examples are made with, by parameter."""

_ISSUED = {"grant_type": "client_credentials", "scopes": ("read",), "authorization": "authorization"}
_REVOKED = {"authorization": "authorization"}
EVENTS = {
    public.AuthorizationGranted: {"subject": "ada", "sid": "sid", "scopes": ("read",), "known_as": "ada"},
    public.SessionEnded: {"subject": "ada", "sid": "sid"},
    public.TokenIssued: _ISSUED,
    public.TokenRefused: {"grant_type": "client_credentials", "error": "invalid_scope"},
    public.TokenRevoked: _REVOKED,
    public.CodeReplayed: _REVOKED,
    public.RefreshTokenReplayed: _REVOKED,
    public.ConsentGiven: {"subject": "ada", "scopes": ("read",)},
    public.ClientSaved: {"created": True},
    public.ClientAuthenticated: {"method": "client_secret_basic", "secret_id": None},
    public.ClientAuthenticationFailed: {"method": "client_secret_basic", "reason": "wrong secret"},
    public.AuthorizationRequestRefused: {"error": "invalid_scope", "redirected": True},
    public.RequestRefused: {"endpoint": "userinfo", "error": "invalid_token"},
    public.LoginSucceeded: {"subject": "ada", "amr": ("pwd",), "address": "127.0.0.1"},
    public.LoginFailed: {"username": "ada", "reason": "wrong credentials", "address": "127.0.0.1"},
    public.Event: {},
}
"""What a sample of each event says, besides its client."""


STARTED = {
    "portula_steps": lambda provider: [step.name for step in contributed_steps(provider.hooks)] == ["no_tea"],
    "portula_declarations": lambda provider: "portula_kettle" in provider.plugins.declared,
    "portula_settings": lambda provider: provider.all_settings.value("GREETING") == "hello",
    "portula_deliveries": lambda provider: provider.deliveries.kinds["tea"].permanent == {410},
    "portula_delivery_worker": lambda provider: (
        provider.hooks.ask(Plugin.portula_delivery_worker).look() is None
    ),
    "portula_clock": lambda provider: provider.now() == 1_700_000_000,
    "portula_profiles": lambda provider: list(provider.all_settings.profiles.known) == ["brief"],
    "portula_records": lambda provider: "note" in [record.name for record in provider.records],
    "portula_application_model": lambda provider: (
        provider.hooks.ruling(Plugin.portula_application_model).answer.__name__ == "Client"
    ),
    "portula_grant_model": lambda provider: provider.storage.model(Grant).__name__ == "Code",
    "portula_access_token_model": lambda provider: provider.storage.model(AccessToken).__name__ == "Token",
    "portula_refresh_token_model": lambda provider: provider.storage.model(RefreshToken).__name__ == "Token",
    "portula_id_token_model": lambda provider: (
        provider.hooks.ruling(Plugin.portula_id_token_model).answer.__name__ == "Token"
    ),
    "portula_stores": lambda provider: list(provider.stores) == ["memory"],
    "portula_scopes": lambda provider: list(provider.scope_texts) == ["offline_access"],
    "portula_privileged_scopes": lambda provider: (
        provider.hooks.collect(Plugin.portula_privileged_scopes) == ["pour_for_others"]
    ),
    "portula_audiences": lambda provider: (
        provider.hooks.collect(Plugin.portula_audiences) == {"kettle": ["https://kettle.example/"]}
    ),
    "portula_authorization_descriptions": lambda provider: (
        [item.title for item in consent_items_of(provider, sample_token(payload={"tea": "oolong"}))]
        == ["Pour oolong"]
    ),
    "portula_authorization_contents": lambda provider: (
        provider.contents["tea"].join({"tea": ["oolong"]}, {"tea": ["black"]}) == {"tea": ["black", "oolong"]}
    ),
    "portula_scopes_backend": lambda provider: (
        provider.hooks.ask(Plugin.portula_scopes_backend).get_default_scopes() == ["tea"]
    ),
    "portula_client_id_generator": lambda provider: (
        len(provider.hooks.ask(Plugin.portula_client_id_generator).hash()) == 39
    ),
    "portula_client_secret_generator": lambda provider: (
        len(provider.hooks.ask(Plugin.portula_client_secret_generator).hash()) == 86
    ),
    "portula_access_token_generator": lambda provider: (
        provider.hooks.ask(Plugin.portula_access_token_generator)(None)[:3] == "at_"
    ),
    "portula_refresh_token_generator": lambda provider: (
        provider.hooks.ask(Plugin.portula_refresh_token_generator)(None)[:3] == "rt_"
    ),
    "portula_secret_hasher": lambda provider: (
        provider.hooks.ask(Plugin.portula_secret_hasher) is GIVEN["hasher"]
    ),
    "portula_validator_class": lambda provider: provider.validator.rotate_refresh_token(None) is True,
    "portula_validator_mixins": lambda provider: provider.validator.get_default_scopes("", None) == ["read"],
    "portula_client_auth_methods": lambda provider: (
        provider.client_auth_methods == {"example": GIVEN["method"]}
    ),
    "portula_client_metadata": lambda provider: list(provider.client_members) == ["tea_preference"],
    "portula_request_resolvers": lambda provider: (
        [resolver.name for resolver in provider.request_resolvers] == ["ticket"]
    ),
    "portula_token_formats": lambda provider: (
        list(provider.hooks.collect(Plugin.portula_token_formats)) == ["tea"]
    ),
    "portula_token_presentations": lambda provider: (
        provider.token_presentations.token_type({"leaf": "green"}) == "Tea"
    ),
    "portula_client_sources": lambda provider: provider.clients.find("tea:green").client_type == "public",
    "portula_answer_formats": lambda provider: (
        [made.media_type for made in provider.answer_formats] == ["text/tea"]
    ),
    "portula_response_modes": lambda provider: list(provider.response_modes) == ["query", "fragment", "tea"],
    "portula_grant_types": lambda provider: isinstance(
        provider.hooks.collect(Plugin.portula_grant_types)["urn:example:tea"](provider.validator),
        ExtensionGrant,
    ),
    "portula_response_types": lambda provider: isinstance(
        provider.hooks.collect(Plugin.portula_response_types)["code"](provider.validator),
        ResponseType,
    ),
    "portula_server_class": lambda provider: (
        provider.hooks.ask(Plugin.portula_server_class) is oauthlib.oauth2.Server
    ),
    "portula_backend_class": lambda provider: provider.hooks.ask(Plugin.portula_backend_class) is Backend,
    "portula_login": lambda provider: provider.hooks.ask(Plugin.portula_login) is GIVEN["login"],
    "portula_sessions": lambda provider: provider.hooks.ask(Plugin.portula_sessions) is GIVEN["sessions"],
    "portula_consent": lambda provider: provider.hooks.ask(Plugin.portula_consent) is GIVEN["consent"],
    "portula_fetcher": lambda provider: provider.hooks.ask(Plugin.portula_fetcher) is GIVEN["fetcher"],
    "portula_jose": lambda provider: provider.hooks.ask(Plugin.portula_jose) is GIVEN["jose"],
    "portula_endpoints": lambda provider: provider.app.test_client().get("/o/tea/").status_code == 418,
    "portula_blueprints": lambda provider: "portula_tea" in provider.app.blueprints,
    "portula_admin_records": lambda provider: (
        [kind.slug for kind in provider.hooks.collect(Plugin.portula_admin_records)] == ["tea"]
    ),
    "portula_demo_links": lambda provider: (
        [link.view for link in provider.hooks.collect(Plugin.portula_demo_links)] == ["tea.orders"]
    ),
    "portula_account_links": lambda provider: (
        [link.view for link in provider.hooks.collect(Plugin.portula_account_links)] == ["tea.orders"]
    ),
    "portula_metadata": lambda provider: "service_documentation" in provider.metadata_document,
    "portula_commands": lambda provider: (
        [command.name for command in provider.hooks.collect(Plugin.portula_commands)] == ["hello"]
    ),
    "portula_background_tasks": lambda provider: (
        [task.every for task in provider.hooks.collect(Plugin.portula_background_tasks)] == [100]
    ),
    "portula_readiness": lambda provider: [*provider.hooks.collect(Plugin.portula_readiness)] == ["kettle"],
    "portula_checks": lambda provider: (
        [found.id for found in provider.hooks.collect(Plugin.portula_checks)] == ["tea.cold"]
    ),
    "portula_demo": lambda provider: provider.hooks.collect(Plugin.portula_demo) == {"Tea": "ready"},
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
    "portula_token_response": {"greeting": "hello"},
    "portula_introspection_response": {"tenant": "north"},
}
PRINTED = {
    "portula_event": "event",
    "portula_token_issued": "machine",
    "portula_token_refused": "invalid_scope",
    "portula_token_revoked": "machine",
    "portula_code_replayed": "machine",
    "portula_refresh_replayed": "machine",
    "portula_consent_given": "('read',)",
    "portula_client_saved": "machine",
    "portula_client_authenticated": "client_secret_basic",
    "portula_client_authentication_failed": "wrong secret",
    "portula_authorization_request_refused": "invalid_scope",
    "portula_request_refused": "userinfo",
    "portula_login_succeeded": "ada",
    "portula_login_failed": "wrong credentials",
    "portula_session_ended": "sid",
}
"""What the examples do in the course of a request."""


def value_of(hook, provider):
    """Return what a hook of a request is called with."""
    made = value_type(getattr(Plugin, hook))
    if made in EVENTS:
        return made(provider=provider, client_id="machine", **EVENTS[made])
    token = sample_token()
    fields = {
        "provider": provider,
        "request": sample_request(),
        "application": Application(client_id="nameless"),
        "response": {"access_token": "of ours"},
        "claims": {"access_token": "of ours"},
        "user": AuthenticatedUser("ada", "ada", 1) if made is public.Interaction else User("ada", "ada"),
        "fresh": False,
        "token": token,
        "authorization": None,
    }
    if issubclass(made, public.Exchange):
        fields = {"issue": Issue(scope=("read",), lifetime=3600), **fields}
    known = {field.name for field in dataclasses.fields(made)}
    return made(**{name: value for name, value in fields.items() if name in known})


def sample_token(**fields):
    """Return an access token."""
    return AccessToken(digest="d", client_id="machine", scope="read", issued_at=1, expires_at=2, **fields)


def sample_request():
    """Return a request that the rules in the examples have something against."""
    request = OAuthRequest("/o/token/", "POST", [("grant_type", "urn:example:tea")])
    request.scopes = ["tea", "loyalty"]
    request.client = Application(client_id="machine")
    return request


def sample_exchange(provider):
    """Return an exchange of such a request."""
    return public.TokenExchange(provider=provider, request=sample_request())
