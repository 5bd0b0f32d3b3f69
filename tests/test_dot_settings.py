"""Every setting of django-oauth-toolkit's reference, and those beside it, exists here with its documented default.

The names are kept in dot_settings.json: 52 of the reference (USE_TZ among them) and seven that only its code knows.
`documented` is the default there; where ours differs, `here` is ours and `why` the reason.
"""

import ast
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.data_folder import initialised

from portula import Provider
from portula.cli.main import main
from portula.plugin import AnswersSlot
from portula_testing.provider import make_provider

WANTED = json.loads((Path(__file__).parent / "dot_settings.json").read_text(encoding="utf-8"))
KEYS = ["default", "doc", "name", "room", "source", "type", "value"]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Return what `portula settings --json` says, by name."""
    folder = str(initialised(tmp_path_factory.mktemp("settings") / "data"))
    done = CliRunner().invoke(main, ["--data-dir", folder, "settings", "--json"])
    assert done.exit_code == 0, done.output
    return {row["name"]: row for row in json.loads(done.stdout)}


@pytest.fixture(scope="module")
def provider() -> Provider:
    return make_provider(discover=True)


def same(value):
    """Return a value so that a list and a tuple of the same things are the same."""
    return list(value) if isinstance(value, tuple) else value


def test_the_list_has_52_names_of_the_reference_and_seven_beside_them():
    assert len({row["name"] for row in WANTED}) == len(WANTED) == 59
    assert sum(row["in_reference"] for row in WANTED) == 52
    assert [row["name"] for row in WANTED if ("here" in row) != ("why" in row)] == []


def test_every_row_has_exactly_these_members_and_says_something(told):
    assert {tuple(sorted(row)) for row in told.values()} == {tuple(KEYS)}
    assert [name for name, row in told.items() if not row["doc"] or not row["type"]] == []


@pytest.mark.parametrize("wanted", WANTED, ids=lambda row: row["name"])
def test_the_setting_exists_in_its_room_with_its_documented_default(told, wanted):
    row = told[wanted["name"]]
    assert row["room"] == wanted["room"]
    default = same(ast.literal_eval(row["default"]))
    assert default == wanted.get("here", wanted.get("documented"))


CLASSES = [row for row in WANTED if isinstance(row.get("documented"), str) and "." in row["documented"]]


@pytest.mark.parametrize("wanted", CLASSES, ids=lambda row: row["name"])
def test_the_documented_default_of_a_class_means_ours(provider, wanted):
    declared = {setting.name: setting for setting in provider.all_settings.declarations()}[wanted["name"]]
    marks = [mark for mark in declared.field.metadata if isinstance(mark, AnswersSlot)]
    started = make_provider(discover=True, settings={wanted["name"]: wanted["documented"]})
    for mark in marks:
        slot = provider.plugins.declared[f"portula_{mark.slot}"]
        started_slot = started.plugins.declared[f"portula_{mark.slot}"]
        assert started.hooks.ruling(started_slot).winner == provider.hooks.ruling(slot).winner
