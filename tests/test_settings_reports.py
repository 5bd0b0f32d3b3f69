"""`portula settings` shows the settings of every model, and no value that its declaration makes a secret."""

import json

import pytest
from click.testing import CliRunner
from pydantic import BaseModel, Field
from support.data_folder import initialised

from portula.cli.main import main
from portula.plugin import field_docs


class Kettle(BaseModel):
    """A model that others derive from."""

    TEA_HEAT: int = 90
    """Degrees."""
    TEA_TIME: int = Field(default=3, description="Minutes.")


class Samovar(Kettle):
    """One that derives from it."""

    TEA_CUPS: int = 12
    """How many."""


PLUGIN = """
from pydantic import BaseModel, Field, Secret, SecretStr, create_model

from portula import hookimpl


class Base(BaseModel):
    TEA_INHERITED: int = Field(default=5, description="Said in the base.")


class Written(Base):
    TEA_PIN: str = Field(default="", repr=False)
    TEA_KEYS: dict[str, SecretStr] | None = None
    TEA_VAULT: Secret[int] | None = None
    TEA_NUMBER: int = Field(default=7, repr=False)
    TEA_PLAIN: str = "green"


Made = create_model("Made", TEA_MADE=(int, Field(default=3, description="Made by a program.")))
Hidden = create_model("Hidden", TEA_MADE_PIN=(str, Field(default="", repr=False)))
Needed = create_model("Needed", TEA_NEEDED=(str, ...))
namespace = {"BaseModel": BaseModel}
exec("class Run(BaseModel):\\n    TEA_RUN: int = 1\\n", namespace)


@hookimpl
def portula_settings(provider):
    return [Written, Made, Hidden, Needed, namespace["Run"]]
"""
SECRETS = {
    "TEA_PIN": "hunter2",
    "TEA_KEYS": {"a": "hunter2"},
    "TEA_VAULT": 22222,
    "TEA_NUMBER": 22222,
    "TEA_MADE_PIN": "hunter2",
}


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a command under some settings, with the plugin in PLUGINS_DIR."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "tea.py").write_text(PLUGIN)

    def run(*command, **settings):
        given = {"PLUGINS_DIR": str(tmp_path / "plugins"), "TEA_NEEDED": "x", **settings}
        (tmp_path / "config.py").write_text(f"OAUTH2_PROVIDER = {given!r}\n")
        folder = initialised(tmp_path / "data")
        options = ["--data-dir", str(folder), "--config", str(tmp_path / "config.py")]
        return CliRunner().invoke(main, [*options, *command])

    return run


def test_every_model_is_shown_however_it_was_made(run):
    done = run("settings", "--json")
    assert done.exit_code == 0, done.output
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert {name: rows[name]["doc"] for name in ("TEA_INHERITED", "TEA_MADE", "TEA_RUN")} == {
        "TEA_INHERITED": "Said in the base.",
        "TEA_MADE": "Made by a program.",
        "TEA_RUN": "",
    }
    assert (rows["TEA_MADE"]["value"], rows["TEA_NEEDED"]["default"]) == ("3", "(required)")
    assert run("settings").exit_code == 0


def test_what_a_model_inherits_is_documented_where_it_is_declared():
    assert field_docs(Samovar) == {"TEA_HEAT": "Degrees.", "TEA_TIME": "Minutes.", "TEA_CUPS": "How many."}


@pytest.mark.parametrize("command", [["settings"], ["settings", "--json"]])
def test_a_secret_is_hidden_by_its_declaration_whatever_it_is_called(run, command):
    done = run(*command, TEA_PLAIN="oolong", **SECRETS)
    assert done.exit_code == 0, done.output
    assert "oolong" in done.output
    assert "hunter2" not in done.output
    assert "22222" not in done.output


@pytest.mark.parametrize(
    "wrong",
    [{"TEA_PIN": ["hunter2"]}, {"TEA_KEYS": "hunter2"}, {"TEA_KEYS": {"a": 22222}}, {"TEA_VAULT": "hunter2"}],
)
def test_a_secret_that_is_refused_is_not_told(run, wrong):
    done = run("settings", **wrong)
    assert done.exit_code != 0
    assert next(iter(wrong)) in done.output
    assert "hunter2" not in done.output
    assert "22222" not in done.output
