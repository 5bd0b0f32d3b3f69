"""Options for the deployment's own Alembic, so that one environment autogenerates all of its tables.

    context.configure(connection=connection, target_metadata=db.metadata, **alembic_options)

With Flask-Migrate: `Migrate(app, db, **alembic_options)`.
"""

from __future__ import annotations

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy.schema import SchemaItem

from portula_storage_sql.tables import PREFIX, JsonDict, JsonTuple, LongText, ShortText

_NAMES = {JsonDict: "JsonDict", JsonTuple: "JsonTuple", LongText: "long_text", ShortText: "short_text"}


def include_object(
    item: SchemaItem, name: str | None, kind: str, reflected: bool, compare_to: SchemaItem | None
) -> bool:
    """Pass over the tables that `portula db upgrade` looks after, which would be dropped otherwise."""
    ours = kind == "table" and reflected and compare_to is None and (name or "").startswith(PREFIX)
    return not ours


def render_item(kind: str, item: Any, context: AutogenContext) -> str | Literal[False]:
    """Write our column types with the import they need."""
    name = _NAMES.get(type(item)) if kind == "type" else None
    if name is None:
        return False
    context.imports.add("from portula_storage_sql import models as portula_models")
    return f"portula_models.{name}()"


alembic_options: dict[str, Any] = {"include_object": include_object, "render_item": render_item}
"""Arguments for `context.configure` in the deployment's `env.py`."""
