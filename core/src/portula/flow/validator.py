"""The questions oauthlib asks, and how the rooms' answers are folded into one class."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from portula.flow import foreign
from portula.flow.exchange import Exchange, exchange_of
from portula.flow.messages import OAuthRequest
from portula.flow.questions import Questions
from portula.model.errors import ConfigError, SlotConflict, nearest
from portula.model.keys import unkeyed_digest
from portula.model.records import AccessToken, Application, Authorization, RefreshToken
from portula.model.sources import PluginSource

if TYPE_CHECKING:
    from portula.flow.authorization_server import AuthorizationServer
    from portula.model.people import User


T = TypeVar("T", AccessToken, RefreshToken)


@dataclass(frozen=True, slots=True)
class LiveToken(Generic[T]):
    """A token that counts now, with what was read to know that."""

    token: T
    client: Application
    authorization: Authorization | None
    """None for tokens of the client itself."""
    user: User | None
    """None for tokens of the client itself."""


class OAuth2Validator(Questions):
    """Base of every validator part and of every class named in OAUTH2_VALIDATOR_CLASS.

    It answers nothing itself. What it saves goes into the plan of the exchange, which steps apply at the end.
    """

    provider: AuthorizationServer

    def __init__(self, provider: AuthorizationServer) -> None:
        """Take the provider that the questions are about."""
        super().__init__()
        self.provider = provider

    def exchange_of(self, request: OAuthRequest) -> Exchange:
        """Return the exchange that a request belongs to."""
        return exchange_of(request, self.provider)

    def save_token(self, token: dict[str, Any], request: OAuthRequest) -> None:
        """Write what a token response needs kept into the plan of its exchange.

        A subclass that calls `super()` finds it there: `self.exchange_of(request).plan.added(AccessToken)`. The plan is
        applied once everybody agrees. Under a server class of oauthlib's own all that happens here.

        Raises:
            OAuth2Error: a veto, or a lost race for a single-use record (RecordReplayed becomes invalid_grant).
        """
        exchange = self.exchange_of(request)
        if exchange.server is None:
            foreign.issue(exchange, token)
        else:
            self.save_bearer_token(token, request)

    @property
    def code_challenge_methods(self) -> Collection[str]:
        """The values of code_challenge_method that are allowed (RFC 7636 §4.3)."""
        return ("S256",)

    @property
    def server_arguments(self) -> Mapping[str, Any]:
        """Further keywords for the server class."""
        return {}

    def revoke_authorization_of(self, record: object) -> None:
        """Revoke the authorization of a replayed code or refresh token (RFC 6749 §4.1.2, RFC 9700 §4.14)."""
        raise NotImplementedError

    def find_live_access_token(
        self, value: str, caller: Application | None = None
    ) -> LiveToken[AccessToken] | None:
        """Return the access token with this value unless it expired, was revoked, or its client or user is disabled.

        `caller` is the client that asks, where it was found by `ClientCache`.

        Raises:
            ClientChanged: the caller is not stored as it was found.
        """
        raise NotImplementedError

    def why_not_live(self, value: str) -> str | None:
        """Say, for operators, why `find_live_access_token` finds nothing for this value; None when nobody can say."""
        return None

    def find_live_refresh_token(
        self, value: str, known: Application | None = None
    ) -> LiveToken[RefreshToken] | None:
        """Return the refresh token with this value unless it was superseded; all else as for access tokens.

        `known` is a client that was read in this request already, so that it is not read again.
        """
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
        self, token: Mapping[str, Any], token_handler: object, request: OAuthRequest
    ) -> str | None:
        """Return the ID token that goes with an answer, None where none does. `token` is the answer so far."""
        return None

    def get_userinfo_claims(self, request: OAuthRequest) -> dict[str, Any] | str:
        """Return the claims about the person whose access token the request carries; a string is a signed answer."""
        return {"sub": self.exchange_of(request).known_as}

    def subject_for(
        self, subject: str, client: Application | None, authorization: Authorization | None = None
    ) -> str:
        """Return the identifier by which a client knows a person (OpenID Connect Core §8).

        Under an authorization it is the one that was in force when that began, whatever the client has become since.
        """
        return subject

    def keep_subject(self, exchange: Exchange) -> None:
        """Add to the facts of an authorization that begins what `subject_for` needs to know later."""

    def acr_for(self, exchange: Exchange) -> str | None:
        """Return the class of authentication that the person's sign-in reached (`acr`); None when none is known."""
        return None

    def sid_for(self, sid: str, client_id: str) -> str:
        """Return the identifier by which a client knows a login session: no two clients can compare theirs."""
        return unkeyed_digest(f"sid\0{sid}\0{client_id}")

    def tells_username(self, scope: Collection[str], client: Application | None) -> bool:
        """Say whether a token with these scopes allows its client's resource servers to know the person's name."""
        return True

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
    mixins: Sequence[tuple[PluginSource, type[OAuth2Validator]]],
    choice: Mapping[str, str],
) -> type[Any]:
    """Join the deployment's class and the rooms' mixins, strongest first, into one validator class.

    `choice` is PLUGINS_CHOICE: for a question written `validator.METHOD` it names the plugin that answers.

    Raises:
        SlotConflict: two mixins of one tier answer the same question, and it is not chosen.
        ConfigError: the plugin chosen for a question does not answer it.
    """
    chosen = {key.removeprefix(QUESTION): name for key, name in choice.items() if key.startswith(QUESTION)}
    answered: dict[tuple[int, str], PluginSource] = {}
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


def _answer(question: str, plugin: str, mixins: Sequence[tuple[PluginSource, type[OAuth2Validator]]]) -> Any:
    answers = {source.name: vars(mixin)[question] for source, mixin in mixins if question in vars(mixin)}
    if plugin not in answers:
        raise ConfigError(
            f"PLUGINS_CHOICE: {plugin!r} does not answer {QUESTION}{question}; those that do: "
            f"{', '.join(sorted(answers)) or 'none'}{nearest(plugin, answers)}"
        )
    return answers[plugin]
