"""Errors of the backchannel authentication endpoint (CIBA Core §13)."""

from __future__ import annotations

from portula.errors import InvalidRequestError


class _RequestError(InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """A request is refused by an error code of its own; the status is 400."""


class UnknownUserId(_RequestError):
    """The hint names nobody who can be asked."""

    error = "unknown_user_id"
    description = "The hint names nobody who can be asked."


class ExpiredLoginHintToken(_RequestError):
    """The `login_hint_token` is too old; a resolver raises it."""

    error = "expired_login_hint_token"


class MissingUserCode(_RequestError):
    """A client that is registered to send the code of its person did not."""

    error = "missing_user_code"
    description = "user_code is missing."


class InvalidUserCode(_RequestError):
    """The code is not that of the person."""

    error = "invalid_user_code"
    description = "This is not the code of this person."


class InvalidBindingMessage(_RequestError):
    """The message cannot be shown."""

    error = "invalid_binding_message"
