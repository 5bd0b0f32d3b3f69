"""The typed façade of the hooks. What each kind promises, and how it is called, is `portula.host.policies`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from portula.host.commands import HOST_COMMANDS
from portula.host.policies import Policies
from portula.model.records import CORE_RECORDS
from portula.model.sources import Source

if TYPE_CHECKING:
    import click
    from pydantic import BaseModel

    from portula.flow.backend import Backend
    from portula.flow.client_auth import ClientAuthMethod
    from portula.flow.exchange import Exchange
    from portula.flow.grants import GrantFactory, ResponseTypeFactory
    from portula.flow.interaction import Demands
    from portula.flow.messages import OAuthRequest
    from portula.flow.request_resolvers import RequestResolver
    from portula.flow.steps import Step
    from portula.flow.validator import OAuth2Validator
    from portula.host.checks import Finding
    from portula.model import events
    from portula.model.client_metadata import ClientMember
    from portula.model.http import Endpoint
    from portula.model.records import AccessToken, Application, RecordType
    from portula.model.slots import (
        Authenticated,
        Clock,
        Consent,
        Fetcher,
        HashGenerator,
        Jose,
        Login,
        ScopesBackend,
        SecretHasher,
        Sessions,
        TokenGenerator,
        User,
    )
    from portula.model.storage import StoreFactory
    from portula.web.blueprints import AccountLink, Mount


class Hooks(Policies):
    """One short method a hook. Slots are properties: the choice is made at first use, during start-up."""

    # --- Slots ---

    @cached_property
    def clock(self) -> Clock | None:
        """The clock, or None for the machine's own."""
        return cast("Clock | None", self.ruling("clock").answer)

    @cached_property
    def application_model(self) -> type[Any] | None:
        """The class of clients, or None for core's own; so the next four."""
        return cast("type[Any] | None", self.ruling("application_model").answer)

    @cached_property
    def grant_model(self) -> type[Any] | None:
        """The class of authorization codes."""
        return cast("type[Any] | None", self.ruling("grant_model").answer)

    @cached_property
    def access_token_model(self) -> type[Any] | None:
        """The class of access tokens."""
        return cast("type[Any] | None", self.ruling("access_token_model").answer)

    @cached_property
    def refresh_token_model(self) -> type[Any] | None:
        """The class of refresh tokens."""
        return cast("type[Any] | None", self.ruling("refresh_token_model").answer)

    @cached_property
    def id_token_model(self) -> type[Any] | None:
        """The class of ID tokens."""
        return cast("type[Any] | None", self.ruling("id_token_model").answer)

    @cached_property
    def scopes_backend(self) -> ScopesBackend:
        """Which scopes exist."""
        return cast("ScopesBackend", self._slot("scopes_backend"))

    @cached_property
    def client_id_generator(self) -> HashGenerator:
        """Makes client identifiers."""
        return cast("HashGenerator", self._slot("client_id_generator"))

    @cached_property
    def client_secret_generator(self) -> HashGenerator:
        """Makes client secrets."""
        return cast("HashGenerator", self._slot("client_secret_generator"))

    @cached_property
    def access_token_generator(self) -> TokenGenerator:
        """Makes access tokens."""
        return cast("TokenGenerator", self._slot("access_token_generator"))

    @cached_property
    def refresh_token_generator(self) -> TokenGenerator:
        """Makes refresh tokens."""
        return cast("TokenGenerator", self._slot("refresh_token_generator"))

    @cached_property
    def secret_hasher(self) -> SecretHasher:
        """Keeps client secrets and passwords."""
        return cast("SecretHasher", self._slot("secret_hasher"))

    @cached_property
    def validator_class(self) -> type[OAuth2Validator] | None:
        """The deployment's validator class, if it has one."""
        return cast("type[OAuth2Validator] | None", self.ruling("validator_class").answer)

    @cached_property
    def server_class(self) -> Callable[..., Any]:
        """The oauthlib server class."""
        return cast("Callable[..., Any]", self._slot("server_class"))

    @cached_property
    def backend_class(self) -> type[Backend]:
        """What stands between HTTP messages and the server."""
        return cast("type[Backend]", self._slot("backend_class"))

    @cached_property
    def login(self) -> Login:
        """Signs people in."""
        return cast("Login", self._slot("login"))

    @cached_property
    def sessions(self) -> Sessions:
        """Login sessions."""
        return cast("Sessions", self._slot("sessions"))

    @cached_property
    def consent(self) -> Consent:
        """Asks people."""
        return cast("Consent", self._slot("consent"))

    @cached_property
    def fetcher(self) -> Fetcher:
        """Asks other servers."""
        return cast("Fetcher", self._slot("fetcher"))

    @cached_property
    def jose(self) -> Jose:
        """Signs and verifies tokens."""
        return cast("Jose", self._slot("jose"))

    # --- Contributions ---

    def settings(self) -> list[tuple[Source, type[BaseModel]]]:
        """Return the settings models, each with the plugin that owns it."""
        return [
            (source, model) for source, models in self._collect("portula_settings", {}) for model in models
        ]

    def records(self) -> list[RecordType]:
        """Return the record types of rooms."""
        taken = [record.name for record in CORE_RECORDS]
        return self._join("portula_records", lambda record: [record.name], taken=taken)

    def stores(self) -> dict[str, StoreFactory]:
        """Return the storages by name."""
        return self._merge("portula_stores")

    def scopes(self) -> dict[str, str]:
        """Return the scopes valid with any scopes backend."""
        return self._merge("portula_scopes")

    def validator_mixins(self) -> list[tuple[Source, type[OAuth2Validator]]]:
        """Return the validator mixins, strongest tier first."""
        found = self._collect("portula_validator_mixins", {"provider": self._provider})
        return [(source, mixin) for source, mixins in reversed(found) for mixin in mixins]

    def client_auth_methods(self) -> list[ClientAuthMethod]:
        """Return the client authentication methods."""
        return self._join("portula_client_auth_methods", lambda method: [method.name])

    def client_metadata(self) -> list[ClientMember]:
        """Return the members of client metadata."""
        return self._join("portula_client_metadata", lambda member: [member.name])

    def request_resolvers(self) -> list[RequestResolver]:
        """Return the ways of carrying parameters elsewhere."""
        return self._join("portula_request_resolvers", lambda resolver: [resolver.name])

    def grant_types(self) -> dict[str, GrantFactory]:
        """Return the grant types by name."""
        return self._merge("portula_grant_types")

    def steps(self) -> list[Step]:
        """Return the steps that rooms insert into the lists of endpoints, each with its plugin."""
        found = self._collect("portula_steps", {"provider": self._provider})
        return [replace(step, source=source) for source, steps in found for step in steps]

    def response_types(self) -> dict[str, ResponseTypeFactory]:
        """Return the response types by name."""
        return self._merge("portula_response_types")

    def endpoints(self) -> list[Endpoint]:
        """Return the machine endpoints; two may share neither name nor path."""
        return self._join(
            "portula_endpoints", lambda endpoint: [endpoint.name, f"path {endpoint.path.rstrip('/')}"]
        )

    def blueprints(self) -> list[Mount]:
        """Return the blueprints."""
        return self._join("portula_blueprints", lambda mount: [mount.blueprint.name])

    def account_links(self) -> list[AccountLink]:
        """Return the links of the account page; two may not lead to one page."""
        return self._join("portula_account_links", lambda link: [link.view])

    def metadata(self) -> list[tuple[Source, Mapping[str, Any]]]:
        """Return the metadata contributions, weakest tier first."""
        return self._collect("portula_metadata", {"provider": self._provider})

    def commands(self) -> list[click.Command]:
        """Return the commands; none may take the place of one of the host's."""
        return self._join("portula_commands", lambda command: [command.name], taken=HOST_COMMANDS)

    def demo(self) -> dict[str, str]:
        """Prepare demo data; return lines to print."""
        return self._merge("portula_demo")

    def checks(self) -> list[Finding]:
        """Return what rooms find about the posture of the deployment."""
        found = self._collect("portula_checks", {"provider": self._provider})
        return [finding for _, findings in found for finding in findings]

    # --- Per request ---

    def validate_authorization_request(self, request: OAuthRequest) -> None:
        """Hear every veto on an authorization request."""
        self._veto("portula_validate_authorization_request", request)

    def shape_token(self, exchange: Exchange) -> None:
        """Let rooms change what is to be issued."""
        self._shape("portula_shape_token", exchange)

    def validate_token_request(self, request: OAuthRequest) -> None:
        """Hear every veto on a token request."""
        self._veto("portula_validate_token_request", request)

    def validate_client_registration(self, application: Application) -> None:
        """Hear every rule on client metadata; raise all their words as one InvalidClientMetadata."""
        self.rules("portula_validate_client_registration", {"application": application})

    def interaction_demands(self, request: OAuthRequest, user: Authenticated | None, fresh: bool) -> Demands:
        """Join what every room demands before an authorization request is answered."""
        return self._demands(
            "portula_interaction_demands", {"request": request, "user": user, "fresh": fresh}
        )

    def authorization_response(self, request: OAuthRequest, response: Mapping[str, str]) -> dict[str, str]:
        """Let rooms add to the answer to an authorization request."""
        return self._enrich("portula_authorization_response", {"request": request}, response)

    def id_token_claims(self, request: OAuthRequest, user: User, claims: Mapping[str, Any]) -> dict[str, Any]:
        """Let rooms add to an ID token."""
        given = {"request": request, "user": user}
        return self._enrich("portula_id_token_claims", given, claims, "claims")

    def userinfo_claims(self, request: OAuthRequest, user: User, claims: Mapping[str, Any]) -> dict[str, Any]:
        """Let rooms add to what userinfo says of a person."""
        given = {"request": request, "user": user}
        return self._enrich("portula_userinfo_claims", given, claims, "claims")

    def token_response(self, request: OAuthRequest, response: Mapping[str, Any]) -> dict[str, Any]:
        """Let rooms add to a token response."""
        return self._enrich("portula_token_response", {"request": request}, response)

    def introspection_response(self, token: AccessToken, response: Mapping[str, Any]) -> dict[str, Any]:
        """Let rooms add to an introspection response."""
        return self._enrich("portula_introspection_response", {"token": token}, response)

    def record_authorization(self, event: events.AuthorizationGranted) -> list[object]:
        """Ask the outboxes for records that are kept with an authorization."""
        return self._record("portula_record_authorization", event)

    def record_token(self, event: events.TokenIssued) -> list[object]:
        """Ask the outboxes for records that are kept with issued tokens."""
        return self._record("portula_record_token", event)

    def record_session_end(self, event: events.SessionEnded) -> list[object]:
        """Ask the outboxes for records that are kept when a login session ends."""
        return self._record("portula_record_session_end", event)

    def token_issued(self, event: events.TokenIssued) -> None:
        """Tell that tokens were issued."""
        self._event("portula_token_issued", event)

    def token_refused(self, event: events.TokenRefused) -> None:
        """Tell that the token endpoint refused."""
        self._event("portula_token_refused", event)

    def token_revoked(self, event: events.TokenRevoked) -> None:
        """Tell that a token was revoked."""
        self._event("portula_token_revoked", event)

    def code_replayed(self, event: events.Replay) -> None:
        """Tell that a code was replayed."""
        self._event("portula_code_replayed", event)

    def refresh_replayed(self, event: events.Replay) -> None:
        """Tell that a refresh token was replayed."""
        self._event("portula_refresh_replayed", event)

    def consent_given(self, event: events.ConsentGiven) -> None:
        """Tell that consent was given."""
        self._event("portula_consent_given", event)

    def client_saved(self, event: events.ClientSaved) -> None:
        """Tell that a client was saved."""
        self._event("portula_client_saved", event)

    def client_authenticated(self, event: events.ClientAuthenticated) -> None:
        """Tell that a client authenticated."""
        self._event("portula_client_authenticated", event)

    def login_succeeded(self, event: events.LoginSucceeded) -> None:
        """Tell that a person signed in."""
        self._event("portula_login_succeeded", event)

    def login_failed(self, event: events.LoginFailed) -> None:
        """Tell that a sign-in failed."""
        self._event("portula_login_failed", event)

    def session_ended(self, event: events.SessionEnded) -> None:
        """Tell that a login session ended."""
        self._event("portula_session_ended", event)

    def logout_succeeded(self, event: events.LogoutSucceeded) -> None:
        """Tell that a person signed out at the wish of an app."""
        self._event("portula_logout_succeeded", event)
