"""The typed façade of the hooks: how each kind is called, and the promise each kind keeps.

Slots are asked once, all of them, and the strongest tier wins. Denials are all heard, and none can be outvoted or
swallowed. Enrichments cannot overwrite. Outboxes fail the request. Events fail nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from oauthlib.oauth2 import OAuth2Error
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError

from portula.clients import InvalidClientMetadata
from portula.defaults import SLOT_REMEDIES
from portula.errors import ConfigError, DuplicateContribution, EmptySlot, HookFailed, SlotConflict, nearest
from portula.plugins import Implementation, Plugins, Source

if TYPE_CHECKING:
    import click
    from pydantic import BaseModel

    from portula import events
    from portula.blueprints import Mount
    from portula.client_auth import ClientAuthMethod
    from portula.endpoints import Endpoint
    from portula.engine.backend import Backend
    from portula.engine.grants import GrantFactory
    from portula.engine.messages import OAuthRequest
    from portula.engine.validator import OAuth2Validator
    from portula.provider import Provider
    from portula.records import AccessToken, Application, RecordType
    from portula.slots import (
        Clock,
        Consent,
        HashGenerator,
        Login,
        ScopesBackend,
        SecretHasher,
        Sessions,
        TokenGenerator,
    )
    from portula.storage import StoreFactory

log = logging.getLogger("portula")


@dataclass(frozen=True, slots=True)
class Ruling:
    """Who answered a slot: the winner and those it outranked, strongest first."""

    slot: str
    answer: Any
    winner: Source | None
    outranked: tuple[Source, ...] = ()


class Hooks:
    """One short method a hook. Slots are properties: the choice is made at first use, during start-up."""

    def __init__(self, plugins: Plugins, provider: Provider, choice: Mapping[str, str]) -> None:
        """Take the registered plugins and PLUGINS_CHOICE (slot name to plugin name)."""
        self._plugins = plugins
        self._provider = provider
        self._choice = choice
        self._rulings: dict[str, Ruling] = {}
        self._ordered: dict[str, tuple[Implementation, ...]] = {}

    # --- The policies ---

    def _implementations(self, hook: str) -> tuple[Implementation, ...]:
        found = self._ordered.get(hook)
        if found is None:
            found = self._ordered[hook] = tuple(self._plugins.implementations(hook))
        return found

    def ruling(self, slot: str) -> Ruling:
        """Ask everyone who answers a slot and choose: the deployment's choice, else the strongest tier.

        Raises:
            SlotConflict: two plugins of the winning tier answer.
            ConfigError: PLUGINS_CHOICE names a plugin that does not answer this slot.
        """
        known = self._rulings.get(slot)
        if known is not None:
            return known
        answers = [
            (implementation.source, answer)
            for implementation in self._implementations(f"portula_{slot}")
            if (answer := implementation.call({"provider": self._provider})) is not None
        ]
        chosen = self._choice.get(slot)
        if chosen is not None:
            answers.sort(key=lambda entry: entry[0].name != chosen)
            if not answers or answers[0][0].name != chosen:
                names = [source.name for source, _ in answers]
                raise ConfigError(
                    f"PLUGINS_CHOICE: {chosen!r} does not answer the slot {slot!r}; those that do: "
                    f"{', '.join(sorted(names)) or 'none'}{nearest(chosen, names)}"
                )
        elif len(answers) > 1 and answers[0][0].tier == answers[1][0].tier:
            first, second = answers[0][0], answers[1][0]
            raise SlotConflict(
                f"slot {slot!r}: both {first} and {second} answer; settle it with "
                f'PLUGINS_CHOICE = {{"{slot}": "{first.name}"}} or block one with PLUGINS_BLOCKED'
            )
        ruling = (
            Ruling(slot, answers[0][1], answers[0][0], tuple(source for source, _ in answers[1:]))
            if answers
            else Ruling(slot, None, None)
        )
        self._rulings[slot] = ruling
        return ruling

    def _slot(self, slot: str) -> Any:
        ruling = self.ruling(slot)
        if ruling.winner is None:
            raise EmptySlot(
                f"slot {slot!r}: nothing answers; install {SLOT_REMEDIES.get(slot, 'a plugin that does')}"
            )
        return ruling.answer

    def _collect(self, hook: str, arguments: dict[str, Any]) -> list[tuple[Source, Any]]:
        """Call all, weakest tier first, and keep the answers that are not None."""
        return [
            (implementation.source, answer)
            for implementation in reversed(self._implementations(hook))
            if (answer := implementation.call(arguments)) is not None
        ]

    def _merge(self, hook: str) -> dict[str, Any]:
        """Join mappings; one key from two plugins is an error."""
        merged: dict[str, Any] = {}
        owners: dict[str, Source] = {}
        for source, mapping in self._collect(hook, {"provider": self._provider}):
            for key, value in mapping.items():
                if key in merged:
                    raise DuplicateContribution(
                        f"{hook}: {key!r} comes from {owners[key]} and from {source}; block one"
                    )
                merged[key], owners[key] = value, source
        return merged

    def _join(
        self, hook: str, key: Callable[[Any], str], arguments: dict[str, Any] | None = None
    ) -> list[Any]:
        """Join sequences; two members with one key are an error."""
        joined: dict[str, tuple[Source, Any]] = {}
        given = {"provider": self._provider} if arguments is None else arguments
        for source, members in self._collect(hook, given):
            for member in members:
                name = key(member)
                if name in joined:
                    raise DuplicateContribution(
                        f"{hook}: {name!r} comes from {joined[name][0]} and from {source}; block one"
                    )
                joined[name] = (source, member)
        return [member for _, member in joined.values()]

    def _veto(self, hook: str, request: OAuthRequest) -> None:
        """Hear everyone; then raise the first denial. What is not a denial but raises is one too."""
        denials: list[OAuth2Error] = []
        for implementation in self._implementations(hook):
            try:
                answer = implementation.call({"provider": self._provider, "request": request})
            except OAuth2Error as denial:
                denials.append(denial)
            except Exception:
                log.exception("%s failed in %s; the request is refused", hook, implementation.source)
                denials.append(AccessDeniedError(description="A rule of this server could not be applied."))
            else:
                if answer is not None:
                    log.error("%s of %s returned a value; a veto returns None", hook, implementation.source)
                    denials.append(
                        AccessDeniedError(description="A rule of this server could not be applied.")
                    )
        if denials:
            raise denials[0]

    def _enrich(self, hook: str, arguments: dict[str, Any], response: Mapping[str, Any]) -> dict[str, Any]:
        """Let everyone add members; members that stand already stay as they are."""
        enriched = dict(response)
        for implementation in self._implementations(hook):
            added = implementation.call({**arguments, "provider": self._provider, "response": dict(enriched)})
            for name, value in (added or {}).items():
                enriched.setdefault(name, value)
        return enriched

    def _record(self, hook: str, event: object) -> None:
        """Call all; whatever one raises refuses the request and rolls its transaction back."""
        for implementation in self._implementations(hook):
            try:
                implementation.call({"provider": self._provider, "event": event})
            except Exception as error:
                raise HookFailed(f"{hook} failed in {implementation.source}") from error

    def _event(self, hook: str, event: object) -> None:
        """Call each apart; a failure is logged and hurts nobody."""
        for implementation in self._implementations(hook):
            try:
                implementation.call({"provider": self._provider, "event": event})
            except Exception:
                log.exception("%s failed in %s", hook, implementation.source)

    # --- Slots ---

    @cached_property
    def clock(self) -> Clock | None:
        """The clock, or None for the machine's own."""
        return cast("Clock | None", self.ruling("clock").answer)

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

    # --- Contributions ---

    def settings(self) -> list[tuple[Source, type[BaseModel]]]:
        """Return the settings models, each with the plugin that owns it."""
        return [
            (source, model) for source, models in self._collect("portula_settings", {}) for model in models
        ]

    def records(self) -> list[RecordType]:
        """Return the record types of rooms."""
        return self._join("portula_records", lambda record: record.name)

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
        return self._join("portula_client_auth_methods", lambda method: method.name)

    def grant_types(self) -> dict[str, GrantFactory]:
        """Return the grant types by name."""
        return self._merge("portula_grant_types")

    def response_types(self) -> dict[str, GrantFactory]:
        """Return the response types by name."""
        return self._merge("portula_response_types")

    def endpoints(self) -> list[Endpoint]:
        """Return the machine endpoints."""
        return self._join("portula_endpoints", lambda endpoint: endpoint.name)

    def blueprints(self) -> list[Mount]:
        """Return the blueprints."""
        return self._join("portula_blueprints", lambda mount: mount.blueprint.name)

    def metadata(self) -> list[tuple[Source, Mapping[str, Any]]]:
        """Return the metadata contributions, weakest tier first."""
        return self._collect("portula_metadata", {"provider": self._provider})

    def commands(self) -> list[click.Command]:
        """Return the commands."""
        return self._join("portula_commands", lambda command: command.name)

    def demo(self) -> dict[str, str]:
        """Prepare demo data; return lines to print."""
        return self._merge("portula_demo")

    # --- Per request ---

    def validate_authorization_request(self, request: OAuthRequest) -> None:
        """Hear every veto on an authorization request."""
        self._veto("portula_validate_authorization_request", request)

    def validate_token_request(self, request: OAuthRequest) -> None:
        """Hear every veto on a token request."""
        self._veto("portula_validate_token_request", request)

    def validate_client_registration(self, application: Application) -> None:
        """Hear every rule on client metadata; raise all their words as one InvalidClientMetadata."""
        denials: list[InvalidClientMetadata] = []
        for implementation in self._implementations("portula_validate_client_registration"):
            try:
                answer = implementation.call({"provider": self._provider, "application": application})
            except InvalidClientMetadata as denial:
                denials.append(denial)
            except Exception as error:
                raise HookFailed(
                    f"portula_validate_client_registration failed in {implementation.source}"
                ) from error
        if denials:
            raise InvalidClientMetadata("; ".join(str(denial) for denial in denials), denials[0].error)

    def token_response(self, request: OAuthRequest, response: Mapping[str, Any]) -> dict[str, Any]:
        """Let rooms add to a token response."""
        return self._enrich("portula_token_response", {"request": request}, response)

    def introspection_response(self, token: AccessToken, response: Mapping[str, Any]) -> dict[str, Any]:
        """Let rooms add to an introspection response."""
        return self._enrich("portula_introspection_response", {"token": token}, response)

    def record_token(self, event: events.TokenIssued) -> None:
        """Fill the outboxes inside the transaction."""
        self._record("portula_record_token", event)

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

    def login_succeeded(self, event: events.LoginSucceeded) -> None:
        """Tell that a person signed in."""
        self._event("portula_login_succeeded", event)

    def login_failed(self, event: events.LoginFailed) -> None:
        """Tell that a sign-in failed."""
        self._event("portula_login_failed", event)
