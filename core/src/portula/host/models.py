"""Models of the deployment's own: classes that take the place of core's record classes, with any storage.

A model is a subclass of the record class, or a class of a storage's own that `portula_record` turns into one. Rooms go
on asking for the record class; `portula.plugin.Storage` keeps and returns instances of what took its place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import MISSING, replace
from types import FunctionType
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict

from portula.host.declarations import HostHooks
from portula.host.kinds import facts_of
from portula.host.settings import AnswersSlot, OutsideName
from portula.model.errors import ConfigError
from portula.model.records import RecordType

if TYPE_CHECKING:
    from portula.host.hooks import Hooks

MODELLED = {
    "application": HostHooks.portula_application_model,
    "grant": HostHooks.portula_grant_model,
    "access_token": HostHooks.portula_access_token_model,
    "refresh_token": HostHooks.portula_refresh_token_model,
    "id_token": HostHooks.portula_id_token_model,
}
"""Record types whose class a deployment may choose, each with its slot."""


class StorageModel(Protocol):
    """A class of a storage's own, e.g. a mapped class of SQLAlchemy."""

    @classmethod
    def portula_record(cls, record: RecordType) -> type[Any]:
        """Return a subclass of `record.cls` for what this class holds; TypeError says what it lacks."""
        ...


def _a_class(value: object) -> type[Any]:
    if not isinstance(value, type):
        raise TypeError("a class is needed")
    return value


def _marks(slot: str, label: str) -> tuple[AnswersSlot, OutsideName]:
    """Mark a model setting: its slot, the default of django-oauth-toolkit, and its name beside the dictionary."""
    default = f"oauth2_provider.{label}"
    return (
        AnswersSlot(slot, _a_class, (default, default.lower())),
        OutsideName(f"OAUTH2_PROVIDER_{slot.upper()}"),
    )


class ModelSettings(BaseModel):
    """Classes of the deployment's own. Each may also stand by itself in `app.config`, as OAUTH2_PROVIDER_…_MODEL."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    APPLICATION_MODEL: Annotated[Any, *_marks("application_model", "Application")] = (
        "oauth2_provider.Application"
    )
    """Import string or class of clients: a subclass of `portula.plugin.Application`, or a model of the storage
    (docs/models.md). `oauth2_provider.Application` means ours. Its methods decide: see
    `portula.plugin.ApplicationPolicy`."""

    GRANT_MODEL: Annotated[Any, *_marks("grant_model", "Grant")] = "oauth2_provider.Grant"
    """Import string or class of authorization codes: a subclass of `portula.plugin.Grant`, or a model of the storage
    (docs/models.md). `oauth2_provider.Grant` means ours."""

    ACCESS_TOKEN_MODEL: Annotated[Any, *_marks("access_token_model", "AccessToken")] = (
        "oauth2_provider.AccessToken"
    )
    """Import string or class of access tokens: a subclass of `portula.plugin.AccessToken`, or a model of the storage
    (docs/models.md). `oauth2_provider.AccessToken` means ours. Swapping
    it leaves REFRESH_TOKEN_MODEL alone: what grew from one authorization shares a family, not foreign keys."""

    REFRESH_TOKEN_MODEL: Annotated[Any, *_marks("refresh_token_model", "RefreshToken")] = (
        "oauth2_provider.RefreshToken"
    )
    """Import string or class of refresh tokens: a subclass of `portula.plugin.RefreshToken`, or a model of the storage
    (docs/models.md). `oauth2_provider.RefreshToken` means ours."""

    ID_TOKEN_MODEL: Annotated[Any, *_marks("id_token_model", "IDToken")] = "oauth2_provider.IDToken"
    """Import string or class of ID tokens: a subclass of `portula.plugin.IDToken`, or a model of the storage
    (docs/models.md). `oauth2_provider.IDToken` means ours. In use only
    where a plugin keeps ID tokens (`portula.plugin.ID_TOKEN`): ours are signed, and nothing of them is looked up."""


def with_models(hooks: Hooks, records: Sequence[RecordType]) -> tuple[RecordType, ...]:
    """Put the answers of the model slots in the place of the record classes.

    Raises:
        ConfigError: a model cannot stand for its record; each finding names the setting, the class and what is wrong.
    """
    findings: list[str] = []
    placed: list[RecordType] = []
    for record in records:
        model = hooks.ruling(MODELLED[record.name]).answer if record.name in MODELLED else None
        try:
            placed.append(record if model in (None, record.cls) else _with_model(record, model))
        except TypeError as error:
            facts = facts_of(MODELLED[record.name])
            findings.append(f"{facts and facts.setting}: {_full_name(model)}: {error}")
    if findings:
        raise ConfigError(*findings)
    return tuple(placed)


def check_realms(records: Sequence[RecordType], realm_of: Callable[[RecordType], str]) -> None:
    """Refuse a named realm where a model of a storage cannot tell its records from those of others.

    Raises:
        ConfigError: each finding names the setting, the class and the column to add.
    """
    findings = []
    for record in records:
        realm, facts = realm_of(record), facts_of(MODELLED.get(record.name))
        if realm and not record.in_realm and record.model is not None:
            findings.append(
                f"{facts and facts.setting}: {_full_name(record.model)}: records of the realm {realm!r} need a column "
                "`realm` of short text, never NULL; without it the table holds the records of one realm alone"
            )
    if findings:
        raise ConfigError(*findings)


def _with_model(record: RecordType, model: Any) -> RecordType:
    if isinstance(model, type) and issubclass(model, record.cls):
        _check_subclass(record.cls, model)
        return replace(record, cls=model, replaces=record.cls)
    derive = getattr(model, "portula_record", None)
    if not isinstance(model, type) or derive is None:
        raise TypeError(f"neither a subclass of {_full_name(record.cls)} nor a model of a storage")
    return replace(record, cls=derive(record), replaces=record.cls, model=model)


def _check_subclass(base: type[Any], model: type[Any]) -> None:
    """Refuse what rooms could not make from a record of ours, or what would hide what is registered."""
    known = {field.name for field in dataclasses.fields(base)}
    problems = [
        f"the new field {field.name} needs a default"
        for field in dataclasses.fields(model)
        if field.name not in known and field.default is MISSING and field.default_factory is MISSING
    ]
    between = model.__mro__[: model.__mro__.index(base)]
    problems += [
        f"{name} is a field and cannot be computed"
        for cls in between
        for name, value in vars(cls).items()
        if name in known and (isinstance(value, FunctionType) or hasattr(value, "fget"))
    ]
    if problems:
        raise TypeError("; ".join(problems))


def _full_name(cls: object) -> str:
    return f"{cls.__module__}.{cls.__qualname__}" if isinstance(cls, type) else type(cls).__qualname__
