"""What an operator gets wrong is answered in one line that says how to mend it, never with a traceback."""

import io
import sys

import pytest
from click.testing import CliRunner

from portula.cli.main import main


def run(*words):
    return CliRunner().invoke(main, list(words))


def refused(done, *told):
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert "Traceback" not in done.output
    for text in told:
        assert text in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("A = 1\nB = (\n", ("line 2", "never closed")),
        ("A = 1\nraise RuntimeError('kettle\\ncold')\n", ("line 2", "RuntimeError: kettle")),
        ("import nosuchmodule\n", ("line 1", "nosuchmodule")),
        ("A = '\0'\n", ("null byte",)),
        ("A = 1\nopen('no.key')\n", ("line 2: no.key: No such file", "looked for in")),
        ("open('/no/such.key')\n", ("line 1: /no/such.key: No such file or directory",)),
        ("open(__file__ + '/below')\n", ("line 1", "Not a directory")),
        ("OAUTH2_PROVIDER = ['PKCE_REQUIRED']\n", ("OAUTH2_PROVIDER", "a dictionary")),
    ],
)
@pytest.mark.parametrize("command", ["check", "init", "users"])
def test_a_config_file_that_cannot_be_read(tmp_path, text, told, command):
    file = tmp_path / "settings.py"
    file.write_text(text)
    words = ["users", "list"] if command == "users" else [command]
    refused(run("--config", str(file), "--data-dir", str(tmp_path / "data"), *words), *told)


@pytest.mark.parametrize("words", [("init",), ("check",), ("users", "list"), ("serve", "--port", "0")])
@pytest.mark.parametrize("below", ["", "further"])
def test_a_data_folder_that_is_a_file(tmp_path, words, below):
    file = tmp_path / "data"
    file.write_text("")
    done = run("--data-dir", str(file / below if below else file), *words)
    refused(done, f"{file} is a file")
    assert file.read_text() == ""


@pytest.mark.parametrize(
    ("url", "module", "told"),
    [
        ("postgresql://a:b@127.0.0.1/c", "psycopg", "run `pip install 'portula[postgresql]'`"),
        ("mariadb://a:b@127.0.0.1/c", "pymysql", "run `pip install 'portula[mariadb]'`"),
        ("mysql://a:b@127.0.0.1/c", "pymysql", "run `pip install 'portula[mariadb]'`"),
        ("postgresql+psycopg2://a:b@127.0.0.1/c", "psycopg2", "write postgresql://… and run `pip install"),
    ],
)
@pytest.mark.parametrize("command", ["init", "check"])
def test_a_database_whose_driver_is_not_installed(tmp_path, monkeypatch, url, module, told, command):
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("FLASK_SECRET_KEY", "a key of 16 bytes or more")
    done = run("--data-dir", str(tmp_path / "data"), "--database-url", url, command)
    refused(done, told)
    assert "a:b" not in done.output


def test_a_terminal_without_the_characters_gets_escapes(tmp_path, monkeypatch):
    assert run("--data-dir", str(tmp_path / "data"), "init").exit_code == 0
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", plain)
    with pytest.raises(SystemExit) as ended:
        main(["--data-dir", str(tmp_path / "data"), "check"])
    plain.flush()
    assert ended.value.code in (0, 1)
    assert b"\\xa7" in plain.buffer.getvalue()


def test_settings_beside_the_dictionary_stop_the_start_with_all_other_errors(tmp_path, monkeypatch):
    file = tmp_path / "settings.py"
    file.write_text(
        "DATABASE_URL = 'sqlite:///x'\nSECRET_KEYS = ['a key of 16 bytes or more']\nACCESS_TOKEN_EXPIRE_SECONDS = 60\n"
        "OAUTH_PROVIDER = {'PKCE_REQUIRED': False}\nOAUTH2_PROVIDER = {'SCOPE': {}}\n"
    )
    monkeypatch.setenv("FLASK_REALM", "tea")
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDR__X", "3")
    done = run("--config", str(file), "--data-dir", str(tmp_path / "data"), "init")
    assert done.exit_code == 1
    for name in ("DATABASE_URL", "SECRET_KEYS", "ACCESS_TOKEN_EXPIRE_SECONDS", "REALM"):
        assert f"  {name}: belongs into OAUTH2_PROVIDER, or FLASK_OAUTH2_PROVIDER__{name} into" in done.stderr
    for name in ("OAUTH_PROVIDER", "OAUTH2_PROVIDR"):
        assert f"  {name}: nothing reads it; did you mean 'OAUTH2_PROVIDER'?\n" in done.stderr
    assert "did you mean 'SCOPES'" in done.stderr
    assert "key of 16" not in done.stderr


def test_what_is_of_flask_or_of_nobody_may_stand_beside_the_dictionary(tmp_path, monkeypatch):
    file = tmp_path / "settings.py"
    file.write_text(
        "SECRET_KEY = 'a key of 16 bytes or more'\nPREFERRED_URL_SCHEME = 'https'\nUSE_TZ = True\nSHOP_NAME = 'Tea'\n"
        "OAUTH2_PROVIDER_APPLICATION_MODEL = 'oauth2_provider.Application'\n"
    )
    monkeypatch.setenv("FLASK_DEBUG", "0")
    done = run("--config", str(file), "--data-dir", str(tmp_path / "data"), "init")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("user", "did you mean 'users'?"),
        ("sevre", "did you mean 'serve'?"),
        ("kettle", "No such command 'kettle'\n"),
    ],
)
def test_a_misspelt_command_is_told_with_the_nearest_of_all(tmp_path, word, told):
    run("--data-dir", str(tmp_path / "data"), "init")
    done = run("--data-dir", str(tmp_path / "data"), word, "list")
    assert done.exit_code == 2
    assert f"No such command {word!r}" in done.stderr
    assert told in done.stderr


@pytest.mark.parametrize("way", ["--database-url-stdin", "--database-url-file"])
def test_the_address_of_a_database_need_not_stand_on_the_command_line(tmp_path, way):
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    (tmp_path / "url").write_text(f"{url}\n")
    words = [way, str(tmp_path / "url")] if way.endswith("file") else [way]
    common = ["--data-dir", str(tmp_path / "data")]
    assert CliRunner().invoke(main, ["init", *common, *words], input=f"{url}\n").exit_code == 0
    typed = f"{url}\ncorrect horse battery\n"
    done = CliRunner().invoke(main, ["db", "upgrade", *common, *words], input=typed)
    assert done.exit_code == 0, done.output
    if way.endswith("stdin"):  # the password comes behind it
        done = CliRunner().invoke(
            main, ["createuser", "ada", "--password-stdin", *common, *words], input=typed
        )
        assert done.exit_code == 0, done.output
    assert (tmp_path / "elsewhere.db").exists()
    both = CliRunner().invoke(main, ["check", *common, *words, "--database-url", url], input=url)
    assert "exclude each other" in both.output


@pytest.fixture
def configured(tmp_path):
    """A provider that was made with a configuration file, whose database is elsewhere."""
    folder, config = tmp_path / "data", tmp_path / "settings.py"
    config.write_text(f"OAUTH2_PROVIDER = {{'DATABASE_URL': 'sqlite:///{tmp_path}/elsewhere.sqlite3'}}\n")
    assert run("--config", str(config), "--data-dir", str(folder), "init").exit_code == 0
    assert run("--config", str(config), "--data-dir", str(folder), "db", "upgrade").exit_code == 0
    return folder, config


@pytest.mark.parametrize(
    "words",
    [
        ("createapplication", "confidential", "client-credentials"),
        ("users", "list"),
        ("db", "upgrade"),
        ("settings",),
        ("init",),
        ("serve", "--port", "0", "--host", "0.0.0.0"),  # which is refused in any case
    ],
    ids=" ".join,
)
def test_a_configuration_file_that_is_forgotten_lets_no_command_work_on_another_database(configured, words):
    folder, config = configured
    refused(run("--data-dir", str(folder), *words), f"--config {config}", f"remove {folder / 'config_path'}")
    assert not (folder / "portula.sqlite3").exists()


def test_with_the_file_or_once_there_is_none_any_more_commands_work(configured):
    folder, config = configured
    assert run("--config", str(config), "--data-dir", str(folder), "users", "list").exit_code == 0
    moved = config.rename(config.with_name("moved.py"))
    assert run("--config", str(moved), "--data-dir", str(folder), "users", "list").exit_code == 0
    assert run("--data-dir", str(folder), "users", "--help").exit_code == 0
    (folder / "config_path").unlink()
    assert run("--data-dir", str(folder), "init").exit_code == 0
    assert run("--data-dir", str(folder), "users", "list").exit_code == 0


def test_a_configuration_file_is_never_written_over_and_its_content_never_shown(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    own = folder / "config_path"
    own.write_text("DB_PASSWORD = 'hunter2'\n")
    refused(run("--config", str(own), "--data-dir", str(folder), "init"), "another name")
    assert own.read_text() == "DB_PASSWORD = 'hunter2'\n"
    for text in (own.read_bytes(), b"\xff\xfe\n", b"a\nb\n"):
        own.write_bytes(text)
        done = run("--data-dir", str(folder), "init")
        refused(done, "--config FILE", f"remove {own}")
        assert "hunter2" not in done.stderr
    own.unlink()
    own.mkdir()
    refused(run("--data-dir", str(folder), "init"), "--config FILE")


def test_a_provider_without_a_configuration_file_asks_for_none(tmp_path):
    folder, config = tmp_path / "data", tmp_path / "settings.py"
    config.write_text("")
    assert run("--data-dir", str(folder), "init").exit_code == 0
    assert run("--config", str(config), "--data-dir", str(folder), "users", "list").exit_code == 0
    assert run("--data-dir", str(folder), "users", "list").exit_code == 0


def test_a_dictionary_in_the_environment_that_is_no_json(tmp_path, monkeypatch):
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDER", "{PKCE_REQUIRED: false}")
    done = run("--data-dir", str(tmp_path / "data"), "init")
    refused(done, "a dictionary of settings is needed, not a str", "FLASK_OAUTH2_PROVIDER", "is read as JSON")


def test_secret_keys_that_are_no_list_are_not_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDER__SECRET_KEYS", "a key of 16 bytes or more")
    done = run("--data-dir", str(tmp_path / "data"), "init")
    refused(done, "SECRET_KEYS: <hidden> is not allowed: a list is needed")


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff\xfe"])
def test_a_secret_key_file_that_holds_none(tmp_path, content):
    data = tmp_path / "data"
    assert run("--data-dir", str(data), "init").exit_code == 0
    (data / "secret_key").write_bytes(content)
    told = f"{data / 'secret_key'}: it holds fewer than 16 bytes; restore it from the back-up"
    refused(run("--data-dir", str(data), "check"), told)


@pytest.mark.parametrize(
    ("code", "value", "told"),
    [
        ("raise RuntimeError('kettle cold')", "tea.Ids", "its module fails: RuntimeError: kettle cold"),
        ("import nosuchmodule", "tea.Ids", "No module named 'nosuchmodule'"),
        ("def (", "tea.Ids", "its module fails: SyntaxError"),
        ("", "nosuchtea.Ids", "install it, or name its folder in PYTHONPATH"),
    ],
)
def test_an_import_string_whose_module_fails(tmp_path, monkeypatch, code, value, told):
    (tmp_path / "tea.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("FLASK_OAUTH2_PROVIDER__CLIENT_ID_GENERATOR_CLASS", value)
    done = run("--data-dir", str(tmp_path / "data"), "init")
    refused(done, f"CLIENT_ID_GENERATOR_CLASS: {value!r}: ", told)
    monkeypatch.delitem(sys.modules, "tea", raising=False)
