"""The hooks of this room, and what their implementations are told."""

# pyright: reportGeneralTypeIssues=false
# All fields are keyword-only, so one that is required may take the place of one that is not.

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from portula import Provider
from portula.plugin import (
    Application,
    AuthenticatedUser,
    Demands,
    HookClass,
    HookDeclarations,
    ProtocolEvent,
    User,
    event,
    outbox,
    requirement,
    slot,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginHint:
    """By what a client names a person (CIBA Core §7.1)."""

    provider: Provider = field(repr=False, compare=False)
    client: Application
    name: str
    """Of the parameter: `login_hint`, or `login_hint_token`."""
    value: str = field(repr=False)
    """As it was sent."""


UserResolver = Callable[[LoginHint], User | None]
"""Returns whom a hint names, None for nobody. It may raise ExpiredLoginHintToken and other errors of OAuth."""

UserCodeVerifier = Callable[[User, str], bool]
"""Says whether a code is that of a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BackchannelAssessment:
    """A request that waits, and the person who is about to decide."""

    provider: Provider = field(repr=False, compare=False)
    client: Application
    scope: tuple[str, ...]
    person: AuthenticatedUser
    """Who is signed in, and since when (`auth_time`)."""
    fresh: bool
    """Whether they signed in for this very request, as `Demands(login=True)` wants it."""
    address: str
    """Where the person is."""
    client_address: str
    """Where the client was when it asked."""
    binding_message: str | None
    begun_at: int
    """When the client asked, Unix seconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BackchannelRequested(ProtocolEvent):
    """A client asks for a person, who has to be told."""

    client_id: str
    client_name: str
    subject: str
    scopes: tuple[str, ...]
    binding_message: str | None
    request_id: str
    """Names the request among those of the person, for `portula_ciba.decide`; nobody gets tokens by it."""
    url: str
    """The page on which the person decides."""
    expires_at: int
    """Unix seconds."""


class CibaHooks(HookDeclarations):
    """Hooks of this room."""

    @slot(HookClass.DECIDES)
    def portula_ciba_user_resolver(self, provider: Provider) -> UserResolver | None:
        """Answer the slot of the function that finds the person whom a hint names; tell nobody by half a match.

        Without another answer a `login_hint` is a user name or a subject, and no `login_hint_token` is understood.

        Example:
            class Telephones(Plugin):
                def portula_ciba_user_resolver(self, provider):
                    return lambda hint: users.by_telephone(hint.value) if hint.name == "login_hint" else None
        """
        return None

    @slot(HookClass.SEES_SECRETS)
    def portula_ciba_user_code_verifier(self, provider: Provider) -> UserCodeVerifier | None:
        """Answer the slot of the function that compares a code which only the person knows (CIBA Core §7.1.2).

        Without an answer there are no such codes, and no client can be registered to send one.

        Example:
            class Codes(Plugin):
                def portula_ciba_user_code_verifier(self, provider):
                    return lambda user, code: hmac.compare_digest(codes[user.subject], code)
        """
        return None

    @outbox(HookClass.OBSERVES)
    def portula_record_ciba_request(self, request: BackchannelRequested) -> Iterable[object] | None:
        """Return records that are kept with a request, such as a delivery that tells its person, surely.

        Example:
            class Push(Plugin):
                def portula_record_ciba_request(self, request):
                    data = {"subject": request.subject, "url": request.url}
                    url = "https://push.example/send"
                    return [request.provider.deliveries.record("push", request.request_id, url, data)]
        """
        return None

    @event()
    def portula_ciba_requested(self, event: BackchannelRequested) -> None:
        """Hear that a client asks for a person, once that is kept: the moment to tell them.

        Example:
            class Mail(Plugin):
                def portula_ciba_requested(self, event):
                    send_mail(event.subject, f"{event.client_name} asks for you: {event.url}")
        """

    @requirement(HookClass.DECIDES)
    def portula_assess_ciba(self, assessment: BackchannelAssessment) -> Demands | None:
        """Say what has to happen before a person may allow a request; raising AccessDeniedError denies it for good.

        Called when the page is shown and when it is answered. `Demands(login=True)` lets the person sign in again, for
        each request once; `items` are shown on the page.

        Example:
            class Fresh(Plugin):
                def portula_assess_ciba(self, assessment):
                    return Demands(login="payments" in assessment.scope)
        """
        return None
