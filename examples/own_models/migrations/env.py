"""One environment for all tables of the shop, those that portula uses among them."""

import os
from pathlib import Path

from alembic import context
from shop import db
from sqlalchemy import URL, create_engine

from portula_storage_sql.models import alembic_options

FILE = Path(__file__).resolve().parents[1] / "instance" / "shop.sqlite3"
engine = create_engine(
    os.environ.get("FLASK_SQLALCHEMY_DATABASE_URI", URL.create("sqlite", database=str(FILE)))
)
if engine.dialect.name == "sqlite":
    Path(engine.url.database).parent.mkdir(exist_ok=True)
with engine.begin() as connection:
    context.configure(connection=connection, target_metadata=db.metadata, **alembic_options)
    context.run_migrations()
engine.dispose()
