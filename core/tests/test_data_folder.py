"""The data folder: who makes it, who may read it, and what the environment says."""

import os
import socket
from dataclasses import replace
from stat import S_IMODE

import pytest
from click.testing import CliRunner

from portula import Plugin
from portula.cli.main import main
from portula.cli.serve import ServeOptions, make_app, prepare
from portula.errors import ConfigError

KEY = "31415926535897932384626433832795"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in [name for name in os.environ if name.startswith("FLASK_")]:
        monkeypatch.delenv(name)


def run(folder, *words, **environment):
    return CliRunner().invoke(main, ["--data-dir", str(folder), *words], env=environment)


def mode(path):
    return S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    "words",
    [
        ["createuser", "zed", "--password-stdin"],
        ["createapplication", "confidential", "client-credentials"],
        ["cleartokens"],
        ["check"],
        ["settings"],
        ["plugins"],
        ["keys"],
        ["db", "status"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("there", ["nothing", "folder"])
def test_only_serve_and_init_make_a_provider(tmp_path, words, there):
    folder = tmp_path / "data"
    if there == "folder":
        folder.mkdir()
    done = run(folder, *words)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: no provider in {folder};")
    assert "portula init" in done.stderr
    assert "--data-dir" in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == (["data"] if there == "folder" else [])


@pytest.mark.parametrize("words", [["hooks"], ["explain", "token"]], ids=" ".join)
def test_what_tells_of_plugins_needs_no_folder_and_makes_none(tmp_path, words):
    done = run(tmp_path / "data", *words)
    assert done.exit_code == 0, done.output
    assert f"no provider in {tmp_path / 'data'}; make one there with `portula init`" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_there_is_not_is_said_to_be_unknown_where_there_is_no_provider_either(tmp_path):
    done = run(tmp_path / "data", "user", "list")
    assert done.exit_code == 2
    assert "No such command 'user'; did you mean 'users'?" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_a_demo_alone_its_folder_is_named(tmp_path):
    assert run(tmp_path / "data" / "demo", "init").exit_code == 0
    done = run(tmp_path / "data", "users", "list")
    assert done.exit_code == 1
    assert f"that of the demo is --data-dir {tmp_path / 'data' / 'demo'}" in done.stderr
    assert run(tmp_path / "data" / "demo", "users", "list").exit_code == 0


def test_a_key_that_is_not_there_is_not_made_beside_a_database_elsewhere(tmp_path):
    url = f"sqlite:///{tmp_path}/own.sqlite3"
    done = run(tmp_path / "data", "--database-url", url, "check")
    assert done.stderr.startswith("Error: no provider in ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [["init"], ["serve", "--port", "0"], ["users", "list"], ["check"], ["keys"]], ids=" ".join
)
def test_a_database_without_its_secret_key_is_an_error_and_no_key_is_made(tmp_path, words):
    folder = tmp_path / "data"
    run(folder, "init")
    (folder / "secret_key").unlink()
    done = run(folder, *words)
    assert done.exit_code == 1
    assert f"{folder / 'secret_key'}: missing, and portula.sqlite3 beside it" in done.stderr
    assert "restore it from the back-up" in done.stderr
    assert not (folder / "secret_key").exists()


def test_a_database_needs_no_key_file_where_the_key_is_configured(tmp_path):
    folder = tmp_path / "data"
    assert run(folder, "init", FLASK_SECRET_KEY=KEY).exit_code == 0
    assert not (folder / "secret_key").exists()
    assert run(folder, "users", "list", FLASK_SECRET_KEY=KEY).exit_code == 0


def test_a_database_that_is_not_used_any_more_asks_for_no_key(tmp_path):
    folder = tmp_path / "data"
    run(folder, "init")
    (folder / "secret_key").unlink()
    done = run(folder, "init", "--database-url", f"sqlite:///{tmp_path}/own.sqlite3")
    assert done.exit_code == 0, done.output
    assert done.stdout == f"Made secret_key beside portula.sqlite3 in {folder}\n"


def test_init_says_which_of_the_two_it_made(tmp_path):
    folder = tmp_path / "data"
    run(folder, "init")
    key = (folder / "secret_key").read_text()
    for path in folder.glob("portula.sqlite3*"):
        path.unlink()
    assert run(folder, "init").stdout == f"Made portula.sqlite3 beside secret_key in {folder}\n"
    assert (folder / "secret_key").read_text() == key


def test_who_keeps_nothing_in_the_folder_needs_none(tmp_path):
    url = f"sqlite:///{tmp_path}/own.sqlite3"
    done = run(tmp_path / "data", "--database-url", url, "db", "upgrade", FLASK_SECRET_KEY=KEY)
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "words", [["--help"], ["createuser", "--help"], ["serve", "--help"], ["db", "--help"]]
)
def test_help_needs_no_provider(tmp_path, words):
    done = run(tmp_path / "data", *words)
    assert done.exit_code == 0, done.output
    assert "Usage:" in done.output
    assert list(tmp_path.iterdir()) == []


def test_init_makes_a_private_folder_with_key_and_database(tmp_path):
    folder = tmp_path / "data"
    before = os.umask(0)
    try:
        done = run(folder, "init")
    finally:
        os.umask(before)
    assert (done.exit_code, done.output) == (0, f"Made a provider in {folder}\n")
    assert mode(folder) == 0o700
    assert {path.name for path in folder.iterdir()} >= {"secret_key", "portula.sqlite3"}
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    key = (folder / "secret_key").read_text()
    again = run(folder, "init")
    assert again.output == f"There is a provider already in {folder}\n"
    assert (folder / "secret_key").read_text() == key
    assert run(folder, "createuser", "ada", "--generate-password").exit_code in {0, 2}
    assert run(folder, "check").exit_code == 0


def test_init_says_what_a_database_elsewhere_still_needs(tmp_path):
    done = run(tmp_path / "data", "init", "--database-url", f"sqlite:///{tmp_path}/own.sqlite3")
    assert done.exit_code == 0
    assert "run `portula db upgrade`" in done.stderr
    assert mode(tmp_path / "own.sqlite3") == 0o600


def test_files_that_others_could_read_are_closed(tmp_path):
    folder = tmp_path / "data"
    run(folder, "init")
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert run(folder, "init").exit_code == 0
    assert mode(folder) == 0o700
    assert mode(folder / "secret_key") == mode(folder / "portula.sqlite3") == 0o600


@pytest.mark.parametrize("bits", [0o755, 0o750, 0o705, 0o711])
def test_a_folder_with_other_things_that_others_can_read_is_refused(tmp_path, bits):
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "thesis.txt").touch()
    folder.chmod(bits)
    for words in (["init"], ["serve", "--port", "0"]):
        done = run(folder, *words)
        assert done.exit_code == 1
        assert f"{folder}: others can read it (mode {bits:04o}); run `chmod 700 {folder}`" in done.stderr
    assert mode(folder) == bits
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_an_empty_folder_is_closed_and_taken(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    assert run(folder, "init").exit_code == 0
    assert mode(folder) == 0o700


def test_the_demo_closes_both_folders(tmp_path):
    options = ServeOptions(data_dir=str(tmp_path / "data"), demo=True, creating=True, serving=True)
    make_app(options)
    assert mode(tmp_path / "data") == mode(tmp_path / "data" / "demo") == 0o700


def test_a_file_where_the_folder_should_be_is_said_in_one_line(tmp_path):
    (tmp_path / "data").touch()
    done = run(tmp_path / "data", "init")
    assert done.exit_code == 1
    assert f"--data-dir {tmp_path / 'data'}: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["feature%2Flogin", "a b", "q?x=1", "hash#tag", "at@home:5", "%", "ä"])
def test_a_folder_may_have_any_name(tmp_path, name):
    folder = tmp_path / name
    done = run(folder, "init")
    assert done.exit_code == 0, done.output
    assert (folder / "portula.sqlite3").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert run(folder, "check").exit_code == 0


@pytest.mark.parametrize(
    "text", [KEY, "1e100000000000000", "true", "null", "0031415926535897932384", "[1, 2]"]
)
def test_a_secret_key_is_text_whatever_it_looks_like(tmp_path, monkeypatch, text):
    monkeypatch.setenv("FLASK_SECRET_KEY", text)
    monkeypatch.setenv("FLASK_SESSION_COOKIE_NAME", "123")
    if len(text) < 16:
        assert "SECRET_KEY: at least 16 bytes are needed" in run(tmp_path / "data", "init").stderr
        return
    app, provider = make_app(ServeOptions(data_dir=str(tmp_path / "data"), creating=True))
    assert app.config["SECRET_KEY"] == text
    assert app.config["SESSION_COOKIE_NAME"] == "123"
    assert provider.keys.digest("x", "y")


def test_a_setting_that_is_text_may_be_digits_and_one_that_is_a_number_stays_one(tmp_path, monkeypatch):
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDER__PROVIDER_NAME", "2026")
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDER__TRUSTED_PROXIES", "2")
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDER__DCR_ENABLED", "true")
    _, provider = make_app(ServeOptions(data_dir=str(tmp_path / "data"), creating=True))
    assert provider.core_settings.PROVIDER_NAME == "2026"
    assert provider.core_settings.TRUSTED_PROXIES == 2


def test_serve_refuses_what_check_calls_an_error(tmp_path):
    weak = {"FLASK_OAUTH2_PROVIDER__PASSWORD_HASH_PROFILE": "testing"}
    done = run(tmp_path / "data", "serve", "--port", "0", **weak)
    assert done.exit_code == 1
    assert "accounts.hash-profile: Passwords are hashed with parameters that protect nothing." in done.stderr
    assert "--allow-errors" in done.stderr


def test_an_error_that_is_allowed_is_told_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDER__PASSWORD_HASH_PROFILE", "testing")
    options = ServeOptions(data_dir=str(tmp_path / "data"), port=0, creating=True, serving=True)
    prepared = prepare(replace(options, allow_errors=True))
    prepared.listener.close()
    assert {mode(path) for path in (tmp_path / "data").iterdir()} == {0o600}
    assert [warning.partition(":")[0] for warning in prepared.warnings] == ["accounts.hash-profile"]
    assert prepared.options.port != 0
    assert prepared.provider.issuer == f"http://127.0.0.1:{prepared.options.port}/o"
    with pytest.raises(ConfigError, match="hash-profile"):
        prepare(options)


def test_a_busy_port_hides_no_other_finding(tmp_path):
    config = tmp_path / "config.py"
    config.write_text("OAUTH2_PROVIDER = {'ACCESS_TOKEN_EXPIRE_SECOND': 5}\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        pem = tmp_path / "no.pem"
        pem.write_text("nothing")
        tls = ["--tls-cert", str(pem), "--tls-key", str(pem)]
        done = run(tmp_path / "data", "serve", "--port", port, "--config", str(config), *tls)
    assert done.exit_code == 1
    assert "ddress already in use" in done.stderr
    assert "did you mean 'ACCESS_TOKEN_EXPIRE_SECONDS'" in done.stderr
    assert "not a certificate and its private key" in done.stderr


def issuer_warnings(folder, issuer):
    """Return what a start under this issuer says of it."""
    options = ServeOptions(data_dir=str(folder), port=0, issuer=issuer, creating=True, serving=True)
    prepared = prepare(options)
    prepared.listener.close()
    return [warning for warning in prepared.warnings if "issuer" in warning]


def test_another_issuer_than_at_the_last_start_is_told_once_something_is_kept(tmp_path):
    folder, first, second = tmp_path / "data", "http://127.0.0.1:1/o", "http://127.0.0.1:2/o"
    assert issuer_warnings(folder, first) == []
    assert issuer_warnings(folder, second) == [], "nothing is kept yet"
    made = run(folder, "createapplication", "confidential", "client-credentials")
    assert made.exit_code == 0, made.output
    (told,) = issuer_warnings(folder, first)
    assert told.startswith(f"The issuer was {second} at the last start and is {first} now")
    assert f"--issuer {second}" in told
    assert issuer_warnings(folder, first) == []


def test_another_secret_key_than_the_storage_was_written_under_is_told_at_start(tmp_path):
    folder = tmp_path / "data"
    run(folder, "init")
    run(folder, "keys", "rotate", "--algorithm", "RS256")
    (folder / "secret_key").write_text(KEY)
    options = ServeOptions(data_dir=str(folder), port=0, creating=True, serving=True)
    issuer = (
        (folder / "issuer").read_text().strip()
        if (folder / "issuer").is_file()
        else "http://127.0.0.1:8000/o"
    )
    prepared = prepare(replace(options, issuer=issuer))
    prepared.listener.close()
    (told,) = prepared.warnings
    assert (
        "The storage was written under another secret key: 1 signing key cannot be opened with SECRET_KEYS"
        in told
    )
    assert "Put the former key back into the list" in told
    listed = run(folder, "keys", "list")
    assert listed.stderr.startswith("1 signing key cannot be opened with SECRET_KEYS")
    assert f"No key of the issuer {issuer} can be opened." in listed.stdout
    assert "jose.other-secret-key" in run(folder, "check").stdout


def test_keys_of_another_issuer_are_no_trouble_and_the_list_names_its_own(tmp_path):
    folder = tmp_path / "data"
    run(folder, "init")
    run(folder, "keys", "rotate", "--algorithm", "RS256")
    other = "http://127.0.0.1:2/o"
    listed = run(folder, "keys", "list", "--issuer", other)
    assert listed.stderr == ""
    assert f"No key of the issuer {other} has been needed yet" in listed.stdout
    assert "jose.other-secret-key" not in run(folder, "check", "--issuer", other).stdout


def test_a_second_demo_on_the_folder_of_one_that_runs_is_refused_and_changes_nothing(tmp_path):
    options = ServeOptions(data_dir=str(tmp_path / "data"), port=0, demo=True, creating=True, serving=True)
    first = prepare(options)
    secret, issuer = first.demo["Demo client_secret"], (tmp_path / "data" / "demo" / "issuer").read_text()
    done = run(tmp_path / "data", "serve", "--demo", "--port", "0")
    assert done.exit_code == 1
    assert f"another demo runs on {tmp_path / 'data' / 'demo'}" in done.stderr
    assert "--data-dir" in done.stderr
    with first.provider.app.app_context():
        client = first.provider.clients.find("demo")
        hasher = first.provider.hooks.ask(Plugin.portula_secret_hasher)
        assert hasher.verify(secret, client.secret_hashes[-1])
    assert (tmp_path / "data" / "demo" / "issuer").read_text() == issuer
    first.listener.close()
    first.lock.close()
    again = prepare(options)
    again.listener.close()
    again.lock.close()
