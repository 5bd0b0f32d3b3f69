"""Reading what `manage.py dumpdata` of a django-oauth-toolkit provider wrote, as JSON."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    Field,
    Json,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
)

HOW = "`manage.py dumpdata oauth2_provider auth.user` writes one, without --natural-primary and --natural-foreign"


def _as_text(key: object) -> object:
    if type(key) is list:
        raise ValueError("a primary key is needed; the file was written with --natural-foreign")
    return str(key) if type(key) is int else key


Key = Annotated[str, BeforeValidator(_as_text)]
"""A primary key, as text."""


class WrongFile(Exception):
    """A file is no such list; the message says why, and shows nothing of what it holds."""


class Row(BaseModel):
    """One row of a table of Django."""

    model: StrictStr
    pk: StrictInt | StrictStr
    fields: dict[str, Any] = Field(repr=False)


class PersonFields(BaseModel):
    """What is read of a user."""

    username: str = Field(validation_alias=AliasChoices("username", "email"))
    email: str | None = None
    first_name: str = ""
    last_name: str = ""
    password: str = Field("", max_length=255, repr=False)
    is_active: bool = True


class ClientFields(BaseModel):
    """What is read of an application."""

    client_id: str = Field(min_length=1)
    user: Key | None = None
    redirect_uris: str = ""
    post_logout_redirect_uris: str = ""
    allowed_origins: str = ""
    client_type: Literal["confidential", "public"]
    authorization_grant_type: str
    client_secret: str = Field("", repr=False)
    hash_client_secret: bool | None = None
    name: str = ""
    skip_authorization: bool = False
    algorithm: str = ""
    registration_source: str = "manual"


class AccessTokenFields(BaseModel):
    """What is read of an access token: it has the scope of its refresh token."""

    scope: str = ""


class RefreshTokenFields(BaseModel):
    """What is read of a refresh token."""

    user: Key | None
    token: str = Field(min_length=1, repr=False)
    application: Key
    access_token: Key | None = None
    resource: list[str] | Json[list[str]] = []
    created: datetime
    revoked: datetime | None = None


def read_dump(path: Path) -> list[Row]:
    """Return the rows of a file.

    Raises:
        WrongFile: it cannot be read, or is no list of rows.
    """
    try:
        return TypeAdapter(list[Row]).validate_json(path.read_bytes())
    except OSError as error:
        raise WrongFile(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise WrongFile(f"{path} is no list of rows in JSON: {problem_of(error)}. {HOW}.") from None


def problem_of(error: ValidationError) -> str:
    """Return the first finding, without the value that it is about: that may be a secret."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
