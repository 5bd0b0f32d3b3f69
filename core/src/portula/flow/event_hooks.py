"""The hooks of events, which are called after the plan is applied."""

from __future__ import annotations

from portula.flow.events import (
    AuthorizationRequestRefused,
    ClientAuthenticated,
    ClientAuthenticationFailed,
    ClientSaved,
    CodeReplayed,
    ConsentGiven,
    LoginFailed,
    LoginSucceeded,
    RefreshTokenReplayed,
    RequestRefused,
    SessionEnded,
    TokenIssued,
    TokenRefused,
    TokenRevoked,
)
from portula.host.kinds import HookDeclarations, event


class EventHooks(HookDeclarations):
    """Events of the protocol."""

    @event()
    def portula_token_issued(self, event: TokenIssued) -> None:
        """Hear that tokens were issued.

        Example:
            class Listener(Plugin):
                def portula_token_issued(self, event):
                    print(event.client_id)
        """

    @event()
    def portula_token_refused(self, event: TokenRefused) -> None:
        """Hear that the token endpoint refused.

        Example:
            class Listener(Plugin):
                def portula_token_refused(self, event):
                    print(event.error)
        """

    @event()
    def portula_token_revoked(self, event: TokenRevoked) -> None:
        """Hear that a token was revoked.

        Example:
            class Listener(Plugin):
                def portula_token_revoked(self, event):
                    print(event.client_id)
        """

    @event()
    def portula_code_replayed(self, event: CodeReplayed) -> None:
        """Hear that an authorization code was used a second time and its tokens are revoked.

        Example:
            class Listener(Plugin):
                def portula_code_replayed(self, event):
                    print(event.client_id)
        """

    @event()
    def portula_refresh_replayed(self, event: RefreshTokenReplayed) -> None:
        """Hear that a superseded refresh token was used and its family is revoked.

        Example:
            class Listener(Plugin):
                def portula_refresh_replayed(self, event):
                    print(event.client_id)
        """

    @event()
    def portula_consent_given(self, event: ConsentGiven) -> None:
        """Hear that a person allowed a client something.

        Example:
            class Listener(Plugin):
                def portula_consent_given(self, event):
                    print(event.scopes)
        """

    @event()
    def portula_client_authenticated(self, event: ClientAuthenticated) -> None:
        """Hear that a client authenticated, before its request is judged; where nobody listens it costs nothing.

        Example:
            class Listener(Plugin):
                def portula_client_authenticated(self, event):
                    print(event.method)
        """

    @event()
    def portula_client_authentication_failed(self, event: ClientAuthenticationFailed) -> None:
        """Hear that a client did not prove who it is, and why: the client itself is told `invalid_client`.

        Example:
            class Listener(Plugin):
                def portula_client_authentication_failed(self, event):
                    print(event.reason)
        """

    @event()
    def portula_authorization_request_refused(self, event: AuthorizationRequestRefused) -> None:
        """Hear that an authorization request ended with an error.

        Example:
            class Listener(Plugin):
                def portula_authorization_request_refused(self, event):
                    print(event.error)
        """

    @event()
    def portula_request_refused(self, event: RequestRefused) -> None:
        """Hear that another endpoint refused: introspection, revocation, registration, or a guarded view.

        Example:
            class Listener(Plugin):
                def portula_request_refused(self, event):
                    print(event.endpoint)
        """

    @event()
    def portula_login_succeeded(self, event: LoginSucceeded) -> None:
        """Hear that a person signed in.

        Example:
            class Listener(Plugin):
                def portula_login_succeeded(self, event):
                    print(event.subject)
        """

    @event()
    def portula_login_failed(self, event: LoginFailed) -> None:
        """Hear that someone failed to sign in.

        Example:
            class Listener(Plugin):
                def portula_login_failed(self, event):
                    print(event.reason)
        """

    @event()
    def portula_session_ended(self, event: SessionEnded) -> None:
        """Hear that a login session ended.

        Example:
            class Listener(Plugin):
                def portula_session_ended(self, event):
                    print(event.sid)
        """

    @event()
    def portula_client_saved(self, event: ClientSaved) -> None:
        """Hear that a client was created or changed.

        Example:
            class Listener(Plugin):
                def portula_client_saved(self, event):
                    print(event.client_id)
        """
