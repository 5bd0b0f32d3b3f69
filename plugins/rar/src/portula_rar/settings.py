"""Settings of rich authorization requests."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ImportString, field_validator

from portula_rar.definitions import AuthorizationDetailsType


class RarSettings(BaseModel):
    """What clients may ask for by `authorization_details`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    AUTHORIZATION_DETAILS_TYPES: dict[str, ImportString[Any]] = {}
    """Types of authorization details by the value of `type`, each a class derived from
    `portula_rar.AuthorizationDetailsType` or its dotted name: `{"payment_initiation": "bank.details.Payment"}`. They
    join those that plugins contribute; with none at all the parameter is ignored."""

    AUTHORIZATION_DETAILS_MAX_BYTES: int = Field(default=16384, ge=256, le=1024 * 1024)
    """Longest value of `authorization_details` that is read, in bytes of UTF-8."""

    @field_validator("AUTHORIZATION_DETAILS_TYPES")
    @classmethod
    def _instances(cls, types: dict[str, Any]) -> dict[str, Any]:
        return {name: _instance(name, given) for name, given in types.items()}


def _instance(name: str, given: Any) -> AuthorizationDetailsType[Any]:
    try:
        if issubclass(given, AuthorizationDetailsType):
            made: AuthorizationDetailsType[Any] = given()
            return made
    except TypeError as error:  # it is no class, lacks a method, or needs arguments
        raise ValueError(f"{name!r}: {error}") from None
    raise ValueError(f"{name!r}: a class derived from AuthorizationDetailsType is needed")
