"""Random values."""

from __future__ import annotations

import secrets
import string

from portula.plugin import HashGenerator

CLIENT_ID_LENGTH = 40
CLIENT_ID_CHARACTERS = string.ascii_letters + string.digits
"""No colon: a client_id must survive HTTP Basic (RFC 7617 §2)."""

SECRET_CHARACTERS = string.ascii_letters + string.digits + "-._~"
"""Unreserved in URLs, so that a secret reads the same before and after form-encoding (RFC 6749 §2.3.1)."""

TOKEN_BYTES = 32


class ClientIdGenerator(HashGenerator):
    """Makes client identifiers of 40 letters and digits (238 bits)."""

    def hash(self) -> str:
        """Return a new client identifier."""
        return "".join(secrets.choice(CLIENT_ID_CHARACTERS) for _ in range(CLIENT_ID_LENGTH))


class ClientSecretGenerator(HashGenerator):
    """Makes client secrets."""

    def __init__(self, length: int) -> None:
        """Take the number of characters."""
        self._length = length

    def hash(self) -> str:
        """Return a new client secret."""
        return "".join(secrets.choice(SECRET_CHARACTERS) for _ in range(self._length))


def random_token(request: object) -> str:
    """Return an opaque token of 43 characters (RFC 6749 §10.10 asks for 128 bits; this has 256)."""
    return secrets.token_urlsafe(TOKEN_BYTES)
