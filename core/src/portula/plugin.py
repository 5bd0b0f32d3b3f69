"""Every name that the author of a plugin may import; the modules below `portula` are private and may change.

Errors are in `portula.errors`.
"""

from portula.flow.answer_formats import AnswerFormat, answer_format, preferred_format
from portula.flow.authorization import (
    AUTHORIZATION_ANSWER_STEPS,
    AUTHORIZATION_STEPS,
    record_granted,
    resolve_parameters,
)
from portula.flow.authorization_server import AuthorizationServer
from portula.flow.backend import Backend
from portula.flow.client_auth import ClientAuthMethod
from portula.flow.client_requests import (
    HEAR_VETOES,
    JUDGE_SCOPE,
    OF_A_BROWSER,
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
    grant_types_needed,
    in_front_channel,
    issuer_of,
    parse_form,
    parse_pairs,
    presented_basic,
    printable,
    sorted_response_type,
)
from portula.flow.pending import (
    KEEP_SECONDS,
    PollingGrant,
    change_pending,
    decide_pending,
    is_pending,
    page_exchange_about,
    pending_payload,
)
from portula.flow.pkce import judge_code_challenge, verifies_challenge
from portula.flow.places import Places, take_places
from portula.flow.presentations import PresentedToken, TokenPresentation, TokenPresentations
from portula.flow.questions import never_heard
from portula.flow.refresh_tokens import REFRESH_TOKEN, RefreshTokens, refresh_generator
from portula.flow.refusals import tell_refusal
from portula.flow.registration import ClientRegistration
from portula.flow.request_resolvers import RequestResolver
from portula.flow.requested_metadata import MetadataLimits, RequestedMetadata
from portula.flow.response_modes import ResponseMode
from portula.flow.responses import error_parameters, fault_of, token_error
from portula.flow.revocation import REVOCATION_STEPS
from portula.flow.revoking import (
    ENDS_WITH,
    is_of_former,
    is_revoked,
    plan_revocation,
    revoke_authorization,
    revoke_client,
    revoke_person,
    tell_revocation,
)
from portula.flow.server import Server
from portula.flow.signed_requests import counts_too_long, is_time, pairs_from_claims
from portula.flow.signing import check_secret_signs, check_signed_response_alg
from portula.flow.single_use import use_once
from portula.flow.steps import Step, Steps, step
from portula.flow.token import TOKEN_STEPS
from portula.flow.validator import Live, OAuth2Validator
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
    Kind,
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
from portula.host.profiles import Floor, Need, Profile, Shortfall
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
from portula.model.jwks import jwk_thumbprint, public_jwk
from portula.model.keys import Keys, unkeyed_digest
from portula.model.people import MAX_SUBJECT_LENGTH, AuthenticatedUser, LoginSession, StoredPeople, User
from portula.model.plans import (
    Add,
    ChangeAll,
    Condition,
    Counts,
    Part,
    Plan,
    Remove,
    RowChange,
    Writes,
    plan_to_add,
)
from portula.model.records import (
    CORE_RECORDS,
    ID_TOKEN,
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
from portula.model.shapes import MAX_LENGTH, SURROGATE, Field, Shape, shape_of
from portula.model.slots import (
    AddsPeople,
    Clock,
    HashGenerator,
    Jose,
    Login,
    NamesPeople,
    ScopesBackend,
    SeenSession,
    Sessions,
    SuggestsNames,
    Token,
    TokenGenerator,
)
from portula.model.sources import Source, Tier
from portula.model.storage import (
    TO_AUTHORIZATION,
    TO_CLIENT,
    MeasuredStore,
    Place,
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
    looks_native,
    origin_of,
    redirect_uri_matches,
    redirect_uri_problem,
    uri_host,
    uri_scheme,
)
from portula.web import report
from portula.web.administration import AdminAction, AdminRecords, AdminResult, RecordsOfPerson, page_behind
from portula.web.background import BackgroundTask
from portula.web.blueprints import AccountLink, Mount, links_for, refuse_head
from portula.web.flask_apps import current_provider
from portula.web.hooks import WebHooks
from portula.web.interactions import InteractionView
from portula.web.metadata import metadata_endpoints
from portula.web.pages import PageForm, return_address, shown_name
from portula.web.provider import Provider
from portula.web.report import field_docs
from portula.web.waiting import WaitingRequests

__all__ = [
    "AUTHORIZATION_ANSWER_STEPS",
    "AUTHORIZATION_STEPS",
    "CLIENT_ADDRESS",
    "CORE_RECORDS",
    "ENDS_WITH",
    "FORBIDDEN_SCHEMES",
    "FORM",
    "HEAR_VETOES",
    "ID_TOKEN",
    "IMPLICIT",
    "JUDGE_SCOPE",
    "KEEP_SECONDS",
    "LOOPBACK_ADDRESSES",
    "MAX_LENGTH",
    "MAX_SUBJECT_LENGTH",
    "NO_STORE",
    "OAUTHLIB_STATE",
    "OF_A_BROWSER",
    "REFRESH_TOKEN",
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
    "Field",
    "Finding",
    "Floor",
    "Grant",
    "GrantFactory",
    "GrantType",
    "HashGenerator",
    "HookClass",
    "HookDeclarations",
    "Hooks",
    "IDToken",
    "Interaction",
    "InteractionView",
    "IntrospectionResponse",
    "Issue",
    "Jose",
    "Keys",
    "Kind",
    "Level",
    "Live",
    "Login",
    "LoginFailed",
    "LoginSession",
    "LoginSucceeded",
    "MeasuredStore",
    "Message",
    "MetadataLimits",
    "Mount",
    "NamesPeople",
    "Need",
    "OAuth2Validator",
    "OAuthRequest",
    "OutgoingMessage",
    "PageExchange",
    "PageForm",
    "Pairs",
    "Part",
    "PasswordGrant",
    "Place",
    "Places",
    "Plan",
    "Plugin",
    "Pointer",
    "PollingGrant",
    "PresentedToken",
    "Profile",
    "ProtocolEvent",
    "Provider",
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
    "ResponseMode",
    "ResponseType",
    "ResponseTypeFactory",
    "RowChange",
    "Ruling",
    "SchemaGroup",
    "ScopesBackend",
    "SecretHasher",
    "SeenSession",
    "Server",
    "SessionEnded",
    "Sessions",
    "Settings",
    "Shape",
    "Shortfall",
    "Source",
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
    "Token",
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
    "change_pending",
    "check_secret_signs",
    "check_signed_response_alg",
    "client_request_steps",
    "consent_items_of",
    "console",
    "contribution",
    "costly_work",
    "counts_too_long",
    "current_provider",
    "current_request",
    "decide_pending",
    "deliver_command",
    "display_value",
    "enrichment",
    "error_parameters",
    "event",
    "exchange_of",
    "fault_of",
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
    "is_of_former",
    "is_pending",
    "is_revoked",
    "is_time",
    "issuer_of",
    "json_answer",
    "json_problem",
    "judge_code_challenge",
    "judge_grant_type",
    "jwk_thumbprint",
    "links_for",
    "log_failure",
    "looks_native",
    "may_have_scope",
    "metadata_endpoints",
    "nearest",
    "network_of",
    "never_heard",
    "origin_of",
    "outbox",
    "page_behind",
    "page_exchange_about",
    "pairs_from_claims",
    "parse_form",
    "parse_pairs",
    "pending_payload",
    "plan_revocation",
    "plan_to_add",
    "preferred_format",
    "presented_basic",
    "printable",
    "public_jwk",
    "read_array",
    "read_client_metadata",
    "read_object",
    "record_granted",
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
    "shape",
    "shape_of",
    "shown_name",
    "slot",
    "sorted_response_type",
    "step",
    "subclass_of",
    "take_places",
    "tell_refusal",
    "tell_revocation",
    "token_error",
    "unkeyed_digest",
    "unknown_scopes",
    "uri_host",
    "uri_scheme",
    "use_once",
    "verifies_challenge",
    "veto",
    "write_client_metadata",
]


class Plugin(HostHooks[Provider], FlowHooks[Provider], WebHooks[Provider]):
    """Every hook of core, each as a method that does nothing: derive from it, and override those that you implement.

    A method is the handle of its hook too: `provider.hooks.ask(Plugin.portula_login)`.
    """
