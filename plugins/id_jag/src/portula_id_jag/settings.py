"""Settings of identity assertions for other authorization servers."""

from __future__ import annotations

from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from portula.plugin import origin_of

TYP: Final = "oauth-id-jag+jwt"
"""The `typ` of such a JWT (draft §3)."""


class ResourceAuthorizationServer(BaseModel):
    """An authorization server that takes assertions of this provider."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_ids: dict[str, str] = {}
    """How it knows clients: its client_id for each client_id here. One that is not named has the same there."""
    login_client: str | None = None
    """The client here by which people sign in there: `sub` is then what its ID tokens say. None: what those of the
    client say that asks."""

    @model_validator(mode="after")
    def _no_two_alike(self) -> Self:
        if len(set(self.client_ids.values())) < len(self.client_ids):
            raise ValueError("client_ids: two clients have one name there")
        return self

    def client_id(self, client_id: str) -> str | None:
        """Return how it knows a client; None for one whose name is another's there."""
        if client_id not in self.client_ids and client_id in self.client_ids.values():
            return None
        return self.client_ids.get(client_id, client_id)


class IdJagSettings(BaseModel):
    """Which authorization servers assertions are for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ID_JAG_AUDIENCES: dict[str, ResourceAuthorizationServer] = {}
    """The authorization servers that assertions may be for, by issuer, each with `client_ids` and `login_client` if
    need be: `{"https://chat.example/": {"client_ids": {"wiki": "f53f191f9311af35"}}}`. Empty: none are given."""

    ID_JAG_EXPIRE_SECONDS: int = Field(default=300, ge=10, le=600)
    """How long an assertion counts, if the ID token that it is made of does."""

    @field_validator("ID_JAG_AUDIENCES")
    @classmethod
    def _are_issuers(
        cls, audiences: dict[str, ResourceAuthorizationServer]
    ) -> dict[str, ResourceAuthorizationServer]:
        for issuer in audiences:
            if origin_of(issuer) is None:
                raise ValueError(f"{issuer!r}: an issuer is a URL")
        return audiences
