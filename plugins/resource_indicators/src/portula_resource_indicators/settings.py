"""Settings of resource indicators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from portula_resource_indicators.uris import problem_of


class ProtectedResource(BaseModel):
    """A server that tokens can be for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scopes: tuple[str, ...] | None = None
    """Scopes that it knows; None for all of them."""
    client_id: str | None = None
    """Client by which it asks about tokens at the introspection endpoint; one for it are shown to that client alone."""


class ResourceIndicatorsSettings(BaseModel):
    """Which servers tokens can be for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    PROTECTED_RESOURCES: dict[str, ProtectedResource] = {}
    """The servers that tokens can be for, by the URI that clients send as `resource` (RFC 8707 §2), each with `scopes`
    and `client_id` if need be: `{"https://api.example.com/": {"scopes": ["read"], "client_id": "api"}}`."""

    RESOURCE_INDICATORS_POLICY: Literal["registered", "any"] | Callable[..., bool] = "registered"
    """Which resources clients may name: those of PROTECTED_RESOURCES; any; or what a callable of client, resources and
    scopes allows. With none registered and no other policy the parameter is ignored."""

    RESOURCE_INDICATORS_DEFAULT: str | None = None
    """The resource that a token is for where neither its request nor the one before it names any (RFC 8707 §2.2)."""

    @field_validator("PROTECTED_RESOURCES")
    @classmethod
    def _absolute_uris(cls, resources: dict[str, ProtectedResource]) -> dict[str, ProtectedResource]:
        problems = [f"{uri!r} {problem}" for uri in resources if (problem := problem_of(uri))]
        if problems:
            raise ValueError("; ".join(problems))
        return resources

    @field_validator("RESOURCE_INDICATORS_POLICY", mode="before")
    @classmethod
    def _callable_or_word(cls, value: Any) -> Any:
        if not callable(value) and value not in ("registered", "any"):
            raise ValueError("it is 'registered', 'any' or a callable of client, resources and scopes")
        return value

    @model_validator(mode="after")
    def _known_default(self) -> Self:
        default = self.RESOURCE_INDICATORS_DEFAULT
        if default is not None and default not in self.PROTECTED_RESOURCES:
            raise ValueError(f"RESOURCE_INDICATORS_DEFAULT: {default!r} is not one of PROTECTED_RESOURCES")
        return self

    @property
    def is_on(self) -> bool:
        """Whether clients may name resources."""
        return bool(self.PROTECTED_RESOURCES) or self.RESOURCE_INDICATORS_POLICY != "registered"
