"""Settings of the generators."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from portula.plugin import AnswersSlot, HashGenerator


def _generator(value: Any) -> object:
    made = value() if isinstance(value, type) else value
    if not callable(getattr(made, "hash", None)):
        raise TypeError("a generator class has a method hash()")
    HashGenerator.register(type(made))  # a setting may name a class that does not derive from it
    return made


def _token_generator(value: Any) -> object:
    if not callable(value) or not inspect.signature(value).parameters:
        raise TypeError("a token generator is called with the request")
    return value


class GeneratorSettings(BaseModel):
    """How identifiers, secrets and tokens are made and kept."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    CLIENT_ID_GENERATOR_CLASS: Annotated[
        Any, AnswersSlot("client_id_generator", _generator, ("oauth2_provider.generators.ClientIdGenerator",))
    ] = "oauth2_provider.generators.ClientIdGenerator"
    """Import string or class; its `hash()` returns a new client_id: printable ASCII, unique, without a colon."""

    CLIENT_SECRET_GENERATOR_CLASS: Annotated[
        Any,
        AnswersSlot(
            "client_secret_generator", _generator, ("oauth2_provider.generators.ClientSecretGenerator",)
        ),
    ] = "oauth2_provider.generators.ClientSecretGenerator"
    """Import string or class; its `hash()` returns a new client secret."""

    CLIENT_SECRET_GENERATOR_LENGTH: int = Field(default=128, ge=32, le=255)
    """Characters of a generated client secret, about 6 bits each."""

    ACCESS_TOKEN_GENERATOR: Annotated[Any, AnswersSlot("access_token_generator", _token_generator)] = None
    """Import string or callable `(request) -> str`; None: 43 random characters (256 bits)."""

    REFRESH_TOKEN_GENERATOR: Annotated[Any, AnswersSlot("refresh_token_generator", _token_generator)] = None
    """Import string or callable `(request[, refresh_token=True]) -> str`; None: 72 characters, of which 128 bits are
    random and the others name the authorization."""

    CLIENT_SECRET_HASH_PROFILE: Literal["rfc9106_low_memory", "rfc9106_high_memory", "testing"] = (
        "rfc9106_low_memory"
    )
    """argon2id parameters (RFC 9106 §4) for client secrets chosen by a person. `testing` protects nothing."""
