"""The error of this room's own."""

from __future__ import annotations

from portula.errors import InvalidRequestError


class InvalidTargetError(InvalidRequestError):  # type: ignore[misc] # oauthlib has no types
    """There is no token for this server: it is unknown, or the subject's token is not for it (RFC 8693 §2.2.2)."""

    error = "invalid_target"
