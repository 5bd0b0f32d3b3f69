"""Step-up authentication: how the person of a token has to have signed in for a view (RFC 9470)."""

from __future__ import annotations

from dataclasses import dataclass

from portula.errors import OAuth2Error
from portula_resource_server.tokens import VerifiedToken


class InsufficientUserAuthenticationError(OAuth2Error):  # type: ignore[misc] # oauthlib has no types
    """The person of a token did not sign in as the view needs, or too long ago (RFC 9470 §3)."""

    error = "insufficient_user_authentication"
    status_code = 401


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredAuthentication:
    """What a view needs of the sign-in behind a token; without either value it needs none."""

    acr_values: tuple[str, ...] = ()
    """Authentication context classes, one of which is needed, the preferred first; empty for any."""
    max_age: int | None = None
    """Seconds since the sign-in, at the most; None for any number."""

    def __post_init__(self) -> None:
        """Refuse what no challenge can say.

        Raises:
            ValueError: a class is no word of printable ASCII without quotation marks, or the age is negative.
        """
        for value in self.acr_values:
            if not value.isascii() or not value.isprintable() or not value or set(value) & set(' "\\'):
                raise ValueError(f"acr_values: {value!r} is no authentication context class")
        if self.max_age is not None and self.max_age < 0:
            raise ValueError(f"max_age: {self.max_age} is negative")

    def check(self, token: VerifiedToken, now: int) -> None:
        """Require that the claims `acr` and `auth_time` of a token meet it.

        Raises:
            InsufficientUserAuthenticationError: they do not, or are not told.
        """
        if self.acr_values and token.claims.get("acr") not in self.acr_values:
            raise InsufficientUserAuthenticationError(description="The sign-in is of another class.")
        if self.max_age is not None:
            signed_in = token.claims.get("auth_time")
            if not isinstance(signed_in, int) or now - signed_in > self.max_age:
                raise InsufficientUserAuthenticationError(description="The sign-in was too long ago.")

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the challenge (RFC 9470 §3)."""
        needed = {"acr_values": " ".join(self.acr_values)} if self.acr_values else {}
        return needed if self.max_age is None else {**needed, "max_age": str(self.max_age)}


ANY_AUTHENTICATION = RequiredAuthentication()
