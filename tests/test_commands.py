"""Every command that looks after something prints JSON when asked, and answers whatever it is given in words."""

from pathlib import Path
from types import MappingProxyType

import click
import pytest
from failures.houses import House
from flask.cli import ScriptInfo

from portula.cli.main import flask_group
from portula.errors import StorageDown

NO_JSON = {("plugin", "new")}
"""Its result is a folder."""
TAKES_A_PATH = {("plugin", "new"), ("plugins", "lock")}

ODD = ["nosuch", "a\0b", "\ud800", "x" * 5000, "'; drop", "é", ""]


class Open(House):
    settings = MappingProxyType({"DCR_ENABLED": True})


@pytest.fixture(scope="module")
def house():
    made = Open()
    made.restart()
    made.client("authorization_code")
    made.person()
    return made


@pytest.fixture(scope="module")
def commands(house):
    """Every command by its words."""
    app = house.provider.app
    with app.app_context(), click.Context(flask_group, obj=ScriptInfo(create_app=lambda: app)) as context:
        return dict(walk(flask_group, context))


def walk(command, context, words=()):
    if not isinstance(command, click.Group):
        yield words, command
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        yield from walk(found, click.Context(found, parent=context, info_name=name), (*words, name))


def test_there_are_commands_of_core_and_of_rooms(commands):
    assert {("check",), ("clients", "list"), ("users", "set"), ("keys", "rotate"), ("deliver",)} <= set(
        commands
    )


def test_each_prints_json_when_asked(commands):
    silent = {
        words
        for words, command in commands.items()
        if not any("--json" in each.opts for each in command.params)
    }
    assert silent == NO_JSON


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: ascii(odd)[:12])
def test_what_nobody_is_called_is_answered_in_words(house, commands, odd):
    runner, crashed = house.provider.app.test_cli_runner(), {}
    for words, command in commands.items():
        arguments = [each for each in command.params if isinstance(each, click.Argument)]
        if arguments and words not in TAKES_A_PATH:
            done = runner.invoke(flask_group, [*words, *[odd] * len(arguments)], input="y\n" * 4)
            if not isinstance(done.exception, SystemExit | None):
                crashed[words] = done.exception
            assert "Traceback" not in done.output
    assert crashed == {}


def test_a_storage_that_goes_down_is_told_in_words(house, commands, monkeypatch):
    def down(*words, **named):
        raise StorageDown("the storage went away")

    for verb in ("find", "select", "walk", "apply", "purge", "count_expired"):
        for store in house.provider.stores.values():
            monkeypatch.setattr(store, verb, down)
    runner, crashed, told = house.provider.app.test_cli_runner(), {}, set()
    for words, command in commands.items():
        if words not in TAKES_A_PATH:
            given = ["nosuch" for each in command.params if isinstance(each, click.Argument)]
            done = runner.invoke(flask_group, [*words, *given], input="y\n" * 4)
            if not isinstance(done.exception, SystemExit | None):
                crashed[words] = done.exception
            if done.exit_code and "the storage went away" in done.output:
                told.add(words)
    assert crashed == {}
    assert {("cleartokens",), ("clients", "list"), ("users", "list")} <= told


@pytest.mark.parametrize("place", ["nowhere/at/all", "x" * 5000, "file/below"])
@pytest.mark.parametrize(
    "words", [["plugins", "lock"], ["plugin", "new", "tea", "--hook", "login", "--directory"]]
)
def test_a_place_that_cannot_be_written_is_named(house, tmp_path, words, place):
    (tmp_path / "file").write_text("")
    given = Path("/proc") / place if words[0] == "plugin" and "nowhere" in place else tmp_path / place
    done = house.provider.app.test_cli_runner().invoke(flask_group, [*words, str(given)])
    assert done.exit_code in (1, 2)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert place[-40:] in done.output
    assert done.output.splitlines()[-1].startswith("Error: ")
