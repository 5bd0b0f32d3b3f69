"""The hooks called while a request is answered, before anything of the answer is kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from portula.flow.enrichments import (
    AuthorizationResponse,
    IntrospectionResponse,
    TokenResponse,
)
from portula.flow.events import AuthorizationGranted, SessionEnded, TokenIssued
from portula.flow.exchange import AuthorizationExchange, Exchange
from portula.flow.interaction import Demands, Interaction
from portula.flow.registration import ClientRegistration
from portula.host.kinds import HookClass, HookDeclarations, enrichment, outbox, requirement, shape, veto
from portula.model.errors import InvalidClientMetadata


class RequestHooks(HookDeclarations):
    """Vetoes, requirements, enrichments and outboxes."""

    @veto(HookClass.SEES_SECRETS)
    def portula_validate_authorization_request(self, exchange: AuthorizationExchange) -> None:
        """Deny an authorization request by raising an OAuth2Error; every implementation is heard.

        Example:
            class NoNights(Plugin):
                def portula_validate_authorization_request(self, exchange):
                    if "tea" in exchange.request.scopes:
                        raise AccessDeniedError("Not at night.")
        """

    @veto(HookClass.SEES_SECRETS)
    def portula_validate_token_request(self, exchange: Exchange) -> None:
        """Deny a token request by raising an OAuth2Error, after the grant's own checks and before anything is kept.

        Example:
            class NoTea(Plugin):
                def portula_validate_token_request(self, exchange):
                    if exchange.request.grant_type == "urn:example:tea":
                        raise UnauthorizedClientError("No tea.")
        """

    @shape(HookClass.DECIDES)
    def portula_shape_token(self, exchange: Exchange) -> None:
        """Change what is to be issued (`exchange.issue`) before anything is made; raising an OAuth2Error denies it.

        Example:
            class Short(Plugin):
                def portula_shape_token(self, exchange):
                    exchange.issue.lifetime = min(exchange.issue.lifetime, 60)
        """

    @veto(HookClass.DECIDES, denial=InvalidClientMetadata)
    def portula_validate_client_registration(self, registration: ClientRegistration) -> None:
        """Deny saving a client by raising InvalidClientMetadata, on every write path; every implementation is heard.

        It is not asked about an edit that only disables the client.

        Example:
            class Named(Plugin):
                def portula_validate_client_registration(self, registration):
                    if not registration.application.name:
                        raise InvalidClientMetadata("a client needs a name")
        """

    @requirement(HookClass.SEES_SECRETS)
    def portula_interaction_demands(self, interaction: Interaction) -> Demands | None:
        """Say what an authorization request demands of the person before its answer; raising an OAuth2Error denies it.

        Example:
            class OnceADay(Plugin):
                def portula_interaction_demands(self, interaction):
                    user, yesterday = interaction.user, interaction.provider.now() - 86400
                    return Demands(login=user is not None and user.auth_time < yesterday)
        """
        return None

    @enrichment(HookClass.SEES_SECRETS, adds_to="response")
    def portula_authorization_response(self, answer: AuthorizationResponse) -> Mapping[str, str] | None:
        """Add parameters to the answer to an authorization request; those that stand already cannot be overwritten.

        Example:
            class Region(Plugin):
                def portula_authorization_response(self, answer):
                    return {"region": "north"}
        """
        return None

    @enrichment(HookClass.SEES_SECRETS, adds_to="response")
    def portula_token_response(self, answer: TokenResponse) -> Mapping[str, Any] | None:
        """Add members to a token response; those of RFC 6749 §5.1 cannot be overwritten.

        Example:
            class Greeting(Plugin):
                def portula_token_response(self, answer):
                    return {"greeting": "hello"}
        """
        return None

    @enrichment(HookClass.SHAPES_TOKENS, adds_to="response")
    def portula_introspection_response(self, answer: IntrospectionResponse) -> Mapping[str, Any] | None:
        """Add members to an introspection response (RFC 7662 §2.2); those set already cannot be overwritten.

        Example:
            class Tenant(Plugin):
                def portula_introspection_response(self, answer):
                    return {"tenant": "north"}
        """
        return None

    @outbox(HookClass.DECIDES)
    def portula_record_authorization(self, event: AuthorizationGranted) -> Iterable[object] | None:
        """Return records that are kept with an authorization, in one plan; a failure refuses the request.

        Example:
            class Audit(Plugin):
                def portula_record_authorization(self, event):
                    return [Artifact(digest=event.id, kind="audit", payload=event.as_json(), issued_at=event.at)]
        """
        return None

    @outbox(HookClass.DECIDES)
    def portula_record_token(self, event: TokenIssued) -> Iterable[object] | None:
        """Return records that are kept with issued tokens, in one plan; a failure refuses the request.

        Example:
            class Audit(Plugin):
                def portula_record_token(self, event):
                    return [Artifact(digest=event.id, kind="audit", payload=event.as_json(), issued_at=event.at)]
        """
        return None

    @outbox(HookClass.DECIDES)
    def portula_record_session_end(self, event: SessionEnded) -> Iterable[object] | None:
        """Return records that are kept when a login session ends, in one plan; a failure keeps the session.

        Whoever keeps sessions calls it, in a request or outside of one, and tells `portula_session_ended` after it.

        Example:
            class Audit(Plugin):
                def portula_record_session_end(self, event):
                    return [Artifact(digest=event.id, kind="audit", payload=event.as_json(), issued_at=event.at)]
        """
        return None
