"""`portula consents`: what a person allowed, and its end."""

import json

import pytest
from click.testing import CliRunner

from portula import Plugin
from portula.plugin import Authorization, Plan, plan_to_add


@pytest.fixture
def run(made):
    commands = {command.name: command for command in made.provider.hooks.collect(Plugin.portula_commands)}

    def run_command(*args, typed=None):
        with made.provider.app.app_context():
            return CliRunner().invoke(commands["consents"], args, input=typed)

    return run_command


@pytest.fixture(autouse=True)
def connected(made):
    """Ada has allowed Tea to read, and Tea holds an authorization."""
    plan = Plan()
    made.consent.remember(made.client, "ada", ["read"], plan)
    plan.add(Authorization(id="f1", client_id="tea", subject="ada", scope="read", issued_at=1))
    made.provider.storage.apply(plan)


def read(done):
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_consents_are_listed_and_shown(run):
    (row,) = read(run("list", "ada", "--json"))
    assert (row["client_id"], row["scopes"]) == ("tea", ["read"])
    assert row == read(run("show", "ada", "tea", "--json"))
    assert "tea" in run("list", "ada").stdout
    assert "tea" in run("show", "ada", "tea").stdout


def test_removing_one_asks_first_and_ends_its_tokens(made, run):
    assert run("remove", "ada", "tea", typed="n\n").exit_code == 1
    assert made.consent.recall(made.client, "ada") == {"read"}
    assert run("remove", "ada", "tea", "--yes").exit_code == 0
    assert made.consent.recall(made.client, "ada") == frozenset()
    assert made.provider.storage.find(Authorization, id="f1").revoked_at is not None
    assert "connected no app" in run("list", "ada").stdout


def test_what_is_not_there_is_an_error(run):
    done = run("remove", "ada", "te", "--yes")
    assert (done.exit_code, "did you mean 'tea'?" in done.stderr) == (1, True)


def test_a_person_who_is_removed_leaves_no_consent(made):
    plan = Plan()
    made.consent.remember(made.client, "bob", ["read"], plan)
    made.provider.storage.apply(plan)
    plan = plan_to_add()
    made.consent.forget("ada", plan)
    made.provider.storage.apply(plan)
    assert made.consent.recall(made.client, "ada") == frozenset()
    assert made.consent.recall(made.client, "bob") == {"read"}
