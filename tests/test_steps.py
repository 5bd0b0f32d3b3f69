"""Endpoints are lists of steps: plugins insert theirs by name, and what does not fit stops the start."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner
from support.checks import cli
from support.data_folder import initialised

from portula import ConfigError, hookimpl
from portula.errors import InvalidRequestError
from portula.plugin import Step, report
from portula_testing.provider import client_for, make_provider

ROOMS = ("generators", "oauth2", "scopes_settings", "consent", "sessions")


FOREIGN = "oauthlib.oauth2.WebApplicationServer"


def no_tea(exchange):
    """Refuse tea."""
    if exchange.parameter("tea") is not None:
        raise InvalidRequestError(description="No tea.")


NO_TEA = Step(endpoint="token", name="no_tea", run=no_tea, after="client", reads=frozenset({"client"}))


def plugin(*steps, name="Tea"):
    return type(name, (), {"portula_steps": hookimpl(lambda self, provider: list(steps))})()


def started(*plugins, **settings):
    return make_provider(*ROOMS, *plugins, settings={"OIDC_ISS_ENDPOINT": "https://id.example/o", **settings})


def ask(provider, **form):
    client, secret = client_for(provider, "client_credentials")
    return provider.app.test_client().post(
        "/o/token/", data={"grant_type": "client_credentials", **form}, auth=(client.client_id, secret)
    )


def names(provider, endpoint="token"):
    return [step.name for step in provider.step_lists[endpoint]]


def test_a_step_of_a_plugin_runs_where_it_names():
    provider = started(plugin(NO_TEA))
    assert names(provider).index("no_tea") == names(provider).index("client") + 1
    assert ask(provider).status_code == 200
    answer = ask(provider, tea="green")
    assert (answer.status_code, answer.json["error_description"]) == (400, "No tea.")


def test_a_step_for_one_grant_type_runs_for_no_other():
    provider = started(plugin(replace(NO_TEA, when=frozenset({"authorization_code"}))))
    assert ask(provider, tea="green").status_code == 200


def test_a_step_may_stand_beside_a_step_of_another_plugin():
    provider = started(
        plugin(replace(NO_TEA, name="milk", after="no_tea"), name="Milk"), plugin(NO_TEA, name="Tea")
    )
    assert names(provider)[2:5] == ["client", "no_tea", "milk"]


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([replace(NO_TEA, after="cleint")], r"'no_tea' of plugin 'Tea' stands beside 'cleint'.*'client'"),
        ([replace(NO_TEA, after=None)], "names one of `after` and `before`"),
        ([replace(NO_TEA, before="judge")], "names one of `after` and `before`"),
        ([replace(NO_TEA, name="client")], "has the name of a step of plugin 'core'"),
        ([replace(NO_TEA, after="make")], "stands between 'make' and 'apply', where nothing may fail"),
        (
            [replace(NO_TEA, after=None, before="apply")],
            "stands between 'make' and 'apply', where nothing may fail",
        ),
        ([replace(NO_TEA, after="read")], "reads client, which no step before it sets"),
        (
            [replace(NO_TEA, endpoint="revoke_token", after="revoke")],
            "stands between 'revoke' and 'apply', where nothing may fail",
        ),
        ([replace(NO_TEA, run=None)], "'no_tea' of plugin 'Tea' runs None, which is no function"),
        (
            [replace(NO_TEA, after="milk"), replace(NO_TEA, name="milk", after="no_tea")],
            "'no_tea', 'milk' wait for each other",
        ),
    ],
)
def test_a_step_that_does_not_fit_stops_the_start(steps, message):
    with pytest.raises(ConfigError, match=message):
        started(plugin(*steps))


def test_the_log_names_the_step_that_fails_and_its_plugin(caplog):
    provider = started(plugin(replace(NO_TEA, run=lambda exchange: exchange.tea)))
    assert ask(provider).json["error"] == "server_error"
    assert "The step 'no_tea' of plugin 'Tea' failed in token." in caplog.text


def test_two_strangers_at_one_place_stop_the_start():
    with pytest.raises(ConfigError, match="stand at one place; let one name the other"):
        started(plugin(NO_TEA, name="Tea"), plugin(replace(NO_TEA, name="milk"), name="Milk"))


def test_tokens_are_made_in_the_format_that_is_chosen():
    def shape(self, exchange):
        exchange.issue.format = exchange.parameter("form") or ""

    def formats(self, provider):
        return {"tea": lambda exchange: f"tea-{exchange.client.client_id}"}

    hooks = {"portula_shape_token": hookimpl(shape), "portula_token_formats": hookimpl(formats)}
    provider = started(type("Tea", (), hooks)())
    assert ask(provider, form="tea").json["access_token"].startswith("tea-")
    assert not ask(provider).json["access_token"].startswith("tea-")
    unknown = ask(provider, form="coffee")
    assert (unknown.status_code, unknown.json["error"]) == (500, "server_error")


def test_a_format_does_not_start_beside_a_server_class_that_makes_tokens_by_itself():
    def formats(self, provider):
        return {"tea": lambda exchange: "tea"}

    tea = type("Tea", (), {"portula_token_formats": hookimpl(formats)})()
    with pytest.raises(ConfigError, match="OAUTH2_SERVER_CLASS: it makes tokens in no format 'tea'"):
        started(tea, OAUTH2_SERVER_CLASS="oauthlib.oauth2.WebApplicationServer")


def test_a_step_that_guards_does_not_start_beside_a_server_class_that_runs_none():
    guard = plugin(replace(NO_TEA, guards=True))
    started(guard)
    with pytest.raises(
        ConfigError, match="OAUTH2_SERVER_CLASS: it runs no steps, and 'no_tea' of plugin 'Tea'"
    ):
        started(guard, OAUTH2_SERVER_CLASS=FOREIGN)


def test_a_server_class_that_runs_no_steps_has_no_lists_and_rooms_keep_theirs():
    guard = plugin(replace(NO_TEA, endpoint="introspect", guards=True))
    provider = started("introspection", guard, OAUTH2_SERVER_CLASS=FOREIGN)
    assert list(provider.step_lists) == ["introspect"]


def test_check_names_a_step_that_never_runs():
    assert [each.id for each in report.findings(started(plugin(NO_TEA))) if "step" in each.id] == []
    found = report.findings(started(plugin(replace(NO_TEA, endpoint="tokne"))))
    (idle,) = [each for each in found if each.id == "core.idle-step"]
    assert "'no_tea' of plugin 'Tea' never runs" in idle.summary
    assert "did you mean 'token'" in idle.summary


@pytest.mark.parametrize(
    ("endpoint", "plugin"),
    [
        ("authorize", "core"),
        ("authorize (answer)", "core"),
        ("token", "core"),
        ("revoke_token", "core"),
        ("introspect", "introspection"),
        ("userinfo", "oidc"),
        ("register", "dcr"),
    ],
)
def test_explain_prints_the_steps_of_an_endpoint(endpoint, plugin, tmp_path):
    config = tmp_path / "config.py"
    config.write_text('OAUTH2_PROVIDER = {"OIDC_ENABLED": True, "DCR_ENABLED": True}\n')
    folder = initialised(tmp_path / "data")
    options = ["--data-dir", str(folder), "--config", str(config), "--no-plugins"]
    done = CliRunner().invoke(cli.main, [*options, "explain", endpoint, "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.output)["steps"]
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert all(row["doc"].endswith(".") for row in rows)
    assert (plugin, f"portula-{plugin}") in {(row["by"]["plugin"], row["by"]["distribution"]) for row in rows}


def test_explain_is_a_table_for_people(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(cli.main, ["init"], catch_exceptions=False)
    done = CliRunner().invoke(cli.main, ["explain", "token"])
    assert "grant_type" in done.output
    assert "Authenticate the client, once" in done.output


def test_a_plugin_shapes_what_is_issued_before_it_is_made():
    class Short:
        @hookimpl
        def portula_shape_token(self, exchange):
            exchange.issue.lifetime = 60
            exchange.issue.scope = ("read",)

    answer = ask(started(Short(), SCOPES={"read": "Read", "write": "Write"}), scope="read write").json
    assert (answer["expires_in"], answer["scope"]) == (60, "read")


@pytest.mark.parametrize(
    ("failure", "status", "error"),
    [(InvalidRequestError(), 400, "invalid_request"), (KeyError("tea"), 500, "server_error")],
)
def test_a_plugin_that_fails_to_shape_refuses(failure, status, error):
    class Broken:
        @hookimpl
        def portula_shape_token(self, exchange):
            raise failure

    answer = ask(started(Broken()))
    assert (answer.status_code, answer.json["error"]) == (status, error)


def test_explain_names_the_endpoints_there_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(cli.main, ["init"], catch_exceptions=False)
    done = CliRunner().invoke(cli.main, ["explain", "register"])
    assert done.exit_code == 1
    assert "is called 'register'" in done.output
    assert "token" in done.output.partition("steps here: ")[2]
