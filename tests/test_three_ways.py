"""Every class that a setting names is a slot: the setting, a plugin object and a distribution replace it alike.

Here are the first two ways; tests/plugins/test_plugins_replace.py installs the distribution.
"""

import importlib
import json

import pytest
from replacing import MODULE, REPLACED, SEEN
from security.house import House

from portula import hookimpl
from portula.cli.main import flask_group
from portula.plugin import ID_TOKEN_RECORD

each = pytest.mark.parametrize("replaced", REPLACED, ids=lambda replaced: replaced.setting)


class KeepsIDTokens:
    """Gives ID tokens a place, so that their model and their page are there."""

    @hookimpl
    def portula_records(self, provider):
        return [ID_TOKEN_RECORD]


def make(*plugins, **settings):
    return House(KeepsIDTokens(), *plugins, discover=True, **settings)


@pytest.fixture(scope="module")
def own():
    """The module of the distribution, imported by its path."""
    importlib.import_module("replacing")
    return importlib.import_module(MODULE)


def explained(house, name):
    """Return what `flask portula explain` says of a slot."""
    house.app.cli.add_command(flask_group)
    done = house.app.test_cli_runner().invoke(args=["portula", "explain", name, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)["slot"]


@each
def test_by_default_a_room_of_ours_answers_through_its_entry_point(replaced):
    house = make()
    assert SEEN[replaced.slot](house) is False
    ruling = explained(house, replaced.setting)
    assert (ruling["winner"]["plugin"], ruling["winner"]["tier"]) == (replaced.default, "default")
    assert (ruling["default"], ruling["outranked"]) == (True, [])


@each
@pytest.mark.parametrize("way", ["import string", "object"])
def test_the_setting_replaces_it(own, replaced, way):
    value = f"{MODULE}.{replaced.name}" if way == "import string" else getattr(own, replaced.name)
    house = make(**{replaced.setting: value})
    assert SEEN[replaced.slot](house) is True
    ruling = explained(house, replaced.setting)
    assert ruling["winner"]["plugin"] == f"setting:{replaced.setting}"
    assert (ruling["winner"]["tier"], ruling["default"]) == ("setting", False)
    assert [entry["plugin"] for entry in ruling["outranked"]] == [replaced.default]


@each
def test_a_plugin_object_replaces_it(own, replaced):
    answer = own.ANSWERS[replaced.slot]
    hooks = {f"portula_{replaced.slot}": staticmethod(hookimpl(lambda provider: answer))}
    house = make(type("Shop", (), hooks)())
    assert SEEN[replaced.slot](house) is True
    ruling = explained(house, replaced.setting)
    assert (ruling["winner"]["plugin"], ruling["winner"]["tier"]) == ("Shop", "deployment")
    assert [entry["plugin"] for entry in ruling["outranked"]] == [replaced.default]


@each
def test_the_setting_outranks_the_plugin_object(own, replaced):
    hooks = {f"portula_{replaced.slot}": staticmethod(hookimpl(lambda provider: own.ANSWERS[replaced.slot]))}
    house = make(type("Shop", (), hooks)(), **{replaced.setting: getattr(own, replaced.name)})
    ruling = explained(house, replaced.setting)
    assert ruling["winner"]["plugin"] == f"setting:{replaced.setting}"
    assert [entry["plugin"] for entry in ruling["outranked"]] == ["Shop", replaced.default]


@each
@pytest.mark.parametrize("wrong", ["no.such.module.Name", f"{MODULE}.NoSuchName", "json.JSONDecoder"])
def test_what_does_not_import_or_is_of_the_wrong_kind_stops_the_start(replaced, wrong):
    if wrong == "json.JSONDecoder" and replaced.setting.endswith("TOKEN_GENERATOR"):
        wrong = "json.decoder"  # a class may be called with a request
    with pytest.raises(Exception, match=replaced.setting):
        make(**{replaced.setting: wrong})
