"""Flask-Migrate on the provider's database would drop its tables, and `portula check` says so."""

from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import make_url

from portula import Plugin, Provider
from portula_storage_sql.beside_migrate import would_drop
from portula_storage_sql.models import alembic_options
from portula_testing.provider import TestLogin

OURS = "postgresql+psycopg://portula:secret@db.example/notes"


def engine(url):
    return SimpleNamespace(url=make_url(url))


def app_beside(url, directory="", **arguments):
    """An app with what Flask-Migrate leaves in `app.extensions`."""
    app = Flask("notes")
    app.extensions["migrate"] = SimpleNamespace(
        configure_args=arguments, directory=str(directory), db=SimpleNamespace(engine=engine(url))
    )
    return app


@pytest.mark.parametrize(
    ("url", "arguments", "told"),
    [
        (OURS, {}, True),
        (OURS, {"compare_type": True}, True),
        ("postgresql://another@db.example/notes", {}, True),
        (OURS, alembic_options, False),
        (OURS, {"include_name": print}, False),
        ("postgresql://portula@db.example/other", {}, False),
        ("postgresql://portula@other.example/notes", {}, False),
    ],
)
def test_the_same_database_and_nothing_said(url, arguments, told):
    assert would_drop(app_beside(url, **arguments), engine(OURS)) is told


@pytest.mark.parametrize(("text", "told"), [("context.configure(**alembic_options)", False), ("", True)])
def test_an_env_py_of_ones_own_may_say_it(tmp_path, text, told):
    (tmp_path / "env.py").write_text(text)
    assert would_drop(app_beside(OURS, tmp_path), engine(OURS)) is told


@pytest.mark.parametrize("extension", [None, object(), SimpleNamespace(configure_args={}, db=None)])
def test_what_is_not_of_the_form_that_is_known_is_passed_over(extension):
    app = Flask("notes")
    app.extensions["migrate"] = extension
    assert not would_drop(app, engine(OURS))


@pytest.mark.parametrize(("file", "told"), [("portula.sqlite3", True), ("notes.sqlite3", False)])
def test_check_tells_it(tmp_path, file, told):
    app = app_beside(f"sqlite:///{tmp_path}/{file}")
    app.instance_path = str(tmp_path)
    app.config["SECRET_KEY"] = "0123456789abcdef"
    provider = Provider(app, plugins=[TestLogin()])
    with app.app_context():
        found = [finding.id for finding in provider.hooks.collect(Plugin.portula_checks)]
    assert ("storage_sql.migrate" in found) is told
