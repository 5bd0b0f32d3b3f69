"""Every name that the author of a plugin may import; the modules below `portula` are private and may change.

Errors are in `portula.errors`.
"""

from portula.flow.answer_formats import AnswerFormat, answer_format, preferred_format
from portula.flow.authorization import (
    AUTHORIZATION_ANSWER_STEPS,
    AUTHORIZATION_STEPS,
    plan_authorization_records,
    resolve_parameters,
)
from portula.flow.authorization_server import AuthorizationServer
from portula.flow.backend import Backend
from portula.flow.client_auth import ClientAuthMethod
from portula.flow.client_requests import (
    BROWSER_PARAMETERS,
    HEAR_VETOES,
    JUDGE_SCOPE,
    client_request_steps,
    judge_grant_type,
)
from portula.flow.client_sources import ClientSource
from portula.flow.clients import CheckedClient, secret_id
from portula.flow.contents import AuthorizationContent
from portula.flow.deliver_command import deliver_command
from portula.flow.deliveries import Delivery, DeliveryKind, DeliveryWorker, OutgoingMessage
from portula.flow.descriptions import Describe, consent_items_of
from portula.flow.encryption import TokenEncryption
from portula.flow.endpoints import Endpoint
from portula.flow.enrichments import (
    AuthorizationResponse,
    IntrospectionResponse,
    TokenResponse,
)
from portula.flow.events import (
    AuthorizationGranted,
    AuthorizationRequestRefused,
    ClientAuthenticated,
    ClientAuthenticationFailed,
    ClientSaved,
    CodeReplayed,
    ConsentGiven,
    LoginFailed,
    LoginSucceeded,
    ProtocolEvent,
    RefreshTokenReplayed,
    Replay,
    RequestRefused,
    SessionEnded,
    TokenIssued,
    TokenRefused,
    TokenRevoked,
)
from portula.flow.exchange import AuthorizationExchange, Exchange, PageExchange, TokenExchange, exchange_of
from portula.flow.grant_hooks import TokenFormat
from portula.flow.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    ExtensionGrant,
    GrantFactory,
    GrantType,
    PasswordGrant,
    RefreshTokenGrant,
    ResponseType,
    ResponseTypeFactory,
)
from portula.flow.hooks import FlowHooks
from portula.flow.interaction import Demands, Interaction
from portula.flow.issue import Issue
from portula.flow.lookups import find_person, may_have_scope, unknown_scopes
from portula.flow.messages import (
    CLIENT_ADDRESS,
    FORM,
    IMPLICIT,
    OAUTHLIB_STATE,
    OAuthRequest,
    Pairs,
    RepeatedParameter,
    basic_credentials,
    basic_credentials_of,
    grant_types_needed,
    in_front_channel,
    issuer_of,
    parse_form,
    parse_pairs,
    printable,
    sorted_response_type,
)
from portula.flow.pending import (
    PENDING_KEEP_SECONDS,
    PollingGrant,
    change_pending,
    decide_pending,
    is_pending,
    page_exchange_about,
    pending_payload,
)
from portula.flow.pkce import judge_code_challenge, verifies_challenge
from portula.flow.presentations import PresentedToken, TokenPresentation, TokenPresentations
from portula.flow.questions import unused_overrides
from portula.flow.quotas import Quota, take_quotas
from portula.flow.refresh_tokens import REFRESH_TOKEN_PURPOSE, RefreshTokens, refresh_generator
from portula.flow.refusals import tell_refusal
from portula.flow.registration import ClientRegistration
from portula.flow.request_resolvers import RequestResolver
from portula.flow.requested_metadata import MetadataLimits, RequestedMetadata
from portula.flow.response_modes import ResponseMode
from portula.flow.responses import error_parameters, server_error_of, token_error
from portula.flow.revocation import REVOCATION_STEPS
from portula.flow.revoking import (
    ENDS_WITH,
    is_of_removed_client,
    is_revoked,
    plan_revocation,
    revoke_authorization,
    revoke_client,
    revoke_person,
    tell_revocation,
)
from portula.flow.server import Server
from portula.flow.signed_requests import is_time, is_valid_too_long, pairs_from_claims
from portula.flow.signing import check_secret_signs, check_signed_response_alg
from portula.flow.single_use import use_once
from portula.flow.steps import Step, Steps, step
from portula.flow.token import TOKEN_STEPS
from portula.flow.validator import LiveToken, OAuth2Validator
from portula.host import console
from portula.host.checks import Finding, Level
from portula.host.commands import SchemaGroup
from portula.host.core_settings import CoreSettings, StandAlone
from portula.host.declarations import HostHooks
from portula.host.deployment import Deployment
from portula.host.events import Event
from portula.host.hooks import Hooks, Ruling
from portula.host.kinds import (
    HookClass,
    HookDeclarations,
    HookKind,
    contribution,
    enrichment,
    event,
    outbox,
    requirement,
    shape,
    slot,
    veto,
)
from portula.host.markers import hookimpl
from portula.host.profiles import Floor, Profile, ProfileViolation, RequiredSetting
from portula.host.settings import (
    AnswersSlot,
    DeclaredSetting,
    Settings,
    display_value,
    import_object,
    subclass_of,
)
from portula.model.addresses import network_of
from portula.model.client_metadata import (
    ClientMember,
    has_changed_itself,
    read_client_metadata,
    required_confirmations,
    write_client_metadata,
)
from portula.model.consent import Consent, ConsentItem, ConsentQuestion
from portula.model.costly import costly_work
from portula.model.encryption import is_encrypted
from portula.model.errors import nearest
from portula.model.failures import log_failure
from portula.model.fetcher import Fetcher, FetchResponse
from portula.model.http import NO_STORE, Answer, Message, json_answer
from portula.model.jwks import AsymmetricAlgorithm, PublicKeys, jwk_thumbprint, public_jwk
from portula.model.keys import Keys, unkeyed_digest
from portula.model.people import MAX_SUBJECT_LENGTH, AuthenticatedUser, LoginSession, StoredPeople, User
from portula.model.plans import (
    Add,
    ChangeAll,
    Condition,
    Counts,
    Plan,
    PlanPart,
    Remove,
    RowChange,
    Writes,
    plan_to_add,
)
from portula.model.records import (
    CORE_RECORDS,
    ID_TOKEN_RECORD,
    SELF_REGISTERED,
    AccessToken,
    Application,
    ApplicationPolicy,
    Artifact,
    Authorization,
    Grant,
    IDToken,
    RecordType,
    RefreshToken,
    SupersededRefreshToken,
)
from portula.model.requests import current_request
from portula.model.secret_hasher import SecretHasher
from portula.model.shapes import MAX_TEXT_LENGTH, SURROGATE, RecordField, RecordShape, shape_of
from portula.model.slots import (
    AddsPeople,
    Clock,
    HashGenerator,
    Jose,
    Jwt,
    Login,
    NamesPeople,
    ScopesBackend,
    Sessions,
    SessionSummary,
    SuggestsNames,
    TokenGenerator,
)
from portula.model.sources import PluginSource, Tier
from portula.model.storage import (
    TO_AUTHORIZATION,
    TO_CLIENT,
    Cursor,
    MeasuredStore,
    Pointer,
    Storage,
    Store,
    StoreFactory,
    WalkingStore,
)
from portula.model.strict_json import json_problem, read_array, read_object
from portula.model.uris import (
    FORBIDDEN_SCHEMES,
    LOOPBACK_ADDRESSES,
    is_below,
    is_loopback_host,
    is_native_client,
    origin_of,
    redirect_uri_matches,
    redirect_uri_problem,
    uri_host,
    uri_scheme,
)
from portula.web import report
from portula.web.administration import AdminAction, AdminRecords, AdminResult, RecordsOfPerson, page_after
from portula.web.background import BackgroundTask
from portula.web.blueprints import AccountLink, Mount, refuse_head, visible_links
from portula.web.flask_apps import current_provider
from portula.web.hooks import WebHooks
from portula.web.interactions import InteractionView
from portula.web.metadata import metadata_endpoints
from portula.web.pages import PageForm, display_name, return_address
from portula.web.provider import Provider
from portula.web.report import field_docs
from portula.web.waiting import WaitingRequests

__all__ = [
    "AUTHORIZATION_ANSWER_STEPS",
    "AUTHORIZATION_STEPS",
    "BROWSER_PARAMETERS",
    "CLIENT_ADDRESS",
    "CORE_RECORDS",
    "ENDS_WITH",
    "FORBIDDEN_SCHEMES",
    "FORM",
    "HEAR_VETOES",
    "ID_TOKEN_RECORD",
    "IMPLICIT",
    "JUDGE_SCOPE",
    "LOOPBACK_ADDRESSES",
    "MAX_SUBJECT_LENGTH",
    "MAX_TEXT_LENGTH",
    "NO_STORE",
    "OAUTHLIB_STATE",
    "PENDING_KEEP_SECONDS",
    "REFRESH_TOKEN_PURPOSE",
    "REVOCATION_STEPS",
    "SELF_REGISTERED",
    "SURROGATE",
    "TOKEN_STEPS",
    "TO_AUTHORIZATION",
    "TO_CLIENT",
    "AccessToken",
    "AccountLink",
    "Add",
    "AddsPeople",
    "AdminAction",
    "AdminRecords",
    "AdminResult",
    "Answer",
    "AnswerFormat",
    "AnswersSlot",
    "Application",
    "ApplicationPolicy",
    "Artifact",
    "AsymmetricAlgorithm",
    "AuthenticatedUser",
    "Authorization",
    "AuthorizationCodeGrant",
    "AuthorizationContent",
    "AuthorizationExchange",
    "AuthorizationGranted",
    "AuthorizationRequestRefused",
    "AuthorizationResponse",
    "AuthorizationServer",
    "Backend",
    "BackgroundTask",
    "ChangeAll",
    "CheckedClient",
    "ClientAuthMethod",
    "ClientAuthenticated",
    "ClientAuthenticationFailed",
    "ClientCredentialsGrant",
    "ClientMember",
    "ClientRegistration",
    "ClientSaved",
    "ClientSource",
    "Clock",
    "CodeReplayed",
    "Condition",
    "Consent",
    "ConsentGiven",
    "ConsentItem",
    "ConsentQuestion",
    "CoreSettings",
    "Counts",
    "Cursor",
    "DeclaredSetting",
    "Delivery",
    "DeliveryKind",
    "DeliveryWorker",
    "Demands",
    "Deployment",
    "Describe",
    "Endpoint",
    "Event",
    "Exchange",
    "ExtensionGrant",
    "FetchResponse",
    "Fetcher",
    "Finding",
    "Floor",
    "Grant",
    "GrantFactory",
    "GrantType",
    "HashGenerator",
    "HookClass",
    "HookDeclarations",
    "HookKind",
    "Hooks",
    "IDToken",
    "Interaction",
    "InteractionView",
    "IntrospectionResponse",
    "Issue",
    "Jose",
    "Jwt",
    "Keys",
    "Level",
    "LiveToken",
    "Login",
    "LoginFailed",
    "LoginSession",
    "LoginSucceeded",
    "MeasuredStore",
    "Message",
    "MetadataLimits",
    "Mount",
    "NamesPeople",
    "OAuth2Validator",
    "OAuthRequest",
    "OutgoingMessage",
    "PageExchange",
    "PageForm",
    "Pairs",
    "PasswordGrant",
    "Plan",
    "PlanPart",
    "Plugin",
    "PluginSource",
    "Pointer",
    "PollingGrant",
    "PresentedToken",
    "Profile",
    "ProfileViolation",
    "ProtocolEvent",
    "Provider",
    "PublicKeys",
    "Quota",
    "RecordField",
    "RecordShape",
    "RecordType",
    "RecordsOfPerson",
    "RefreshToken",
    "RefreshTokenGrant",
    "RefreshTokenReplayed",
    "RefreshTokens",
    "Remove",
    "RepeatedParameter",
    "Replay",
    "RequestRefused",
    "RequestResolver",
    "RequestedMetadata",
    "RequiredSetting",
    "ResponseMode",
    "ResponseType",
    "ResponseTypeFactory",
    "RowChange",
    "Ruling",
    "SchemaGroup",
    "ScopesBackend",
    "SecretHasher",
    "Server",
    "SessionEnded",
    "SessionSummary",
    "Sessions",
    "Settings",
    "StandAlone",
    "Step",
    "Steps",
    "Storage",
    "Store",
    "StoreFactory",
    "StoredPeople",
    "SuggestsNames",
    "SupersededRefreshToken",
    "Tier",
    "TokenEncryption",
    "TokenExchange",
    "TokenFormat",
    "TokenGenerator",
    "TokenIssued",
    "TokenPresentation",
    "TokenPresentations",
    "TokenRefused",
    "TokenResponse",
    "TokenRevoked",
    "User",
    "WaitingRequests",
    "WalkingStore",
    "Writes",
    "answer_format",
    "basic_credentials",
    "basic_credentials_of",
    "change_pending",
    "check_secret_signs",
    "check_signed_response_alg",
    "client_request_steps",
    "consent_items_of",
    "console",
    "contribution",
    "costly_work",
    "current_provider",
    "current_request",
    "decide_pending",
    "deliver_command",
    "display_name",
    "display_value",
    "enrichment",
    "error_parameters",
    "event",
    "exchange_of",
    "field_docs",
    "find_person",
    "grant_types_needed",
    "has_changed_itself",
    "hookimpl",
    "import_object",
    "in_front_channel",
    "is_below",
    "is_encrypted",
    "is_loopback_host",
    "is_native_client",
    "is_of_removed_client",
    "is_pending",
    "is_revoked",
    "is_time",
    "is_valid_too_long",
    "issuer_of",
    "json_answer",
    "json_problem",
    "judge_code_challenge",
    "judge_grant_type",
    "jwk_thumbprint",
    "log_failure",
    "may_have_scope",
    "metadata_endpoints",
    "nearest",
    "network_of",
    "origin_of",
    "outbox",
    "page_after",
    "page_exchange_about",
    "pairs_from_claims",
    "parse_form",
    "parse_pairs",
    "pending_payload",
    "plan_authorization_records",
    "plan_revocation",
    "plan_to_add",
    "preferred_format",
    "printable",
    "public_jwk",
    "read_array",
    "read_client_metadata",
    "read_object",
    "redirect_uri_matches",
    "redirect_uri_problem",
    "refresh_generator",
    "refuse_head",
    "report",
    "required_confirmations",
    "requirement",
    "resolve_parameters",
    "return_address",
    "revoke_authorization",
    "revoke_client",
    "revoke_person",
    "secret_id",
    "server_error_of",
    "shape",
    "shape_of",
    "slot",
    "sorted_response_type",
    "step",
    "subclass_of",
    "take_quotas",
    "tell_refusal",
    "tell_revocation",
    "token_error",
    "unkeyed_digest",
    "unknown_scopes",
    "unused_overrides",
    "uri_host",
    "uri_scheme",
    "use_once",
    "verifies_challenge",
    "veto",
    "visible_links",
    "write_client_metadata",
]


class Plugin(HostHooks[Provider], FlowHooks[Provider], WebHooks[Provider]):
    """Every hook of core, each as a method that does nothing: derive from it, and override those that you implement.

    A method is the handle of its hook too: `provider.hooks.ask(Plugin.portula_login)`.
    """
