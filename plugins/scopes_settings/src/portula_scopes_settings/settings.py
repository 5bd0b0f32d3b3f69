"""Settings of the scopes."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from portula.plugin import AnswersSlot, ScopesBackend, nearest

ALL = "__all__"
"""In DEFAULT_SCOPES: every scope of SCOPES."""


def _instance(value: Any) -> object:
    made = value() if isinstance(value, type) else value
    for method in ("get_all_scopes", "get_available_scopes", "get_default_scopes"):
        if not callable(getattr(made, method, None)):
            raise TypeError(f"a scopes backend has a method {method}")
    ScopesBackend.register(type(made))  # a setting may name a class that does not derive from it
    return made


class ScopesSettings(BaseModel):
    """Which scopes exist, and which a request gets that names none."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    SCOPES_BACKEND_CLASS: Annotated[
        Any, AnswersSlot("scopes_backend", _instance, ("oauth2_provider.scopes.SettingsScopes",))
    ] = "oauth2_provider.scopes.SettingsScopes"
    """Import string or class of another scopes backend; the name of django-oauth-toolkit's means the settings below."""

    SCOPES: dict[str, str] = Field(
        default_factory=lambda: {"read": "Reading scope", "write": "Writing scope"}
    )
    """Scope name to the text that a consent page shows. Names have the characters of RFC 6749 §3.3."""

    DEFAULT_SCOPES: tuple[str, ...] = (ALL,)
    """Scopes of a request that names none: names of SCOPES, or `__all__` for all of them."""

    READ_SCOPE: str = "read"
    """Name of the scope that reading helpers ask for."""

    WRITE_SCOPE: str = "write"
    """Name of the scope that writing helpers ask for."""

    @field_validator("SCOPES")
    @classmethod
    def _legal_names(cls, scopes: dict[str, str]) -> dict[str, str]:
        for name in scopes:
            if not name or any(not "!" <= character <= "~" or character in '"\\' for character in name):
                raise ValueError(f"{name!r} is no scope name (RFC 6749 §3.3)")
        return scopes

    @field_validator("DEFAULT_SCOPES")
    @classmethod
    def _defaults_exist(cls, scopes: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        known = info.data.get("SCOPES", scopes)  # what is wrong with SCOPES is told by itself
        unknown = [name for name in scopes if name != ALL and name not in known]
        if unknown:
            raise ValueError(f"{', '.join(unknown)} not in SCOPES{nearest(unknown[0], known)}")
        return scopes
