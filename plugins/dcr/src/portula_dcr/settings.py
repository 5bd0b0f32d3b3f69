"""Settings of dynamic client registration."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

GRANT_TYPES = ("authorization_code", "implicit", "refresh_token")
"""Those in which a person is asked. What a client may do on its own account or with passwords is left out."""


class DcrSettings(BaseModel):
    """Who may register clients, what these may be, and how many."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    DCR_ENABLED: bool = False
    """Whether clients can be registered over HTTP. Off: there is no endpoint, and the metadata names none."""

    DCR_REGISTRATION_MODE: Literal["initial_access_token", "open"] = "initial_access_token"
    """Who may register: who has an initial access token (`portula registration token create`), or everybody
    (RFC 7591 §3). An open endpoint listens to no initial access token."""

    DCR_REGISTRATION_TOKEN_EXPIRE_SECONDS: PositiveInt | None = None
    """Seconds a registration access token lives, counted anew when it is replaced; None: as long as its client."""

    DCR_ROTATE_REGISTRATION_TOKEN_ON_UPDATE: bool = True
    """Whether each update of a client gives a new registration access token and ends the old one (RFC 7592 §5)."""

    DCR_ALLOWED_GRANT_TYPES: tuple[str, ...] = Field(default=GRANT_TYPES, min_length=1)
    """Grant types that a client may be registered for, as far as installed plugins know them. Others that it asks for
    are left out; if none is left, it is refused."""

    DCR_ALLOWED_SCOPES: tuple[str, ...] | None = None
    """Scopes that a client may be registered for; others that it asks for are left out. None: those of the scopes
    backend, and those about people that OpenID Connect Core defines (§5.4, §11). Privileged scopes, such as one that
    lets its bearer ask about other people's tokens, are never among them: an operator gives them to a client, or an
    initial access token allows them."""

    DCR_DEFAULT_SCOPES: tuple[str, ...] | None = None
    """Scopes of a client that asks for none, or for none that it may have. None: all of DCR_ALLOWED_SCOPES."""

    DCR_MAX_CLIENTS_PER_ADDRESS_PER_HOUR: PositiveInt | None = Field(default=20, le=1000)
    """Clients that one address (of IPv6, one /64) may register within an hour of the clock; None: no limit."""

    DCR_MAX_CLIENTS_PER_HOUR: PositiveInt | None = Field(default=500, le=1000)
    """Clients that all addresses together may register within an hour of the clock; None: no limit."""
