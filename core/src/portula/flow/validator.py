"""The questions oauthlib asks, and how the rooms' answers are folded into one class."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from oauthlib.oauth2.rfc6749.errors import InvalidGrantError

from portula.flow.enrichments import TokenResponse
from portula.flow.event_hooks import EventHooks
from portula.flow.events import TokenIssued
from portula.flow.exchange import TokenExchange
from portula.flow.messages import OAuthRequest
from portula.flow.questions import Questions
from portula.flow.request_hooks import RequestHooks
from portula.model.errors import ConfigError, SlotConflict, nearest
from portula.model.records import AccessToken, Application, RefreshToken
from portula.model.sources import Source

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.flow.tokens import TokenHandler
    from portula.model.slots import User


PROTECTED = frozenset({"access_token", "token_type", "expires_in", "refresh_token", "scope"})
"""Members of a token response that only the grant itself gives (RFC 6749 §5.1)."""

T = TypeVar("T", AccessToken, RefreshToken)


@dataclass(frozen=True, slots=True)
class Live(Generic[T]):
    """A token that counts now, with what was read to know that."""

    token: T
    client: Application
    user: User | None
    """None for tokens of the client itself."""


class OAuth2Validator(Questions):
    """Base of every validator part and of every class named in OAUTH2_VALIDATOR_CLASS.

    It answers nothing itself, but keeps the host's promises when tokens are saved: every veto is heard, single-use
    records are taken before anything is added, outboxes are filled in the same transaction, and listeners hear of it
    only after the commit. A third-party grant goes through here as well.
    """

    provider: AuthorizationServer

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider that the questions are about."""
        super().__init__()
        self.provider = provider

    def save_token(self, token: dict[str, Any], request: OAuthRequest) -> None:
        """Keep a token response once everybody agrees (oauthlib calls this after all of a grant's checks).

        Raises:
            OAuth2Error: a veto, or a lost race for a single-use record (`Replayed` becomes invalid_grant outside).
        """
        provider, hooks = self.provider, self.provider.hooks
        exchange = TokenExchange(provider=provider, request=request)
        hooks.hear(RequestHooks.portula_validate_token_request, exchange)
        if request.client is None:
            raise InvalidGrantError(description="The grant names no client.", request=request)
        if not self.issues_refresh_token(request):  # a server class of oauthlib's own does not ask
            token.pop("refresh_token", None)
        with provider.storage.transaction():
            self.take_single_use(token, request)
            family = self.save_bearer_token(token, request)
            issued = TokenIssued(
                provider=provider,
                client_id=request.client.client_id,
                subject=request.user,
                grant_type=request.grant_type or "",
                scopes=tuple(request.scopes or ()),
                family=str(family or ""),
            )
            for record in hooks.record(RequestHooks.portula_record_token, issued):
                provider.storage.add(record)
            response = TokenResponse(provider=provider, request=request, response=token)
            enriched = hooks.enrich(RequestHooks.portula_token_response, response)
            token.update({name: value for name, value in enriched.items() if name not in PROTECTED})
            provider.storage.on_commit(lambda: hooks.tell(EventHooks.portula_token_issued, issued))

    @property
    def code_challenge_methods(self) -> Collection[str]:
        """The values of code_challenge_method that are allowed (RFC 7636 §4.3)."""
        return ("S256",)

    @property
    def server_arguments(self) -> Mapping[str, Any]:
        """Further keywords for the server class."""
        return {}

    def take_single_use(self, token: Mapping[str, Any], request: OAuthRequest) -> None:
        """Take the code or token that this request redeems; Replayed when somebody else did."""

    def revoke_family_of(self, record: object) -> None:
        """Revoke everything that grew from the authorization of a replayed record (RFC 6749 §4.1.2)."""
        raise NotImplementedError

    def find_live_access_token(
        self, value: str, known: Application | None = None
    ) -> Live[AccessToken] | None:
        """Return the access token with this value unless it expired, was revoked, or its client or user is disabled.

        `known` is a client that was read in this request already, so that it is not read again.
        """
        raise NotImplementedError

    def find_live_refresh_token(
        self, value: str, known: Application | None = None
    ) -> Live[RefreshToken] | None:
        """Return the refresh token with this value unless it was superseded; all else as for access tokens."""
        raise NotImplementedError

    def active_person(self, subject: str) -> User | None:
        """Return a person who may still be spoken for, None for anybody else."""
        raise NotImplementedError

    def issues_refresh_token(self, request: OAuthRequest) -> bool:
        """Say whether a refresh token goes with the access token of this request."""
        return False

    def access_token_lifetime(self, request: OAuthRequest) -> int:
        """Return the seconds an access token lives."""
        raise NotImplementedError

    def get_id_token(
        self, token: Mapping[str, Any], token_handler: TokenHandler, request: OAuthRequest
    ) -> str | None:
        """Return the ID token that goes with an answer, None where none does. `token` is the answer so far."""
        return None

    def get_userinfo_claims(self, request: OAuthRequest) -> dict[str, Any] | str:
        """Return the claims about the person whose access token the request carries; a string is a signed answer."""
        return {"sub": self.subject_for(request.user or "", request.client)}

    def subject_for(self, subject: str, client: Application | None) -> str:
        """Return the identifier by which a client knows a person (OpenID Connect Core §8)."""
        return subject

    def enabled_response_types(self, contributed: Collection[str]) -> Collection[str]:
        """Return which of the response types that rooms contribute are in use."""
        return contributed

    def enabled_client_auth_methods(self, contributed: Collection[str]) -> Collection[str]:
        """Return which of the client authentication methods that rooms contribute are in use."""
        return contributed


QUESTION = "validator."
"""Prefix of a question in PLUGINS_CHOICE, e.g. `validator.rotate_refresh_token`."""


def fold(
    user_class: type[OAuth2Validator] | None,
    mixins: Sequence[tuple[Source, type[OAuth2Validator]]],
    choice: Mapping[str, str],
) -> type[Any]:
    """Join the deployment's class and the rooms' mixins, strongest first, into one validator class.

    `choice` is PLUGINS_CHOICE: for a question written `validator.METHOD` it names the plugin that answers.

    Raises:
        SlotConflict: two mixins of one tier answer the same question, and it is not chosen.
        ConfigError: the plugin chosen for a question does not answer it.
    """
    chosen = {key.removeprefix(QUESTION): name for key, name in choice.items() if key.startswith(QUESTION)}
    answered: dict[tuple[int, str], Source] = {}
    for source, mixin in mixins:
        for question in vars(mixin):
            if question.startswith("__") or question in chosen:
                continue
            other = answered.setdefault((source.tier, question), source)
            if other is not source:
                raise SlotConflict(
                    f"validator question {question!r}: both {other} and {source} answer; settle it with "
                    f'PLUGINS_CHOICE = {{"{QUESTION}{question}": "{other.name}"}} or block one'
                )
    namespace = {question: _answer(question, name, mixins) for question, name in chosen.items()}
    bases = [] if user_class in (None, OAuth2Validator) else [user_class]
    bases += [mixin for _, mixin in mixins]
    return type("Validator", tuple(dict.fromkeys(bases)) or (OAuth2Validator,), namespace)


def _answer(question: str, plugin: str, mixins: Sequence[tuple[Source, type[OAuth2Validator]]]) -> Any:
    answers = {source.name: vars(mixin)[question] for source, mixin in mixins if question in vars(mixin)}
    if plugin not in answers:
        raise ConfigError(
            f"PLUGINS_CHOICE: {plugin!r} does not answer {QUESTION}{question}; those that do: "
            f"{', '.join(sorted(answers)) or 'none'}{nearest(plugin, answers)}"
        )
    return answers[plugin]
