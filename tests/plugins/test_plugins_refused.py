"""What is refused, in the words of the command line. `--only` lets in one culprit at a time."""

import httpx
import pytest
from support.venvs import lines_of

pytestmark = [pytest.mark.thorough, pytest.mark.xdist_group("plugins-refused")]

MISSPELT = (
    "plugin 'misspelt' of distribution portula-misspelt 1.0: there is no hook 'portula_validate_token_requests'; "
    "did you mean 'portula_validate_token_request'?"
)
FAILING = (
    "plugin 'failing_import' of distribution portula-failing-import 1.0 fails to import: ModuleNotFoundError: "
    "No module named 'a_module_that_is_nowhere'; mend it, uninstall it, or name it in PLUGINS_OPTIONAL"
)
SWALLOWER = (
    "plugin 'swallower' of distribution portula-swallower 1.0: portula_validate_token_request uses wrapper; "
    "the host orders and calls hooks itself, remove it"
)
CONTRADICTION = (
    "plugin 'contradiction' of distribution portula-contradiction 1.0: portula_validate_token_request annotates "
    "'exchange' as Request; the hook gives Exchange\n"
    "plugin 'contradiction' of distribution portula-contradiction 1.0: portula_validate_token_request is annotated "
    "to return bool; the hook wants None"
)
TWO_ANSWERS = (
    "slot 'scopes_backend': both plugin 'other_scopes' of distribution portula-other-scopes 1.0 and "
    "plugin 'scopes_db' of distribution portula-scopes-db 1.0 answer; settle it with "
    'PLUGINS_CHOICE = {"scopes_backend": "other_scopes"} or block one with PLUGINS_BLOCKED'
)
IMPOSTOR = (
    "the plugin name 'generators' is claimed by two distributions, portula-impostor and portula-generators; "
    "uninstall one of them"
)


@pytest.fixture(scope="module")
def deployment(bad, tmp_path_factory):
    return bad.deployment(tmp_path_factory.mktemp("refused"))


@pytest.mark.parametrize(
    ("culprits", "words"),
    [
        (["misspelt"], MISSPELT),
        (["failing_import"], FAILING),
        (["swallower"], SWALLOWER),
        (["contradiction"], CONTRADICTION),
        (["scopes_db", "other_scopes"], TWO_ANSWERS),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_the_command_line_names_the_culprit_and_what_to_do(deployment, culprits, words):
    options = [part for name in culprits for part in ("--only", name)]
    assert deployment.refusal("plugins", *options) == words


def test_the_server_does_not_start_either(deployment):
    assert deployment.refusal("serve", "--port", "0", "--only", "misspelt") == MISSPELT


def test_a_plugin_that_takes_the_name_of_a_room_is_refused_with_both_distributions_named(make_venv, tmp_path):
    deployment = make_venv("impostor").deployment(tmp_path)
    words = deployment.refusal("plugins")
    assert words in (
        IMPOSTOR,
        IMPOSTOR.replace("impostor and portula-generators", "generators and portula-impostor"),
    )
    assert deployment.refusal("--no-plugins", "plugins") == words, (
        "which of the two would be set aside is unknown"
    )


def test_what_settles_a_conflict_settles_it(bad, tmp_path):
    deployment = bad.deployment(tmp_path, PLUGINS_CHOICE={"scopes_backend": "other_scopes"})
    ruling = deployment.json(
        "explain", "SCOPES_BACKEND_CLASS", "--only", "scopes_db", "--only", "other_scopes"
    )["slot"]
    assert ruling["winner"]["distribution"] == "portula-other-scopes"
    assert [entry["plugin"] for entry in ruling["outranked"]] == ["scopes_db", "scopes_settings"]


def test_an_unknown_name_after_only_is_told_the_nearest(deployment):
    assert deployment.refusal("plugins", "--only", "mispelt") == (
        "--only: no plugin named 'mispelt' is installed; did you mean 'misspelt'?"
    )


def test_no_plugins_sets_all_of_them_aside(deployment):
    rows = lines_of(deployment.json("--no-plugins", "plugins"))
    assert rows["misspelt"]["status"] == "set aside"
    assert {name for name, row in rows.items() if row["status"] == "set aside"} == {
        *(
            "broken_veto",
            "contradiction",
            "failing_import",
            "misspelt",
            "other_scopes",
            "scopes_db",
            "swallower",
        ),
        "taker",
    }
    assert {row["tier"] for row in rows.values() if row["status"] == "active"} == {"default"}


def test_only_sets_all_but_one_aside(deployment):
    rows = lines_of(deployment.json("plugins", "--only", "scopes_db"))
    assert {name for name, row in rows.items() if row["status"] == "active" and not row["default"]} == {
        "scopes_db"
    }


def test_settings_and_choices_of_plugins_that_are_set_aside_do_not_stand_in_the_way(bad, tmp_path):
    settings = {"SCOPES_DB_FILE": "x.sqlite3", "PLUGINS_CHOICE": {"scopes_backend": "scopes_db"}}
    deployment = bad.deployment(tmp_path, **settings)
    ruling = deployment.json("explain", "scopes_backend", "--no-plugins")["slot"]
    assert (ruling["winner"]["plugin"], ruling["default"]) == ("scopes_settings", True)
    deployment.configure(SCOPES_DB_FIEL="x.sqlite3", PLUGINS_BLOCKED=["misspelt", "failing_import"])
    assert lines_of(deployment.json("plugins", "--no-plugins"))["scopes_db"]["status"] == "set aside"


def test_a_default_in_a_setting_of_a_plugin_answers_no_slot(deployment):
    """A setting answers for the deployment; what a plugin writes there by itself is not the deployment's word."""
    ruling = deployment.json("explain", "secret_hasher", "--only", "taker")["slot"]
    assert (ruling["winner"]["plugin"], ruling["outranked"]) == ("generators", [])


def test_an_exception_inside_a_veto_refuses_the_request_and_is_logged(deployment):
    client = deployment.json("createapplication", "confidential", "client-credentials", "--no-plugins")
    auth = (client["client_id"], client["client_secret"])
    with deployment.serving("--only", "broken_veto") as url:
        answer = httpx.post(f"{url}/o/token/", auth=auth, data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()) == (
        400,
        {"error": "access_denied", "error_description": "A rule of this server could not be applied."},
    )
    log = deployment.log.read_text()
    assert "portula_validate_token_request of plugin 'broken_veto' of distribution portula-broken-veto" in log
    assert client["client_secret"] not in log
